"""Every error answer: JSON with `error` (and `fields`) for programs, a page for people.

Where a database, Redis or the disk does not serve, each door answers 503 with `Retry-After`: what
the page kept and what programs and phone systems hold, they send again.
"""

import logging
import sys
from typing import Any, Final

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from callmanager.parsers import BodyTooLarge
from calls.errors import BadCallData, CallConflict, CallNotFound
from common.databases.faults import is_fault
from common.htmx import LATER, REFUSED, say_of_click
from common.periods import PeriodError

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = 5
_FOR_PROGRAMS: Final = ("/api/", "/hooks/")
_SAFE: Final = ("GET", "HEAD", "OPTIONS")


class Conflict(exceptions.APIException):
    """409: what was asked contradicts what is recorded."""

    status_code = 409
    default_code = "conflict"


class Unavailable(exceptions.APIException):
    """503: a database, Redis or the disk does not serve."""

    status_code = 503
    default_code = "unavailable"
    wait = RETRY_SECONDS  # DRF's handler tells it as Retry-After


def api_exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's answer, reshaped to `{"error": sentence}` and, for field errors, `fields`."""
    error = _as_api_error(error, context.get("request"))
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        response.data = _validation_body(error.detail)
    elif isinstance(error, exceptions.APIException):
        response.data = {"error": str(error.detail)}
    return response


def _as_api_error(error: Exception, request: Any) -> Exception:
    """The APIException that says what `error` says, in a sentence for whoever asked."""
    if is_fault(error):
        logger.error("An answer is 503: %r", error)
        return Unavailable(" ".join(_words_of_fault(request)))
    if isinstance(error, BadCallData | PeriodError):
        field = error.field or "non_field_errors"
        return exceptions.ValidationError({field: [error.message]})
    if isinstance(error, CallConflict):
        return Conflict(error.message)
    if isinstance(error, CallNotFound):
        return exceptions.NotFound(error.message)
    if isinstance(error, RequestDataTooBig):  # Django's own bound, before a parser is asked
        return BodyTooLarge()
    if isinstance(error, Http404):
        return exceptions.NotFound(_("There is nothing here, or it is not yours to see."))
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied(_("You may not do this."))
    if isinstance(error, exceptions.NotAuthenticated):
        sentence = _("Send your API key in the header X-API-Key, or sign in.")
        error.detail = exceptions.ErrorDetail(sentence, error.default_code)
    return error


def _validation_body(detail: Any) -> dict[str, Any]:
    if isinstance(detail, dict):
        fields = {name: _sentences(value) for name, value in detail.items()}
        general = fields.pop("non_field_errors", [])
        if not fields:
            return {"error": " ".join(general)}
        first = next(iter(fields))
        return {"error": f"{first}: {' '.join(fields[first])}", "fields": fields}
    return {"error": " ".join(_sentences(detail))}


def _sentences(detail: Any) -> list[str]:
    if isinstance(detail, dict):
        return [f"{name}: {line}" for name, part in detail.items() for line in _sentences(part)]
    if isinstance(detail, list | tuple):
        return [line for part in detail for line in _sentences(part)]
    return [str(detail)]


def _answer(
    request: HttpRequest, status: int, title: str, advice: str, click: str = REFUSED
) -> HttpResponse:
    if request.path_info.startswith("/api/"):
        return JsonResponse({"error": f"{title} {advice}".strip()}, status=status)
    context = {"status": status, "title": title, "advice": advice}
    return say_of_click(render(request, "error.html", context, status=status), click)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(
        request, 400, _("This request cannot be understood."), _("Go back and try again.")
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    asks = request.method in ("GET", "HEAD")
    title = _("You may not open this page.") if asks else _("You may not do this.")
    return _answer(request, 403, title, _("Ask an administrator if you should."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(
        request, 404, _("There is nothing here."), _("It may be gone, or it is not yours to see.")
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Django asks for it while it handles the exception."""
    if is_fault(sys.exc_info()[1]):
        return unavailable(request)
    return _answer(request, 500, _("Something went wrong on our side."), _advice(request), LATER)


def unavailable(request: HttpRequest) -> HttpResponse:
    """503, made without a database: the page knows neither the person nor their language."""
    language = translation.get_language_from_request(request)
    with translation.override(language):
        answer = _without_database(request, *_words_of_fault(request))
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Language"] = language
    return answer


def _without_database(request: HttpRequest, title: str, advice: str) -> HttpResponse:
    if request.path_info.startswith(_FOR_PROGRAMS):
        return JsonResponse({"error": f"{title} {advice}"}, status=503)
    again = request.get_full_path() if request.method in _SAFE else ""
    context = {"status": 503, "title": title, "advice": advice, "again": again}
    context["start_page"] = "desk"  # of whoever it is: nobody can be asked
    answer = HttpResponse(render_to_string("error.html", context), status=503)
    return say_of_click(answer, LATER)


def _words_of_fault(request: HttpRequest) -> tuple[str, str]:
    return _("The site cannot reach its data just now."), _advice(request)


def _advice(request: HttpRequest) -> str:
    """What to do now; whoever sent something must not believe that it was stored."""
    if request.method in _SAFE:
        return _("Try again in a few seconds. What was recorded stays recorded.")
    return _("What you sent may not have been stored. Send it again in a few seconds.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    get_token(request)  # the answer brings a new one, so that what is sent again succeeds
    return _answer(
        request, 403, _("This page was open for too long."), _("Reload it and try again."), LATER
    )
