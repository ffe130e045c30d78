"""The figures in a line of a table, as its cells: a page has hundreds of them."""

from functools import lru_cache
from html import escape

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext

from calls.templatetags.calls_format import NOTHING
from metrics.charts.cards import value_in_table
from metrics.dashboard.comparison import Judgement, Verdict
from metrics.definitions import EXPLAINED, Sums


def sums_cells(sums: Sums, judgement: Judgement | None = None) -> SafeString:
    """The cells in the order of the table's heads, tables.SUM_COLUMNS; `judgement` where lines are
    compared."""
    language = get_language()
    cells: list[str] = []
    for figure, label in zip(EXPLAINED, _labels(language), strict=True):
        value = value_in_table(figure, sums)
        is_empty = value == NOTHING
        name = "number muted" if is_empty else "number"
        signs = _unconfirmed(sums) if not cells else ""
        if judgement is not None and figure.verdict and not is_empty:
            verdict = getattr(judgement, figure.verdict)
            signs += _verdict(verdict, figure.verdict, language)
        cells.append(f'<td class="{name}" data-label="{label}">{signs}{escape(value)}</td>')
    return mark_safe("\n".join(cells))


@lru_cache
def _labels(language: str | None) -> list[str]:
    """The heads, as they stand in an attribute."""
    return [escape(str(figure.short_label)) for figure in EXPLAINED]


def _unconfirmed(sums: Sums) -> str:
    count = sums.calls_unconfirmed
    if not count:
        return ""
    words = ngettext("%(n)s unconfirmed", "%(n)s unconfirmed", count) % {"n": count}
    return format_html('<span class="unconfirmed">{}</span>', words)


@lru_cache
def _verdict(verdict: Verdict, of: str, language: str | None) -> str:
    if verdict == Verdict.SAME:
        return ""
    return render_to_string("metrics/_verdict.html", {"verdict": verdict.value, "of": of})
