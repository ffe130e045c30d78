"""The six figures as cards: value, second line, change against the period before, sparkline."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from django.utils.translation import gettext as _

from calls.templatetags.calls_format import NOTHING, clock, decimal, duration_words, percent, whole
from metrics.dashboard.figures import Figures, Stretch
from metrics.definitions import FIGURES, Figure, Sums

SPARK_WIDTH, SPARK_HEIGHT = 100, 24
SPARK_POINTS: Final = 14  # of days that only lead up to the period
MORE_IS_BETTER: Final = frozenset({"calls_success", "success_rate"})
LESS_IS_BETTER: Final = frozenset({"calls_failed"})


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
    change: Change | None = None
    spark: str = ""  # the points of a line; "" where there is nothing to draw


def cards_of(sums: Sums) -> list[Card]:
    """The six cards; an average or a rate over no calls is a dash."""
    more = _second_lines(sums)
    return [
        Card(f.name, str(f.label), value_of(f, sums), more[f.name], str(f.sentence))
        for f in FIGURES
    ]


def cards_over_time(figures: Figures) -> list[Card]:
    """The same with their change and their line."""
    return [
        replace(
            card,
            change=change_of(f, figures.sums, figures.previous),
            spark=spark_of(f, figures.stretches),
        )
        for f, card in zip(FIGURES, cards_of(figures.sums), strict=True)
    ]


def value_of(figure: Figure, sums: Sums) -> str:
    """A figure as people read it."""
    value = getattr(sums, figure.name)
    if figure.unit == "calls":
        return whole(value)
    if not sums.calls_made:
        return NOTHING
    if figure.unit == "percent":
        return percent(value)
    return duration_words(value) if figure.name == "total_talk_time" else clock(value)


def change_of(figure: Figure, sums: Sums, previous: Sums) -> Change | None:
    """None where either period has nothing to compare."""
    new, old = getattr(sums, figure.name), getattr(previous, figure.name)
    if not previous.calls_made or (figure.unit != "calls" and not sums.calls_made):
        return None
    if figure.unit == "percent":
        difference = round(new - old, 1)
        text = _("%(number)s points") % {"number": _signed(difference)}
    elif old:
        difference = round((new - old) / old * 100, 1)
        text = _signed(difference, percent)
    else:
        difference, text = new, _signed(new, whole)
    direction = "same" if not difference else "up" if difference > 0 else "down"
    return Change(text, direction, _tone(figure, direction), value_of(figure, previous))


def _signed(number: float, write: Callable[[Any], str] = decimal) -> str:
    return f"{'+' if number > 0 else '−' if number < 0 else '±'}{write(abs(number))}"


def _tone(figure: Figure, direction: str) -> str:
    if direction == "same" or figure.name not in MORE_IS_BETTER | LESS_IS_BETTER:
        return ""
    return "good" if (direction == "up") == (figure.name in MORE_IS_BETTER) else "bad"


def spark_of(figure: Figure, stretches: list[Stretch]) -> str:
    """The points of a polyline over the stretches; averages skip those without calls."""
    if not stretches[0].inside:
        stretches = stretches[-SPARK_POINTS:]
    values = [
        (place, getattr(one.sums, figure.name))
        for place, one in enumerate(stretches)
        if figure.unit == "calls" or one.sums.calls_made
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


def _second_lines(sums: Sums) -> dict[str, str]:
    answered = clock(sums.answered_average) if sums.calls_answered else NOTHING
    rate = percent(sums.answer_rate) if sums.calls_made else NOTHING
    return {
        "calls_made": _("%(number)s answered") % {"number": whole(sums.calls_answered)},
        "calls_success": _("of %(number)s made") % {"number": whole(sums.calls_made)},
        "calls_failed": _("%(dropped)s dropped, %(error)s failed, %(no_answer)s no answer")
        % {
            "dropped": whole(sums.calls_dropped),
            "error": whole(sums.calls_error),
            "no_answer": whole(sums.calls_no_answer),
        },
        "avg_call_duration": _("answered, with hold and wrap-up: %(length)s")
        % {"length": answered},
        "total_talk_time": _("ring %(ring)s, hold %(hold)s, wrap-up %(wrap_up)s")
        % {
            "ring": clock(sums.ring_time),
            "hold": clock(sums.hold_time),
            "wrap_up": clock(sums.wrap_up_time),
        },
        "success_rate": _("answer rate: %(rate)s") % {"rate": rate},
    }
