"""The rules of every installation, laid once; whoever wants none of one switches it off."""

from collections.abc import Mapping
from typing import Any, Final

from notifications.models import Rule
from notifications.models.rules import Kind

_ADMINISTRATORS: Final = {"tell_administrators": True}
STANDARD: Final[Mapping[str, Mapping[str, Any]]] = {
    "long_call": {"kind": Kind.LONG_CALL, "tell_agent": True},
    "very_long_call": {
        "kind": Kind.LONG_CALL,
        "parameters": {"times": 2},
        "tell_supervisors": True,
    },
    "provider_silent": {"kind": Kind.PROVIDER_SILENT, **_ADMINISTRATORS},
    "listener_down": {"kind": Kind.LISTENER_DOWN, **_ADMINISTRATORS},
    "backup_failed": {"kind": Kind.BACKUP_FAILED, **_ADMINISTRATORS},
    "disk_full": {"kind": Kind.DISK_FULL, **_ADMINISTRATORS},
    "job_failed": {"kind": Kind.JOB_FAILED, **_ADMINISTRATORS},
    "webhook_off": {"kind": Kind.WEBHOOK_OFF, **_ADMINISTRATORS},
}


def lay(using: str) -> None:
    """Makes those that are missing, in one order, whoever else does so at the same time."""
    rules = [Rule(standard=name, **fields) for name, fields in STANDARD.items()]
    Rule.objects.using(using).bulk_create(rules, ignore_conflicts=True)
