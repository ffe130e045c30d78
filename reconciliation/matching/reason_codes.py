"""Why a record and a call may differ: codes, as they are kept, and sentences."""

from typing import Final

from django.utils.translation import gettext_lazy as _

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
