"""Contacts from files and into files."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import PageRequest
from calls.contacts import export, files, importer, planning
from calls.errors import CallError
from calls.forms.contact_import import MappingForm, UploadForm
from calls.models import Contact, ContactImport
from calls.services.contacts import link_calls_of
from common.instants import today

SHOWN_IMPORTS = 20
_may_track = permission_required("calls.track_calls", raise_exception=True)
_may_export = permission_required("calls.export_calls", raise_exception=True)
_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_may_track
def contact_import(request: PageRequest) -> HttpResponse:
    """Takes a file to look at; shows what was taken in before."""
    if request.method != "POST":
        return _start(request, UploadForm(person=request.user))
    form = UploadForm(request.POST, request.FILES, person=request.user)
    if not form.is_valid():
        return _start(request, form, 400)
    file = form.cleaned_data["file"]
    try:
        sheet = files.read(file.read())
    except files.UnreadableFile as error:
        form.add_error("file", str(error))
        return _start(request, form, 400)
    what = importer.draft(request.user, file.name, sheet, form.team, form.for_everybody)
    return redirect("contact_import_one", pk=what.pk)


def _start(request: PageRequest, form: UploadForm, status: int = 200) -> HttpResponse:
    past = _imports_of(request).exclude(state=ContactImport.DRAFT)
    context = {
        "form": form,
        "past": past.defer("rows", "changes")[:SHOWN_IMPORTS],
    }
    return render(request, "calls/contact_import.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_may_track
def contact_import_one(request: PageRequest, pk: int) -> HttpResponse:
    """One file: what taking it in would do, or did. POST maps its columns anew, or takes it in."""
    what = _own(request, pk)
    if request.method == "POST" and what.state == ContactImport.DRAFT:
        return _map(request, what)
    return _show(request, what, MappingForm(what=what))


def _own(request: PageRequest, pk: int) -> ContactImport:
    return get_object_or_404(_imports_of(request), pk=pk)


def _imports_of(request: PageRequest) -> QuerySet[ContactImport]:
    return ContactImport.objects.filter(person=request.user).select_related("team")


def _map(request: PageRequest, what: ContactImport) -> HttpResponse:
    form = MappingForm(request.POST, what=what)
    if not form.is_valid():
        return _show(request, what, form, 400)
    what.mapping, what.duplicates = form.mapping, form.cleaned_data["duplicates"]
    what.save(update_fields=["mapping", "duplicates"])
    if "take" not in request.POST:
        return redirect("contact_import_one", pk=what.pk)
    try:
        done = importer.take_in(what)
        link_calls_of([*done.changes["created"], *map(int, done.changes["updated"])])
    except CallError as error:
        form.add_error(None, error.message)
        return _show(request, what, form, 400)
    messages.success(request, _made_sentence(done))
    return redirect("contact_import_one", pk=what.pk)


def _made_sentence(done: ContactImport) -> str:
    new = ngettext("%(n)d new contact", "%(n)d new contacts", done.created) % {"n": done.created}
    changed = ngettext("%(n)d brought up to date", "%(n)d brought up to date", done.updated)
    return f"{new}, {changed % {'n': done.updated}}."


def _show(
    request: PageRequest, what: ContactImport, form: MappingForm, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {"what": what, "form": form}
    if what.state == ContactImport.DRAFT:
        context["plan"] = planning.plan(what)
    return render(request, "calls/contact_import_one.html", context, status=status)


@never_cache
@require_POST
@_may_track
def contact_import_undo(request: PageRequest, pk: int) -> HttpResponse:
    """Takes the whole import back."""
    try:
        importer.take_back(_own(request, pk))
    except CallError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Taken back: the contacts are as they were before."))
    return redirect("contact_import")


@never_cache
@require_safe
@_may_export
def contact_export_file(request: PageRequest, kind: str) -> Any:
    """The contacts one may see, or those that the search `q` finds, as a file."""
    contacts = Contact.objects.visible_to(request.user).search(
        request.GET.get("q", "").replace("\x00", "")[:100]
    )
    name = f"contacts-{today():%Y-%m-%d}.{kind}"
    if kind == "xlsx":
        workbook = export.excel_of(contacts)
        return FileResponse(workbook, as_attachment=True, filename=name, content_type=_EXCEL)
    if kind == "csv":
        response = StreamingHttpResponse(
            export.csv_of(contacts), content_type="text/csv; charset=utf-8"
        )
    elif kind == "vcf":
        response = StreamingHttpResponse(
            export.cards_of(contacts), content_type="text/vcard; charset=utf-8"
        )
    else:
        raise Http404
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
