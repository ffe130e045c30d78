"""The large files that the worker writes for a person: asked for, watched, cancelled, fetched."""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import BadRequest, ValidationError
from django.db import transaction
from django.http import FileResponse, Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.requests import PageRequest
from common.htmx import render_page
from common.instants import now
from metrics.exports import jobs
from metrics.exports.calls import in_words
from metrics.exports.jobs import AT_ONCE, Wanted
from metrics.exports.responses import file_name
from metrics.models import Export
from metrics.tasks import write_export

_may_export = permission_required("calls.export_calls", raise_exception=True)


@never_cache
@require_safe
@_may_export
def exports(request: PageRequest) -> HttpResponse:
    """One's own exports; with `form` in the URL, the offer to have one more written."""
    mine = list(Export.objects.filter(owner=request.user, expires_at__gt=now()))
    context: dict[str, Any] = {
        "exports": [(export, _filter_of(request, export.query)) for export in mine],
        "going_on": any(export.is_going_on for export in mine),
        "form": request.GET.get("form", ""),
    }
    if context["form"] in AT_ONCE:
        query = request.GET.copy()
        del query["form"]
        context |= {"query": query.urlencode(), "wanted": _filter_of(request, query.urlencode())}
        context["most"] = AT_ONCE[context["form"]]
    elif context["form"]:
        raise BadRequest
    return render_page(request, "metrics/exports.html", "metrics/_exports.html", context)


def _filter_of(request: PageRequest, query: str) -> str:
    try:
        return in_words(Wanted.of(request.user, QueryDict(query)).found)
    except ValidationError as error:
        raise BadRequest from error


@never_cache
@require_POST
@_may_export
def export_request(request: PageRequest) -> HttpResponse:
    """Has the worker write the file that `form` and `query` (a page's filter) ask for."""
    form, query = request.POST.get("form", ""), request.POST.get("query", "")
    if form not in AT_ONCE:
        raise BadRequest
    try:
        export = jobs.request_export(request.user, form, QueryDict(query))
    except ValidationError as error:
        raise BadRequest from error
    transaction.on_commit(lambda: write_export(export.pk))
    messages.success(request, _("The file is being written. You may leave this page meanwhile."))
    return redirect("exports")


def _own(request: PageRequest, token: uuid.UUID) -> Export:
    return get_object_or_404(Export, token=token, owner=request.user)


@never_cache
@require_POST
@_may_export
def export_cancel(request: PageRequest, token: uuid.UUID) -> HttpResponse:
    jobs.cancel(_own(request, token))
    return redirect("exports")


@never_cache
@require_GET
@_may_export
def export_file(request: PageRequest, token: uuid.UUID) -> HttpResponseBase:
    """The file, for its owner, until it expires."""
    export = _own(request, token)
    if export.state != Export.DONE or export.expires_at <= now():
        raise Http404
    try:
        file = jobs.path_of(export).open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    return FileResponse(file, as_attachment=True, filename=file_name("calls", export.form))
