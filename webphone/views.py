"""The phone's window, and what it asks and tells. Only the agent's own line, in every answer."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from accounts import roles
from accounts.requests import PageRequest
from calls.errors import BadCallData
from common.instants import arrival_of, now, to_ms
from webphone.models import PhoneLine
from webphone.services import events as reports
from webphone.services.lines import NotSetUp, adapter_of_line, configuration
from webphone.services.people import name_of
from webphone.words import words

_may_track = permission_required(roles.TRACK_CALLS, raise_exception=True)


@never_cache
@require_safe
@_may_track
@ensure_csrf_cookie
def phone(request: PageRequest) -> HttpResponse:
    """The window. It may speak with this site and with the SIP server of the line, no other."""
    line = PhoneLine.objects.of(request.user)
    context = {"line": line, "words": words(), "fault": line and _fault_of(line)}
    response = render(request, "webphone/phone.html", context)
    origin = adapter_of_line(line).origin if line is not None else ""
    if origin:
        response._csp_update = {"connect-src": ["'self'", origin]}  # type: ignore[attr-defined]
    return response


def _fault_of(line: PhoneLine) -> str:
    """Why the line cannot be used at all; "" if it can."""
    try:
        configuration(line)
    except NotSetUp as error:
        return str(error)
    return ""


def _for_line(view: Callable[[PageRequest, PhoneLine], HttpResponse]) -> Any:
    """A view that answers JSON about the reader's own line; 404 for who has none."""

    @wraps(view)
    def answer(request: PageRequest) -> HttpResponse:
        line = PhoneLine.objects.of(request.user)
        if line is None:
            return _refusal(_("You have no line for the phone in the page."), 404)
        return view(request, line)

    return never_cache(_may_track(answer))


def _refusal(why: str, status: int) -> JsonResponse:
    return JsonResponse({"error": why}, status=status)


@require_safe
@_for_line
def config(request: PageRequest, line: PhoneLine) -> HttpResponse:
    try:
        found = configuration(line)
    except NotSetUp as error:
        return _refusal(str(error), 409)
    return JsonResponse(found | {"now": to_ms(now())})


@require_safe
@_for_line
def who(request: PageRequest, line: PhoneLine) -> HttpResponse:
    number = request.GET.get("number", "").replace("\x00", "").strip()[:80]
    name, shown = name_of(line, number)
    return JsonResponse({"name": name, "number": shown})


@require_POST
@_for_line
def events(request: PageRequest, line: PhoneLine) -> HttpResponse:
    """Takes what happened to the line's calls; says what could not be recorded, and why."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.API_MAX_BODY_BYTES:
        return _refusal(_("This is too much at once."), 413)
    try:
        report = json.loads(request.body)
        if not isinstance(report, dict):
            raise ValueError("no object")
        refused = reports.take(line, report, arrival_of(request))
    except (ValueError, RecursionError):
        return _refusal(_("The page sent something that cannot be understood."), 400)
    except BadCallData as error:
        return _refusal(error.message, 400)
    return JsonResponse({"refused": refused})
