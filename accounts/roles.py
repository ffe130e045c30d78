"""The roles table: which group may do what. Nothing else in the code names a group.

Laid on Django's groups after every migration (see accounts/apps.py); elsewhere only `has_perm`.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import pgettext_lazy

AGENT: Final = "Agent"
SUPERVISOR: Final = "Supervisor"  # also called team lead
ADMIN: Final = "Admin"  # also called IT

# What people read.
LABELS: Final[Mapping[str, Any]] = {
    AGENT: pgettext_lazy("role", "Agent"),
    SUPERVISOR: pgettext_lazy("role", "Supervisor"),
    ADMIN: pgettext_lazy("role", "Administrator"),
}

TRACK_CALLS: Final = "calls.track_calls"  # start and end own calls
VIEW_TEAM_CALLS: Final = "calls.view_team_calls"  # the calls of the teams one supervises
VIEW_ALL_CALLS: Final = "calls.view_all_calls"  # the organisation's calls
CORRECT_CALLS: Final = "calls.correct_calls"  # confirm or correct a call one may see
EXPORT_CALLS: Final = "calls.export_calls"  # take the calls one may see along as a file
USE_ADMIN: Final = "accounts.use_admin"  # open the administration
RECONCILE: Final = "reconciliation.reconcile_records"  # the phone systems' own records
MANAGE_RULES: Final = "notifications.manage_rules"  # rules about the people one may see
MANAGE_CHANNELS: Final = "notifications.manage_channels"  # the organisation's, and webhooks
SCHEDULE_REPORTS: Final = "notifications.schedule_reports"  # reports by the clock
MANAGE_UPKEEP: Final = "upkeep.manage_upkeep"  # the worker's jobs, and backups
FORGET_PEOPLE: Final = "upkeep.forget_people"  # remove personal data, and take it out

_MANAGED_MODELS: Final = (
    "accounts.user",
    "accounts.team",
    "accounts.apikey",
    "calls.contact",
    "calls.provideraccount",
    "calls.provideridentity",
    "calls.disposition",
    "calls.diallink",
    "webphone.phoneline",
)


def _manage(*models: str) -> tuple[str, ...]:
    return tuple(
        f"{app}.{action}_{model}"
        for app, model in (name.split(".") for name in models)
        for action in ("view", "add", "change", "delete")
    )


ROLES: Final[dict[str, tuple[str, ...]]] = {
    AGENT: (TRACK_CALLS, EXPORT_CALLS, SCHEDULE_REPORTS),
    SUPERVISOR: (
        TRACK_CALLS,
        VIEW_TEAM_CALLS,
        CORRECT_CALLS,
        EXPORT_CALLS,
        SCHEDULE_REPORTS,
        MANAGE_RULES,
    ),
    ADMIN: (
        TRACK_CALLS,
        VIEW_TEAM_CALLS,
        VIEW_ALL_CALLS,
        CORRECT_CALLS,
        EXPORT_CALLS,
        SCHEDULE_REPORTS,
        MANAGE_RULES,
        MANAGE_CHANNELS,
        RECONCILE,
        MANAGE_UPKEEP,
        FORGET_PEOPLE,
        USE_ADMIN,
        *_manage(*_MANAGED_MODELS),
        "calls.view_calllog",
        "calls.change_calllog",
        "calls.delete_calllog",
        "calls.view_callevent",
        "calls.view_rawevent",
        "metrics.view_usermetrics",
        "metrics.view_dailymetrics",
    ),
}

# The widest look that a person has: who leads does so from there, everybody else from the own desk.
_STARTS: Final = ((VIEW_ALL_CALLS, "organization"), (VIEW_TEAM_CALLS, "team"))


def start_page_of(user: Any) -> str:
    """The name of the page on which `user` (or nobody) starts who is on the way nowhere else."""
    return next((page for permission, page in _STARTS if user.has_perm(permission)), "desk")
