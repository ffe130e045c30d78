"""Records on their way in: a file is looked at, mapped, taken in by the worker, and taken back."""

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import roles
from accounts.requests import PageRequest
from calls.models.rows import Cells
from common.htmx import render_page, wants_part
from metrics.exports.csv_file import Style
from metrics.exports.document import NUMBER, Document, Head, Sheet, made_by
from metrics.exports.responses import csv_answer
from reconciliation import imports
from reconciliation.dashboard.preview import preview_of
from reconciliation.forms.fetching import FetchForm
from reconciliation.forms.imports import ReadingForm, UploadForm
from reconciliation.models import RecordImport

IMPORTS_A_PAGE: Final = 30
_may_reconcile = permission_required(roles.RECONCILE, raise_exception=True)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_may_reconcile
def record_imports(request: PageRequest) -> HttpResponse:
    """Takes a file to look at; shows what was brought in before."""
    if request.method != "POST":
        return _start(request, UploadForm())
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _start(request, form, 400)
    file = form.cleaned_data["file"]
    try:
        what = imports.start(form.cleaned_data["account"], request.user, file.name, file)
        imports.examine(what)
    except ValidationError as error:
        form.add_error("file", error)
        return _start(request, form, 400)
    return redirect("record_import", pk=what.pk)


def _start(request: PageRequest, form: UploadForm, status: int = 200) -> HttpResponse:
    past = RecordImport.objects.select_related("account").defer("faults", "plan").order_by("-pk")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        past = past.filter(pk__lt=int(before))
    shown = list(past[: IMPORTS_A_PAGE + 1])
    context = {
        "form": form,
        "fetch_form": FetchForm(),
        "imports": shown[:IMPORTS_A_PAGE],
        "older": shown[IMPORTS_A_PAGE - 1].pk if len(shown) > IMPORTS_A_PAGE else None,
    }
    return render(request, "reconciliation/imports.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_may_reconcile
def record_import(request: PageRequest, pk: int) -> HttpResponse:
    """One file: what taking it in would do, how far it is, or what it did. POST reads it in
    another way (`look`) or takes it in (`take`)."""
    what = _import(pk)
    if request.method == "POST" and what.state == RecordImport.DRAFT:
        return _take(request, what) if "take" in request.POST else _read(request, what)
    return _show(request, what)


def _import(pk: int) -> RecordImport:
    return get_object_or_404(RecordImport.objects.select_related("account", "person"), pk=pk)


def _read(request: PageRequest, what: RecordImport) -> HttpResponse:
    form = ReadingForm(request.POST, what=what, look=preview_of(what).look)
    if not form.is_valid():
        return _show(request, what, form=form, status=400)
    try:
        imports.set_reading(what, form.format, form.reading)
        imports.examine(what)
    except ValidationError as error:
        form.add_error(None, error)
        return _show(request, what, form=form, status=400)
    return redirect("record_import", pk=what.pk)


def _take(request: PageRequest, what: RecordImport) -> HttpResponse:
    try:
        if "skip_bad" in request.POST:
            imports.set_reading(what, what.format, {**what.reading, "skip_bad": True})
        imports.take_in(what, keep_mapping="keep_mapping" in request.POST)
    except ValidationError as error:
        return _show(request, what, fault=" ".join(error.messages), status=400)
    return redirect("record_import", pk=what.pk)


def _show(
    request: PageRequest,
    what: RecordImport,
    *,
    form: ReadingForm | None = None,
    fault: str = "",
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {"what": what, "fault": fault}
    if what.state == RecordImport.DRAFT and not wants_part(request):
        preview = preview_of(what)
        form = form or ReadingForm(what=what, look=preview.look)
        context |= {"form": form, "preview": preview, "zone": settings.TIME_ZONE}
    is_draft = what.state == RecordImport.DRAFT
    part = "_import_plan" if is_draft else "_import_run"
    response = render_page(
        request,
        "reconciliation/import.html",
        f"reconciliation/{part}.html",
        context,
        status=status,
    )
    if wants_part(request) and is_draft != ("plan" in request.GET):
        response.headers["HX-Refresh"] = "true"  # it was taken in meanwhile, in another tab
    return response


@never_cache
@require_POST
@_may_reconcile
def record_import_undo(request: PageRequest, pk: int) -> HttpResponse:
    """Takes the whole import back."""
    return _carried_out(request, pk, imports.undo)


@never_cache
@require_POST
@_may_reconcile
def record_import_cancel(request: PageRequest, pk: int) -> HttpResponse:
    """Stops an import that waits or runs; a draft goes as a whole."""
    what = _import(pk)
    if what.state != RecordImport.DRAFT:
        return _carried_out(request, pk, imports.cancel)
    _carried_out(request, pk, imports.remove_draft)
    return redirect("record_imports")


def _carried_out(request: PageRequest, pk: int, act: Callable[[RecordImport], Any]) -> HttpResponse:
    try:
        act(_import(pk))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("record_import", pk=pk)


@never_cache
@require_safe
@_may_reconcile
def record_import_faults(request: PageRequest, pk: int) -> HttpResponseBase:
    """The lines that could not be read, and why, as a file."""
    what = _import(pk)
    heads = [Head("line", _("Line"), NUMBER), Head("fault", _("What is wrong"))]
    columns: list[Cells] = [[fault[place] for fault in what.faults] for place in (0, 1)]
    sheet = Sheet(_("Lines that cannot be read"), heads, lambda: [columns])
    document = Document(sheet.title, made_by(request.user, what.file_name), [sheet])
    style = Style.of({"separator": "auto", "labels": "1"}, for_people=True)
    return csv_answer(document, style, "faults")
