"""Leaves a report by mail with one click (RFC 8058), or comes back to it; nobody has to sign in."""

from django.contrib.auth.decorators import login_not_required
from django.core.signing import BadSignature
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications.schedules import unsubscribing


@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report_unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """By GET nothing changes: programs that look at links must not unsubscribe anybody. By POST
    the person leaves, or with `again=1` comes back."""
    try:
        schedule, person = unsubscribing.read_token(token)
    except BadSignature as error:
        raise Http404 from error
    left = False
    if schedule is not None and person is not None:
        if request.method == "POST" and request.POST.get("again") == "1":
            unsubscribing.subscribe(schedule, person)
        elif request.method == "POST":
            unsubscribing.unsubscribe(schedule, person)
        left = unsubscribing.has_left(schedule, person)
    context = {
        "schedule": schedule,
        "person": person,
        "left": left,
        "changed": request.method == "POST",
    }
    return render(request, "notifications/unsubscribe.html", context)
