"""How well a call's times are proven, best first: the one place that has the words for it."""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from calls import timeline


@dataclass(frozen=True)
class Grade:
    """A grade of evidence: its letter, what it is in a few words, and what that means."""

    letter: str
    short: str | Promise
    meaning: str | Promise

    @property
    def in_words(self) -> str | Promise:
        """As files and choices have it: the letter, and what it is."""
        return format_lazy("{} · {}", self.letter, self.short)


GRADES: Final = (
    Grade(
        timeline.RECORD,
        _("confirmed by the provider's record"),
        _("The phone system's own record of the call says so, too: the times are proven."),
    ),
    Grade(
        timeline.LIVE,
        _("the provider's live events"),
        _("The phone system told while the call went on; its final record has not come."),
    ),
    Grade(
        timeline.CLICK,
        _("the agent's click"),
        _("The agent, or the agent's program, started and ended the clock."),
    ),
    Grade(
        timeline.OFFLINE,
        _("the agent's click, made offline"),
        _("As C, but kept without a network and told later, by the clock of that computer."),
    ),
    Grade(
        timeline.ESTIMATE,
        _("estimated, not confirmed"),
        _("Nobody told the end: it is the last sign of life. It counts once somebody confirms it."),
    ),
)
BY_LETTER: Final = {grade.letter: grade for grade in GRADES}
IN_WORDS: Final = {grade.letter: grade.in_words for grade in GRADES}
