"""All checks, in the order in which they are told."""

from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _

from callmanager.doctor import backups, doors, ledger, storage
from callmanager.doctor.findings import Check, Finding, error

CHECKS: Final[tuple[Check, ...]] = (
    storage.database,
    storage.migrations,
    storage.data_folder,
    storage.redis,
    storage.worker,
    backups.backups,
    ledger.ledger,
    doors.secrets,
    doors.public_address,
    doors.trusted_proxies,
)


def findings() -> Iterator[Finding]:
    """What all checks find; one that fails is a finding, too, and the others go on."""
    for check in CHECKS:
        try:
            yield from check()
        except Exception as reason:
            what = {"what": check.__name__, "reason": str(reason) or type(reason).__name__}
            yield error(_("%(what)s could not be checked: %(reason)s") % what)
