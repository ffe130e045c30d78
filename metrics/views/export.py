"""The calls of the history page as a file: the same filter, columns and order."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.requests import PageRequest
from calls.history.columns import IN_FILES, default_on_pages
from calls.history.filters import sees_only_self
from metrics.charts.plots import status_shares, time_shares
from metrics.exports.document import Document
from metrics.exports.jobs import CSV, XLSX, Wanted, is_large
from metrics.exports.pdf_file import PdfUnavailable, pdf_of
from metrics.exports.responses import csv_answer, pdf_answer, xlsx_answer

_may_export = permission_required("calls.export_calls", raise_exception=True)


def _door(
    view: Callable[[PageRequest, Wanted], HttpResponseBase],
    default: Callable[[PageRequest], Iterable[str]] = lambda request: IN_FILES,
) -> Callable[..., Any]:
    """For those who may take calls along; `default`: the columns where the URL names none.
    BadRequest for a URL that cannot be read; the history page says what is wrong with it."""

    def door(request: PageRequest) -> HttpResponseBase:
        try:
            wanted = Wanted.of(request.user, request.GET, default(request))
        except ValidationError as error:
            raise BadRequest from error
        return view(request, wanted)

    return never_cache(require_GET(_may_export(door)))


@_door
def call_export_csv(request: PageRequest, wanted: Wanted) -> HttpResponseBase:
    if is_large(wanted, CSV):
        return _to_worker(request, CSV)
    return csv_answer(wanted.document(figures=False), wanted.style)


@_door
def call_export_xlsx(request: PageRequest, wanted: Wanted) -> HttpResponseBase:
    if is_large(wanted, XLSX):
        return _to_worker(request, XLSX)
    return xlsx_answer(wanted.document())


def _on_screen(request: PageRequest) -> Iterable[str]:
    """Paper has as little room as a page, and is for people."""
    return default_on_pages(sees_only_self(request.user))


@partial(_door, default=_on_screen)
def call_export_pdf(request: PageRequest, wanted: Wanted) -> HttpResponseBase:
    document = wanted.document()
    shares = [
        (_("How calls ended"), status_shares(document.sums), False),
        (_("What the time was spent on"), time_shares(document.sums), True),
    ]
    return pdf_or_reason(request, document, "calls", shares=shares)


def _to_worker(request: PageRequest, form: str) -> HttpResponse:
    """To the page that offers to have a large file written by the worker."""
    query = request.GET.copy()
    query["form"] = form
    return redirect(f"{reverse('exports')}?{query.urlencode()}")


def pdf_or_reason(
    request: PageRequest, document: Document, name: str, **context: Any
) -> HttpResponse:
    """The document as PDF; where the server cannot make one, a page that says so (503)."""
    try:
        return pdf_answer(pdf_of(document, **context), name)
    except PdfUnavailable as error:
        context = {"status": 503, "title": _("There is no PDF."), "advice": str(error)}
        return render(request, "error.html", context, status=503)
