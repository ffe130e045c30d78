"""The marks of plots, each an element that says its numbers in `data-tip`.

There are hundreds on a page and each is a few numbers: a template takes ten times as long to
write them.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from html import escape
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from calls.templatetags.calls_format import clock, percent, whole
from calls.templatetags.periods import days
from metrics.charts.confidence import Spread, Whisker
from metrics.charts.plots import HeatMap, LengthClass, Weekday
from metrics.charts.trend import HEIGHT, Bar, Plot, Trend


def trend_bars(trend: Trend) -> SafeString:
    """Calls a stretch, successful below and failed above."""
    return _joined(
        _bar(
            bar.x,
            f"{days(bar.stretch.first, bar.stretch.last)}: {_calls_of(bar)}",
            _rect("bar-failed", bar.x, bar.all_y, bar.failed_height),
            _rect("bar-good", bar.x, bar.good_y, bar.good_height),
            is_before=not bar.stretch.inside,
        )
        for bar in trend.bars
    )


def _calls_of(bar: Bar) -> str:
    sums = bar.stretch.sums
    return _("%(made)s calls, %(failed)s failed") % {
        "made": whole(sums.calls_made),
        "failed": whole(sums.calls_failed),
    }


def plot_bars(plot: Plot) -> SafeString:
    """One figure a stretch."""
    return _joined(
        _bar(
            mark.x,
            f"{days(mark.stretch.first, mark.stretch.last)}: {mark.value}",
            _rect("bar-average", mark.x, mark.y, mark.height),
            is_before=not mark.stretch.inside,
        )
        for mark in plot.marks
    )


def length_bars(classes: Iterable[LengthClass]) -> SafeString:
    """Calls by their length."""
    return _joined(
        _bar(
            one.x,
            f"{one.label}: {whole(one.count)} ({percent(one.share)})",
            _rect("bar-good", one.x, one.y, one.height),
        )
        for one in classes
    )


def heat_cells(heat_map: HeatMap) -> SafeString:
    """Calls by weekday and hour."""
    language = get_language()
    return _joined(
        f'<rect class="mark heat-{cell.level:d}" x="{cell.x:d}" y="{cell.y:d}" width="10" '
        f'height="10" data-tip="{name} {cell.hour:d}:00: '
        f'{_count_of_calls(cell.count, language)}" />'
        for name, weekday in ((escape(capfirst(str(day.name))), day) for day in heat_map.weekdays)
        for cell in weekday.cells
    )


def heat_numbers(weekday: Weekday) -> SafeString:
    """The same of one day as cells of a table."""
    return _joined(f'<td class="number">{whole(cell.count)}</td>' for cell in weekday.cells)


@lru_cache(maxsize=2048)
def _count_of_calls(count: int, language: str | None) -> str:
    return escape(ngettext("%(n)s call", "%(n)s calls", count) % {"n": count})


def rate_whiskers(spread: Spread) -> SafeString:
    """Success rates with their intervals, a line each."""
    return _joined(_whisker(one, percent) for one in spread.rates)


def length_whiskers(spread: Spread) -> SafeString:
    """The same of average lengths."""
    return _joined(_whisker(one, clock) for one in spread.lengths)


def _whisker(one: Whisker, write: Callable[[Any], str]) -> str:
    value, low, high = (escape(write(number)) for number in (one.value, one.low, one.high))
    return (
        f'<div class="whisker"><span class="whisker-name">{escape(one.name)}</span> '
        '<svg viewBox="0 0 1000 24" preserveAspectRatio="none" aria-hidden="true" '
        'focusable="false"><rect class="whisker-track" x="0" y="11" width="1000" height="2" />'
        f'<rect class="whisker-line" x="{one.begin:d}" y="8" width="{one.width:d}" height="8" />'
        f'<rect class="whisker-dot" x="{one.place:d}" y="2" width="6" height="20" /></svg> '
        f'<span class="whisker-value number">{value} '
        f'<span class="muted small">{low}–{high}</span></span></div>'
    )


def _bar(x: int, tip: str, *rects: str, is_before: bool = False) -> str:
    """What can be pointed at is as high as the drawing, whatever the bar is."""
    name = "mark bar-before" if is_before else "mark"
    drawn = _rect("hit", x, 0, HEIGHT, width=9) + "".join(rects)
    return f'<g class="{name}" data-tip="{escape(tip)}">{drawn}</g>'


def _rect(name: str, x: int, y: int, height: int, width: int = 8) -> str:
    return f'<rect class="{name}" x="{x:d}" y="{y:d}" width="{width:d}" height="{height:d}" />'


def _joined(elements: Iterable[str]) -> SafeString:
    return mark_safe("\n".join(elements))
