"""Why a record and a call differ, in words."""

from typing import Any, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from reconciliation.models import ProviderRecord

ROUNDING: Final = "rounding"
RING_INCLUDED: Final = "ring_included"
CLOCK_SKEW: Final = "clock_skew"
ANSWER: Final = "answer"
STATUS: Final = "status"
START: Final = "start"
END: Final = "end"
OTHER: Final = "other"

SENTENCES: Final = {
    ROUNDING: _("The phone system rounds its lengths."),
    RING_INCLUDED: _("The phone system counts the ring as talk."),
    CLOCK_SKEW: _("The phone system's clock goes differently."),
    ANSWER: _("The two do not agree on when it was answered."),
    STATUS: _("The two do not agree on how the call ended."),
    START: _("The two do not agree on when it began."),
    END: _("The two do not agree on when it ended."),
    OTHER: _("The lengths differ, and nothing says why."),
}


class Difference(NamedTuple):
    """One thing that a call and a record say differently. `field` is start, answered, end, status,
    duration or talk; `ours` and `theirs` are instants (datetime), lengths (ms), or a status; None
    where it did not happen. `reasons` are codes of SENTENCES."""

    field: str
    ours: Any
    theirs: Any
    reasons: tuple[str, ...]


def differences_of(record: ProviderRecord) -> list[Difference]:
    """How the record and its call, as it now stands, differ."""
    raise NotImplementedError
