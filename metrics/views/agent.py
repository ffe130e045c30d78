"""One agent: figures, plots, and each day as a time line."""

from typing import Any

from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.requests import PageRequest
from common.htmx import render_page
from common.instants import now
from common.periods import Period
from metrics.charts.agent_day import MOST_CALLS, MOST_DAYS, DayLine, TooManyToDraw, day_lines
from metrics.dashboard.breadcrumbs import crumbs_of
from metrics.dashboard.figures import figures_of
from metrics.dashboard.selection import Selection, of_agent
from metrics.views.periods import with_period
from metrics.views.plots import plots_context


@never_cache
@require_safe
@with_period()
def agent(request: PageRequest, period: Period, pk: int) -> HttpResponse:
    """An agent whom one may see; oneself always. The time lines are of a week at most."""
    chosen = of_agent(request.user, str(pk))
    context: dict[str, Any] = {
        "period": period,
        "selection": chosen,
        "agent": chosen.agent,
        "crumbs": crumbs_of(request.user, period, chosen),
        **plots_context(chosen, figures_of(chosen, period)),
        "history_query": chosen.history_query(period),
        **_lines(chosen, period),
    }
    return render_page(request, "metrics/agent.html", "metrics/_agent_live.html", context)


def _lines(chosen: Selection, period: Period) -> dict[str, Any]:
    lines: list[DayLine] = []
    refused = ""
    if period.days > MOST_DAYS:
        refused = "long"
    else:
        assert chosen.agent is not None
        try:
            lines = day_lines(chosen.agent, period.first, period.last, now())
        except TooManyToDraw:
            refused = "many"
    return {"lines": lines, "refused": refused, "most_days": MOST_DAYS, "most_calls": MOST_CALLS}
