"""The figures as cards: value, second line, change, sparkline."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from django.utils.translation import gettext as _

from calls.templatetags.calls_format import NOTHING, clock, decimal, duration_words, percent, whole
from metrics.dashboard.figures import Figures, Stretch
from metrics.definitions import BESIDE, FIGURES, ON_CARDS, Sums
from metrics.entries import CALLS, PERCENT, Figure

SPARK_WIDTH, SPARK_HEIGHT = 100, 24
_ROOM: Final = ((14, "longest"), (11, "long"))  # letters
_MANY_TIMES: Final = 10
SPARK_POINTS: Final = 14  # of days that only lead up to the period


@dataclass(frozen=True)
class Change:
    """Against the period before. `direction`: up, down, same. `tone`: good, bad or nothing."""

    text: str
    direction: str
    tone: str
    before: str  # the figure of the period before


@dataclass(frozen=True)
class Card:
    name: str
    label: str
    value: str
    more: str
    sentence: str
    confirmed: str = ""  # how much of it phone systems confirm; "" where that is not asked
    change: Change | None = None
    spark: str = ""  # the points of a line; "" where there is nothing to draw

    @property
    def room(self) -> str:
        """How much room the value needs: it shrinks rather than wraps."""
        return next((name for least, name in _ROOM if len(self.value) >= least), "")


def cards_of(sums: Sums) -> list[Card]:
    """A card a figure; all but a count is a dash where there are no calls."""
    written = {figure.name: _in_figures(figure, sums) for figure in FIGURES}
    return [
        Card(
            f.name,
            str(f.label),
            value_of(f, sums),
            str(f.more) % written,
            str(f.sentence),
            # A share of nothing, as before any records have come, would look like a fault.
            confirmed=" ".join(
                str(one.more) % written for one in BESIDE.get(f.name, ()) if one.of(sums)
            ),
        )
        for f in ON_CARDS
    ]


def cards_over_time(figures: Figures) -> list[Card]:
    """The same with their change and their line."""
    return [
        replace(
            card,
            change=change_of(f, figures.sums, figures.previous),
            spark=spark_of(f, figures.stretches),
        )
        for f, card in zip(ON_CARDS, cards_of(figures.sums), strict=True)
    ]


def value_of(figure: Figure, sums: Sums) -> str:
    """A figure as people read it on a card."""
    in_words = figure.in_words and sums.calls_made
    return duration_words(figure.of(sums)) if in_words else value_in_table(figure, sums)


def value_in_table(figure: Figure, sums: Sums) -> str:
    """The same where it stands among others: every length is a clock's."""
    return _in_figures(figure, sums) if sums.calls_made or figure.unit == CALLS else NOTHING


def working_of(figure: Figure, sums: Sums) -> str:
    """The formula with its numbers in it; "" where there is nothing to reckon with."""
    if not sums.calls_made:
        return ""
    return figure.working.format(**sums.as_json() | {"value": value_of(figure, sums)})


_WRITERS: Final[dict[str, Callable[[Any], str]]] = {CALLS: whole, PERCENT: percent}


def _in_figures(figure: Figure, sums: Sums) -> str:
    write = _WRITERS.get(figure.unit, clock)
    return write(figure.of(sums)) if figure.has_value(sums) else NOTHING


def change_of(figure: Figure, sums: Sums, previous: Sums) -> Change | None:
    """None where either period has nothing to compare."""
    new, old = figure.of(sums), figure.of(previous)
    if not previous.calls_made or (figure.unit != CALLS and not sums.calls_made):
        return None
    if figure.unit == PERCENT:
        difference = round(new - old, 1)
        text = _("%(number)s points") % {"number": _signed(difference)}
    elif old:
        difference = round((new - old) / old * 100, 1)
        text = _grown(new, old, difference)
    else:
        difference, text = new, _signed(new, whole)
    direction = "same" if not difference else "up" if difference > 0 else "down"
    return Change(text, direction, _tone(figure, direction), value_of(figure, previous))


def _grown(new: float, old: float, difference: float) -> str:
    """In percent; what is many times as large as before, as it is early in a day, in times."""
    if new >= old * _MANY_TIMES:
        return f"×{whole(round(new / old))}"
    return _signed(difference, percent)


def _signed(number: float, write: Callable[[Any], str] = decimal) -> str:
    return f"{'+' if number > 0 else '−' if number < 0 else '±'}{write(abs(number))}"


def _tone(figure: Figure, direction: str) -> str:
    if direction == "same" or not figure.better:
        return ""
    return "good" if (direction == "up") == (figure.better == "more") else "bad"


def spark_of(figure: Figure, stretches: list[Stretch]) -> str:
    """The points of a polyline over the stretches; averages skip those without calls."""
    if not stretches[0].inside:
        stretches = stretches[-SPARK_POINTS:]
    values = [
        (place, figure.of(one.sums))
        for place, one in enumerate(stretches)
        if figure.unit == CALLS or one.sums.calls_made
    ]
    most = max((value for _place, value in values), default=0)
    if len(values) < 2 or not most:
        return ""
    step = SPARK_WIDTH / (len(stretches) - 1)
    return _points((place * step, 1 - value / most) for place, value in values)


def _points(places: Iterable[tuple[float, float]]) -> str:
    """x in the drawing's units, y from 0 (top) to 1."""
    room = SPARK_HEIGHT - 2  # a line's width
    return " ".join(f"{x:.1f},{1 + y * room:.1f}" for x, y in places)
