"""How much of the talk time the phone systems confirm: the page that leads to all the others."""

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import roles
from accounts.requests import PageRequest
from common.periods import WEEK, Period
from metrics.dashboard.tables import cut
from metrics.views.periods import with_period
from reconciliation.dashboard import missing
from reconciliation.dashboard.accounts import account_states, has_records, last_imports
from reconciliation.dashboard.confirmed import confirmed_of, most_of


@never_cache
@require_safe
@permission_required(roles.VIEW_TEAM_CALLS, raise_exception=True)
@with_period(WEEK)
def records(request: PageRequest, period: Period) -> HttpResponse:
    """The share of the talk time that records confirm, and what is open."""
    if not has_records():
        return render(request, "reconciliation/records.html", {"period": period, "is_empty": True})
    found = confirmed_of(request.user, period, with_all=request.GET.get("rows") == "all")
    context: dict[str, Any] = {
        "period": period,
        "everyone": request.user.scope.everyone,
        "found": found,
        "most_seconds": most_of(found.bars),
        "teams": cut(found.teams, request.GET),
        "agents": cut(found.agents, request.GET),
        "differences": found.differences,
        "unknown": missing.count_of(request.user, period),
        "most_counted": missing.MOST_COUNTED,
        "accounts": account_states(),
        "imports": last_imports() if request.user.has_perm(roles.RECONCILE) else [],
    }
    return render(request, "reconciliation/records.html", context)
