"""The plots of some people's calls, as a part of other pages and as a page to print."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.requests import PageRequest
from common.htmx import render_page
from common.periods import Period
from metrics.charts.plots import heat_map, length_classes, status_shares, time_shares
from metrics.charts.trend import trend_of
from metrics.dashboard.breadcrumbs import crumbs_of
from metrics.dashboard.figures import Figures, figures_of, shown_since
from metrics.dashboard.selection import Selection, selection_of
from metrics.rollups.histograms import shapes_by_day
from metrics.shapes import Shape
from metrics.views.periods import with_period


@never_cache
@require_safe
@with_period()
def plots(request: PageRequest, period: Period) -> HttpResponse:
    chosen = selection_of(request.user, request.GET)
    figures = figures_of(chosen, period)
    context = {
        "period": period,
        "selection": chosen,
        "crumbs": crumbs_of(request.user, period, chosen),
        **plots_context(chosen, figures),
    }
    return render_page(request, "metrics/plots.html", "metrics/_plots.html", context)


def plots_context(chosen: Selection, figures: Figures) -> dict[str, Any]:
    """What _plots.html shows; one query. What lies over time is drawn within weeks."""
    since = shown_since(figures.period)
    shapes = shapes_by_day(chosen.people, since, figures.period.last)
    inside = [shape for day, shape in shapes.items() if day >= figures.period.first]
    return {
        "figures": figures,
        "figures_query": chosen.query(figures.period),
        "whose": urlencode(chosen.parameters),
        "shown_since": since,
        "trend": trend_of(figures.stretches),
        "heat_map": heat_map(shapes),
        "length_classes": length_classes(sum(inside, Shape())),
        "status_shares": status_shares(figures.sums),
        "time_shares": time_shares(figures.sums),
    }
