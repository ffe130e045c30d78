"""How a document's cells are written for people."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from calls.templatetags.calls_format import NOTHING, clock, percent, whole
from common.formats.dates import exact_moment, short_day
from metrics.charts.cells import confirmed_link
from metrics.definitions import IN_REPORTS
from metrics.exports.document import DAY, INSTANT, NUMBER, PERCENT, SECONDS, Head
from metrics.exports.period_report import Bar

register = template.Library()
_BESIDE = {figure.name for figure in IN_REPORTS if figure.beside}


def _instant(written: str) -> str:
    return exact_moment(dt.datetime.fromisoformat(written))


_WRITTEN: dict[str, Callable[[Any], Any]] = {
    INSTANT: _instant,
    DAY: short_day,
    SECONDS: clock,
    PERCENT: percent,
    NUMBER: whole,
}


@register.simple_tag
def written(head: Head, value: Any) -> str:
    """The cell `value` in the reader's language and the organisation's zone; a dash for none."""
    if value is None or value == "":
        return NOTHING
    return str(_WRITTEN.get(head.kind, head.in_words)(value))


@register.simple_tag
def written_cells(
    heads: Sequence[Head], values: Sequence[Any], whose: str, days: str
) -> SafeString:
    """All the numbers of a line, each as a cell of a table; `whose` and `days` are the line's calls
    as the history reads them."""
    cells = ((head.name, written(head, value)) for head, value in zip(heads, values, strict=True))
    return mark_safe("".join(_cell(name, cell, whose, days) for name, cell in cells))


def _cell(name: str, cell: str, whose: str, days: str) -> str:
    if name not in _BESIDE or cell == NOTHING:
        return f'<td class="number">{escape(cell)}</td>'
    return f'<td class="number muted">{confirmed_link(escape(cell), whose, days)}</td>'


@register.simple_tag
def report_bars(bars: Iterable[Bar]) -> SafeString:
    """A bar a day, on screen and on paper."""
    return mark_safe(
        "\n".join(
            f"<g><title>{escape(short_day(bar.day))}: {bar.made:d}</title>"
            f'<rect class="bar-good" fill="#0b6470" x="{bar.x:d}" y="{bar.good_y:d}" width="8" '
            f'height="{bar.good:d}" />'
            f'<rect class="bar-failed" fill="#945200" x="{bar.x:d}" y="{bar.failed_y:d}" width="8" '
            f'height="{bar.failed:d}" /></g>'
            for bar in bars
        )
    )


@register.simple_tag
def written_at(heads: Sequence[Head], place: int, value: Any) -> str:
    """The same for the column at `place` of `heads`."""
    return written(heads[place], value)
