"""Every figure: what it is called, its unit, how it is made, and the sentence that says so.

The formulas are here and nowhere else; `Sums` is what they are made from.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


@dataclass
class Sums:
    """Counts and whole seconds over some set of counted calls. Sums of sums are sums.

    Figures are ratios of these, never means of means.
    """

    calls_success: int = 0
    calls_dropped: int = 0
    calls_error: int = 0  # status FAILED
    calls_no_answer: int = 0
    calls_answered: int = 0  # with a known answer, or completed or dropped without one
    total_talk_time: int = 0
    talk_squares: int = 0  # the squares of each call's talk seconds: how much calls differ
    answered_time: int = 0  # talk + hold + wrap-up of the answered calls
    total_duration: int = 0
    ring_time: int = 0
    hold_time: int = 0
    wrap_up_time: int = 0
    calls_unconfirmed: int = 0  # in no other figure

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums(
            **{f.name: getattr(self, f.name) - getattr(other, f.name) for f in fields(self)}
        )

    @property
    def calls_failed(self) -> int:
        return self.calls_dropped + self.calls_error + self.calls_no_answer

    @property
    def calls_made(self) -> int:
        return self.calls_success + self.calls_failed

    @property
    def avg_call_duration(self) -> int:
        """AHT: total time // calls made, whole seconds; 0 without calls."""
        return self.total_talk_time // self.calls_made if self.calls_made else 0

    @property
    def success_rate(self) -> float:
        """Successful / made x 100; 0 without calls."""
        return self.calls_success / self.calls_made * 100 if self.calls_made else 0.0

    @property
    def answer_rate(self) -> float:
        """Answered / made x 100; 0 without calls."""
        return self.calls_answered / self.calls_made * 100 if self.calls_made else 0.0

    @property
    def answered_average(self) -> int:
        """(Talk + hold + wrap-up) // answered calls, whole seconds; 0 without answered calls."""
        return self.answered_time // self.calls_answered if self.calls_answered else 0

    def as_json(self) -> dict[str, int | float]:
        """The figures under the names that programs know; seconds, counts and per cent."""
        return {
            "calls_made": self.calls_made,
            "calls_success": self.calls_success,
            "calls_failed": self.calls_failed,
            "calls_dropped": self.calls_dropped,
            "calls_error": self.calls_error,
            "calls_no_answer": self.calls_no_answer,
            "calls_answered": self.calls_answered,
            "calls_unconfirmed": self.calls_unconfirmed,
            "avg_call_duration": self.avg_call_duration,
            "total_talk_time": self.total_talk_time,
            "success_rate": round(self.success_rate, 2),
            "answer_rate": round(self.answer_rate, 2),
            "answered_average": self.answered_average,
            "total_duration": self.total_duration,
            "ring_time": self.ring_time,
            "hold_time": self.hold_time,
            "wrap_up_time": self.wrap_up_time,
        }


SUM_FIELDS: Final = tuple(f.name for f in fields(Sums))

# Classes of talk time, in seconds: each begins here and ends where the next begins; the first
# holds the calls without any talk, the last has no end.
LENGTHS: Final = (0, 1, 15, 30, 60, 120, 180, 300, 600, 1200)
HOUR_FIELDS: Final = tuple(f"hour_{hour:02d}" for hour in range(24))
LENGTH_FIELDS: Final = tuple(f"length_{number}" for number in range(len(LENGTHS)))
SHAPE_FIELDS: Final = HOUR_FIELDS + LENGTH_FIELDS


@dataclass(frozen=True)
class Shape:
    """Calls made, by local hour of their start and by class of talk time. Adds up like Sums."""

    hours: tuple[int, ...] = (0,) * 24
    lengths: tuple[int, ...] = (0,) * len(LENGTHS)

    def __add__(self, other: "Shape") -> "Shape":
        return Shape(
            tuple(map(sum, zip(self.hours, other.hours, strict=True))),
            tuple(map(sum, zip(self.lengths, other.lengths, strict=True))),
        )

    @classmethod
    def of(cls, values: Iterable[int]) -> "Shape":
        """From the columns, in the order of SHAPE_FIELDS."""
        columns = tuple(values)
        return cls(columns[:24], columns[24:])

    @property
    def columns(self) -> tuple[int, ...]:
        return self.hours + self.lengths


@dataclass(frozen=True)
class Figure:
    """A figure as pages show it. `unit`: calls, seconds or percent."""

    name: str
    label: str | Promise
    unit: str
    sentence: str | Promise


FIGURES: Final = (
    Figure(
        "calls_made",
        _("Calls made"),
        "calls",
        _("Every call that has ended: successful and failed together."),
    ),
    Figure(
        "calls_success", _("Successful"), "calls", _("Calls that ended with the status Completed.")
    ),
    Figure(
        "calls_failed",
        pgettext_lazy("calls", "Failed"),
        "calls",
        _("Calls that ended as dropped, failed or not answered."),
    ),
    Figure(
        "avg_call_duration",
        _("AHT"),
        "seconds",
        _("Average handling time: total time divided by calls made, in whole seconds."),
    ),
    Figure(
        "total_talk_time",
        _("Total time"),
        "seconds",
        _("Talk time of all calls: from answer to end, less hold and pause."),
    ),
    Figure(
        "success_rate",
        _("Success rate"),
        "percent",
        _("Successful calls divided by calls made."),
    ),
)
