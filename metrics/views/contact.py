"""A contact: numbers, company, notes, and every call with it that one may see, with its totals."""

from typing import Any, Final

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.requests import PageRequest
from calls.history.filters import sees_only_self
from calls.history.pagination import page_of_calls
from calls.models import CallLog, CallQuerySet, Contact
from common.databases.query_timeout import TookTooLong, patience
from common.htmx import render_page, wants_part
from metrics.rollups.filtered import MOST_CALLS, totals_of_calls

CALLS_A_PAGE: Final = 50
PATIENCE_SECONDS: Final = 5
_may_track = permission_required("calls.track_calls", raise_exception=True)


@never_cache
@require_safe
@_may_track
def contact(request: PageRequest, pk: int) -> HttpResponse:
    """The page of a contact whom one may see; by HTMX, a page of its calls."""
    known = Contact.objects.visible_to(request.user).select_related("owner", "team")
    shown = get_object_or_404(known.prefetch_related("numbers"), pk=pk)
    calls = CallLog.objects.visible_to(request.user).filter(contact=shown)
    alone = sees_only_self(request.user)
    cursor = request.GET.get("cursor", "")
    context: dict[str, Any] = {
        "contact": shown,
        "alone": alone,
        "cursor": cursor,
        "several": len(shown.numbers.all()) > 1,
        "editable": shown.is_editable_by(request.user),
        **_rows(calls, cursor),
    }
    if not wants_part(request):
        totals = totals_of_calls(calls, of_one_person=alone)
        context |= {"totals": totals, "sums": totals.sums, "most": MOST_CALLS}
    status = 400 if context["cursor_error"] and not wants_part(request) else 200
    return render_page(
        request, "metrics/contact.html", "metrics/_contact_calls.html", context, status=status
    )


def _rows(calls: CallQuerySet, cursor: str) -> dict[str, Any]:
    rows: dict[str, Any] = {"calls": [], "older": "", "cursor_error": "", "too_slow": False}
    try:
        with patience(PATIENCE_SECONDS):
            found, rows["older"] = page_of_calls(calls.with_people(), cursor, CALLS_A_PAGE)
            rows["calls"] = found
    except ValidationError as error:
        rows["cursor_error"] = error.message
    except TookTooLong:
        rows["too_slow"] = True
    return rows
