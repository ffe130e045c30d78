"""Where a figure comes from: its formula, the calls in it and those that are not, and a proof."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.requests import PageRequest
from calls import timeline
from calls.models import CallLog
from common.htmx import render_page
from common.periods import Period
from metrics.charts.cards import change_of, value_of
from metrics.charts.trend import trend_of
from metrics.dashboard.audit import MOST_CALLS, MOST_SHOWN, TooManyCalls, prove
from metrics.dashboard.breadcrumbs import crumbs_of
from metrics.dashboard.figures import figures_of
from metrics.dashboard.selection import Selection, selection_of
from metrics.definitions import EXPLAINED, Sums
from metrics.entries import Figure
from metrics.views.periods import with_period

_STATUS_COUNTS: Final = {
    timeline.COMPLETED: "calls_success",
    timeline.DROPPED: "calls_dropped",
    timeline.FAILED: "calls_error",
    timeline.NO_ANSWER: "calls_no_answer",
}


@dataclass(frozen=True)
class FigurePart:
    """Some of the period's calls: how many, and the history page that lists them."""

    label: str | Promise
    count: int
    query: str
    others: int = 0  # unconfirmed calls that the list holds, too


def _figure(name: str) -> Figure:
    found = next((figure for figure in EXPLAINED if figure.name == name), None)
    if found is None:
        raise Http404
    return found


@never_cache
@require_safe
@with_period()
def figure(request: PageRequest, period: Period, name: str) -> HttpResponse:
    """The page behind a card, for whoever and whatever period the card showed."""
    return _show(request, period, _figure(name), {})


@never_cache
@require_safe
@with_period()
def check(request: PageRequest, period: Period, name: str) -> HttpResponse:
    """The same, with the figure recomputed from the ledger. It changes nothing."""
    shown, chosen = _figure(name), selection_of(request.user, request.GET)
    try:
        proof = prove(chosen, period)
    except TooManyCalls as error:
        return _show(request, period, shown, {"too_many": error.count, "most_calls": MOST_CALLS})
    result = {
        "proof": proof,
        "by_ledger": value_of(shown, proof.ledger),
        "doubts": proof.doubts[:MOST_SHOWN],
    }
    return _show(request, period, shown, result)


def _show(
    request: PageRequest, period: Period, shown: Figure, result: dict[str, Any]
) -> HttpResponse:
    chosen = selection_of(request.user, request.GET)
    figures = figures_of(chosen, period)
    context = {
        "period": period,
        "figure": shown,
        "selection": chosen,
        "crumbs": crumbs_of(request.user, period, chosen, last=str(shown.label)),
        "figures": figures,
        "figures_query": chosen.query(period),
        "all_figures": EXPLAINED,
        "value": value_of(shown, figures.sums),
        "change": change_of(shown, figures.sums, figures.previous),
        "working": _working(shown, figures.sums),
        "counted": _counted(shown, chosen, period, figures.sums),
        "left_out": _left_out(shown, chosen, period, figures.sums),
        "whose": urlencode(chosen.parameters),
        "trend": trend_of(figures.stretches),
        **result,
    }
    return render_page(request, "metrics/figure.html", "metrics/_figure_check.html", context)


def _working(shown: Figure, sums: Sums) -> str:
    """The formula with the period's numbers in it."""
    if not sums.calls_made:
        return ""
    numbers = sums.as_json() | {"value": value_of(shown, sums)}
    return shown.working.format(**numbers)


def _counted(shown: Figure, chosen: Selection, period: Period, sums: Sums) -> list[FigurePart]:
    return _by_status(chosen, period, sums, shown.statuses)


def _left_out(shown: Figure, chosen: Selection, period: Period, sums: Sums) -> list[FigurePart]:
    """Calls of the period that are not in the figure, and why."""
    others = tuple(status for status in timeline.TERMINAL if status not in shown.statuses)
    running = CallLog.objects.filter(user__in=chosen.people).active().count()
    return [
        *_by_status(chosen, period, sums, others),
        FigurePart(
            _("Unconfirmed: closed for want of a sign of life, until somebody confirms them"),
            sums.calls_unconfirmed,
            chosen.history_query(period, evidence=timeline.ESTIMATE),
        ),
        FigurePart(
            _("In progress now: they count when they end"),
            running,
            chosen.history_query(period, status=timeline.IN_PROGRESS),
        ),
    ]


def _by_status(
    chosen: Selection, period: Period, sums: Sums, statuses: tuple[str, ...]
) -> list[FigurePart]:
    labels = dict(CallLog.STATUSES)
    return [
        FigurePart(
            labels[status],
            getattr(sums, _STATUS_COUNTS[status]),
            chosen.history_query(period, status=status),
            # What the watchdog closed is dropped, and in the list of those that are.
            sums.calls_unconfirmed if status == timeline.DROPPED else 0,
        )
        for status in timeline.TERMINAL
        if status in statuses
    ]
