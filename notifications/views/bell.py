"""The bell in the header, and the page behind it: a person's own notifications."""

from django.core.exceptions import BadRequest
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.requests import PageRequest
from common.htmx import render_page, wants_part
from notifications.bell.reading import mark_read
from notifications.bell.unread import with_alerts
from notifications.models import Notification
from notifications.words import sentence_of

A_PAGE = 50
_LARGEST = 2**63 - 1


@never_cache
@require_safe
def notifications(request: PageRequest) -> HttpResponse:
    """One's own, newest first; `before` is the last one of the page before."""
    mine = with_alerts().filter(person=request.user)
    before = request.GET.get("before", "")
    if before:
        mine = mine.filter(pk__lt=_number(before))
    found = list(mine[: A_PAGE + 1])
    context = {
        "notifications": found[:A_PAGE],
        "older": found[A_PAGE - 1].pk if len(found) > A_PAGE else None,
        "before": before,
    }
    return render_page(
        request, "notifications/notifications.html", "notifications/_notifications.html", context
    )


@never_cache
@require_safe
def bell(request: PageRequest) -> HttpResponse:
    """What stands in the header's bell; with `reminders`, these beside it."""
    context = {"beside": "reminders" in request.GET}
    return render(request, "notifications/_bell.html", context)


@never_cache
@require_safe
def words(request: PageRequest, alert: int) -> HttpResponse:
    """The `text` of one's own notification of an alert, for the browser to show."""
    told = get_object_or_404(with_alerts(), person=request.user, alert__pk=alert)
    return JsonResponse({"text": sentence_of(told.alert, request.user)})


@never_cache
@require_POST
def read(request: PageRequest, alert: int) -> HttpResponse:
    told = Notification.objects.filter(person=request.user, alert__pk=alert)
    get_object_or_404(told)
    mark_read(request.user, told)
    return _done(request)


@never_cache
@require_POST
def read_all(request: PageRequest) -> HttpResponse:
    """All up to `until`, the newest that the reader saw: what came since stays unread."""
    until = _number(request.POST.get("until", ""))
    mark_read(request.user, Notification.objects.filter(pk__lte=until))
    return _done(request)


def _number(text: str) -> int:
    # Python refuses to read thousands of digits.
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= _LARGEST):
        raise BadRequest
    return int(text)


def _done(request: PageRequest) -> HttpResponse:
    """The parts of the page that show it ask for themselves again."""
    if wants_part(request):
        return HttpResponse(status=204, headers={"HX-Trigger": "bell"})
    return redirect("notifications")
