"""The six figures as cards: label, value, a second line, and the sentence that defines them."""

from dataclasses import dataclass

from django import template
from django.utils.translation import gettext as _

from calls.templatetags.calls_format import NOTHING, clock, duration_words, percent
from metrics.definitions import FIGURES, Figure, Sums

register = template.Library()


@dataclass(frozen=True)
class Card:
    name: str
    label: str
    value: str
    more: str
    sentence: str


@register.simple_tag
def cards_of(sums: Sums) -> list[Card]:
    """The cards of `sums`; an average or a rate over no calls is a dash."""
    more = _second_lines(sums)
    return [
        Card(f.name, str(f.label), _value(f, sums), more[f.name], str(f.sentence)) for f in FIGURES
    ]


def _value(figure: Figure, sums: Sums) -> str:
    value = getattr(sums, figure.name)
    if figure.unit == "calls":
        return str(value)
    if not sums.calls_made:
        return NOTHING
    if figure.unit == "percent":
        return percent(value)
    return duration_words(value) if figure.name == "total_talk_time" else clock(value)


def _second_lines(sums: Sums) -> dict[str, str]:
    answered = clock(sums.answered_average) if sums.calls_answered else NOTHING
    rate = percent(sums.answer_rate) if sums.calls_made else NOTHING
    return {
        "calls_made": _("%(number)d answered") % {"number": sums.calls_answered},
        "calls_success": _("of %(number)d made") % {"number": sums.calls_made},
        "calls_failed": _("%(dropped)d dropped, %(error)d failed, %(no_answer)d no answer")
        % {
            "dropped": sums.calls_dropped,
            "error": sums.calls_error,
            "no_answer": sums.calls_no_answer,
        },
        "avg_call_duration": _("answered only: %(length)s") % {"length": answered},
        "total_talk_time": _("ring %(ring)s, hold %(hold)s")
        % {"ring": clock(sums.ring_time), "hold": clock(sums.hold_time)},
        "success_rate": _("answer rate: %(rate)s") % {"rate": rate},
    }
