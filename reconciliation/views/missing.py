"""Calls that were tracked here and that the phone system does not know."""

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import roles
from accounts.requests import PageRequest
from common.databases.query_timeout import TookTooLong
from common.htmx import render_page
from common.periods import WEEK, Period
from metrics.views.periods import with_period
from reconciliation.dashboard import missing


@never_cache
@require_safe
@permission_required(roles.VIEW_TEAM_CALLS, raise_exception=True)
@with_period(WEEK)
def records_missing(request: PageRequest, period: Period) -> HttpResponse:
    """A page of them, newest first, each with its likely reason."""
    cursor = request.GET.get("cursor", "")
    context: dict[str, Any] = {"period": period, "cursor": cursor}
    try:
        context["rows"], context["older"] = missing.page_of(request.user, None, period, cursor)
    except ValidationError as error:
        raise BadRequest from error
    except TookTooLong:
        context["too_slow"] = True
    return render_page(
        request, "reconciliation/missing.html", "reconciliation/_missing.html", context
    )
