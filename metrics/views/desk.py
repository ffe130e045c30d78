"""The desk's page, and its parts that show what one's calls add up to."""

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.requests import PageRequest
from callmanager.htmx import render_page
from calls.models import CallLog
from calls.running import running_calls
from calls.views.desk import contact_results, unconfirmed_calls
from metrics.services import sums_today

RECENT_CALLS = 10
_may_track = permission_required("calls.track_calls", raise_exception=True)


def _recent(request: PageRequest) -> list[CallLog]:
    calls = CallLog.objects.filter(user=request.user).ended().select_related("contact")
    return list(calls.order_by("-start_time", "-pk")[:RECENT_CALLS])


def _context(request: PageRequest) -> dict[str, Any]:
    """Everything on the desk, asked of the database only where the template shows it."""
    return {
        "cards_url": reverse("cards"),
        "sums": SimpleLazyObject(lambda: sums_today(request.user)),
        "recent": SimpleLazyObject(lambda: _recent(request)),
        "running": SimpleLazyObject(lambda: running_calls(request)),
        "search": SimpleLazyObject(lambda: contact_results(request)),
        "unconfirmed": SimpleLazyObject(lambda: unconfirmed_calls(request)),
    }


@never_cache
@require_safe
@_may_track
def desk(request: PageRequest) -> HttpResponse:
    return render(request, "metrics/desk.html", _context(request))


@never_cache
@require_safe
@_may_track
def cards(request: PageRequest) -> HttpResponse:
    """Today's six figures; to a browser without HTMX, the desk that they are part of."""
    return render_page(request, "metrics/desk.html", "metrics/_cards.html", _context(request))


@never_cache
@require_safe
@_may_track
def recent(request: PageRequest) -> HttpResponse:
    """The last calls; likewise."""
    return render_page(request, "metrics/desk.html", "calls/_recent_calls.html", _context(request))
