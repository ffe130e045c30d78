"""What the calls of the history's filter add up to: a part of that page, asked for after it."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.requests import PageRequest
from calls.history.filters import CallFilter
from common.htmx import wants_part
from metrics.rollups.filtered import MOST_CALLS, Totals, totals_of_filter


@never_cache
@require_safe
def call_totals(request: PageRequest) -> HttpResponse:
    """The figures of the filter in the URL; to a browser without HTMX, the history itself."""
    if not wants_part(request):
        return redirect(f"{reverse('history')}?{request.GET.urlencode()}")
    found = CallFilter(request.GET, viewer=request.user)
    totals = totals_of_filter(found) if found.is_valid() else Totals(too_slow=True)
    return render(
        request,
        "metrics/_call_totals.html",
        {"totals": totals, "sums": totals.sums, "most": MOST_CALLS},
    )
