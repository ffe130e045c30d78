"""The desk's page, its parts that show what one's calls add up to, and the end of a call, which
says that, too."""

import uuid
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.requests import PageRequest
from calls.active_calls import current_context
from calls.models import CallLog
from calls.templatetags.calls_format import clock
from calls.views import desk as buttons
from calls.views.desk import button, contact_results, unconfirmed_calls
from common.htmx import render_page, wants_part
from common.instants import today
from common.periods import Period
from metrics.dashboard.figures import figures_of
from metrics.dashboard.selection import own_selection
from metrics.rollups.daily import sums_of
from metrics.views.periods import with_period

RECENT_CALLS = 10
_may_track = permission_required("calls.track_calls", raise_exception=True)


def _recent(request: PageRequest) -> list[CallLog]:
    calls = CallLog.objects.own(request.user).ended().select_related("contact")
    return list(calls.order_by("-start_time", "-pk")[:RECENT_CALLS])


def _context(request: PageRequest, period: Period) -> dict[str, Any]:
    """Everything on the desk, asked of the database only where the template shows it."""
    own = own_selection(request.user)
    return {
        "period": period,
        "today": today(),
        "cards_url": f"{reverse('cards')}?{period.query}",
        "figures": SimpleLazyObject(lambda: figures_of(own, period)),
        "figures_query": own.query(period),
        "recent": SimpleLazyObject(lambda: _recent(request)),
        "search": SimpleLazyObject(lambda: contact_results(request)),
        "unconfirmed": SimpleLazyObject(lambda: unconfirmed_calls(request)),
    }


def _page_context(request: PageRequest, period: Period) -> dict[str, Any]:
    return _context(request, period) | current_context(request)


@never_cache
@require_safe
@_may_track
@with_period()
def desk(request: PageRequest, period: Period) -> HttpResponse:
    return render(request, "metrics/desk.html", _page_context(request, period))


@never_cache
@require_safe
@_may_track
@with_period()
def cards(request: PageRequest, period: Period) -> HttpResponse:
    """The figures; to a browser without HTMX, the desk that they are part of."""
    return _part(request, period, "metrics/_cards.html")


@never_cache
@require_safe
@_may_track
@with_period()
def recent(request: PageRequest, period: Period) -> HttpResponse:
    """The last calls; likewise."""
    return _part(request, period, "calls/_recent_calls.html")


def _part(request: PageRequest, period: Period, partial: str) -> HttpResponse:
    own = _context(request, period) if wants_part(request) else _page_context(request, period)
    return render_page(request, "metrics/desk.html", partial, own)


@button
def end(request: PageRequest, call_id: uuid.UUID) -> str:
    return _said_of_end(buttons.ended(request, call_id))


@never_cache
@require_safe
@_may_track
def ended(request: PageRequest, call_id: uuid.UUID) -> HttpResponse:
    """The notice that one's own call has ended, for the pages that did not end it; to a browser
    without HTMX, the call."""
    call = CallLog.objects.own(request.user).ended().known_as(call_id)
    if call is None:
        raise Http404
    if not wants_part(request):
        return redirect("call", call_id=call_id)
    context = {"notice": _said_of_end(call), "notice_level": "good"}
    return render(request, "calls/_notice.html", context)


def _said_of_end(call: CallLog) -> str:
    """How long the call was, and what the person's calls of today now add up to."""
    day = today()
    sums = sums_of([call.user_id] if call.user_id else [], day, day)
    length = clock(call.duration_seconds)
    if not sums.calls_made:  # it began yesterday
        return _("Call ended: %(length)s") % {"length": length}
    return ngettext(
        "Call ended: %(length)s · Average %(average)s · %(number)d call today",
        "Call ended: %(length)s · Average %(average)s · %(number)d calls today",
        sums.calls_made,
    ) % {"length": length, "average": clock(sums.avg_call_duration), "number": sums.calls_made}
