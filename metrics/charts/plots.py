"""What the plots draw, in their own units: hours by weekday, lengths, and shares of a whole."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from django.utils.dates import WEEKDAYS
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from calls.templatetags.calls_format import clock
from metrics.definitions import Sums
from metrics.shapes import LENGTHS, Shape

LEVELS: Final = 5  # steps of colour that an eye can tell apart
OFFICE_HOURS: Final = (8, 18)  # shown even without calls; half-open
HEIGHT: Final = 100
WIDTH: Final = 1000


@dataclass(frozen=True)
class Cell:
    """An hour of a weekday. `level`: 0 for no calls, else 1 to LEVELS by share of the most."""

    hour: int
    count: int
    level: int
    x: int
    y: int


@dataclass(frozen=True)
class Weekday:
    name: str | Promise
    cells: list[Cell]


@dataclass(frozen=True)
class HeatMap:
    weekdays: list[Weekday]
    hours: list[int]
    most: int


def heat_map(by_day: Mapping[dt.date, Shape]) -> HeatMap:
    """Calls by the local hour of their start, Monday to Sunday; from the first to the last hour
    with calls."""
    weekdays = [Shape()] * 7
    for day, its_shape in by_day.items():
        weekdays[day.weekday()] += its_shape
    whole = sum(weekdays, Shape())
    busy = [hour for hour, count in enumerate(whole.hours) if count]
    first, last = min([OFFICE_HOURS[0], *busy]), max([OFFICE_HOURS[1] - 1, *busy])
    hours = list(range(first, last + 1))
    most = max(max(shape.hours) for shape in weekdays)
    rows = [
        Weekday(
            WEEKDAYS[day],
            [
                Cell(hour, shape.hours[hour], _level(shape.hours[hour], most), place * 10, day * 10)
                for place, hour in enumerate(hours)
            ],
        )
        for day, shape in enumerate(weekdays)
    ]
    return HeatMap(rows, hours, most)


def _level(count: int, most: int) -> int:
    return -(-count * LEVELS // most) if count else 0


@dataclass(frozen=True)
class LengthClass:
    """Calls whose talk time lies between two bounds. `height` is of HEIGHT."""

    label: str
    short: str  # for the axis: less than so many seconds (″) or minutes (′)
    count: int
    share: float
    x: int
    height: int

    @property
    def y(self) -> int:
        return HEIGHT - self.height


def length_classes(shape: Shape) -> list[LengthClass]:
    counts = shape.lengths
    most, made = max(counts), sum(counts)
    return [
        LengthClass(
            label=label,
            short=short,
            count=count,
            share=count / made * 100 if made else 0.0,
            x=place * 10 + 1,
            height=max(1, count * HEIGHT // most) if count else 0,
        )
        for place, (label, short, count) in enumerate(
            zip(_length_labels(), _short_labels(), counts, strict=True)
        )
    ]


def _length_labels() -> list[str]:
    bounds = pairwise(LENGTHS[1:])
    between = [f"{clock(begin if begin > 1 else 0)}–{clock(end)}" for begin, end in bounds]
    return [_("no talk"), *between, _("%(length)s and more") % {"length": clock(LENGTHS[-1])}]


def _short_labels() -> list[str]:
    ends = [f"<{end}″" if end < 60 else f"<{end // 60}′" for end in LENGTHS[2:]]
    return ["0", *ends, f"≥{LENGTHS[-1] // 60}′"]


_INKS: Final = {
    **dict.fromkeys(("completed", "talk"), "#0b6470"),
    **dict.fromkeys(("no-answer", "ring"), "#e0a33e"),
    **dict.fromkeys(("dropped", "wrap-up"), "#7a9be0"),
    **dict.fromkeys(("failed", "hold"), "#a32020"),
}


@dataclass(frozen=True)
class Share:
    """A part of a whole. `kind` names its colour and pattern; places are of WIDTH."""

    kind: str
    label: str
    value: int
    percent: float
    x: int
    width: int

    @property
    def ink(self) -> str:
        """Its colour on paper, where the themes of the screen are unknown."""
        return _INKS[self.kind]


def status_shares(sums: Sums) -> list[Share]:
    """How calls ended: counts of calls."""
    return _shares(
        [
            ("completed", _("Completed"), sums.calls_success),
            ("no-answer", _("No answer"), sums.calls_no_answer),
            ("dropped", _("Dropped"), sums.calls_dropped),
            ("failed", _("Failed"), sums.calls_error),
        ]
    )


def time_shares(sums: Sums) -> list[Share]:
    """What tracked time was spent on, in seconds."""
    return _shares(
        [
            ("talk", _("Talk"), sums.total_talk_time),
            ("ring", _("Ring"), sums.ring_time),
            ("hold", _("On hold"), sums.hold_time),
            ("wrap-up", _("Wrap-up"), sums.wrap_up_time),
        ]
    )


def _shares(parts: Iterable[tuple[str, str, int]]) -> list[Share]:
    parts = list(parts)
    whole = sum(value for _kind, _label, value in parts)
    found, before = [], 0
    for kind, label, value in parts:
        begin, before = before, before + value
        x, end = (place * WIDTH // (whole or 1) for place in (begin, before))
        found.append(Share(kind, label, value, value / whole * 100 if whole else 0.0, x, end - x))
    return found
