"""The inbox of differences: both sides' values, and the decisions on them."""

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import roles
from accounts.requests import PageRequest
from calls.errors import CallError
from calls.templatetags.calls_format import whole
from common.htmx import render_page, wants_part
from common.instants import local_now
from common.periods import PARAMETERS, Period, PeriodError, is_asked_for, period_of
from reconciliation.dashboard import differences as inbox
from reconciliation.dashboard.accounts import has_records
from reconciliation.dashboard.visible import records_visible_to
from reconciliation.forms.differences import DifferenceFilter, KeepForm
from reconciliation.imports import decisions
from reconciliation.models import ProviderRecord

_may_see = permission_required(roles.VIEW_TEAM_CALLS, raise_exception=True)
_may_decide = permission_required(roles.RECONCILE, raise_exception=True)
ACCEPTED_AT_ONCE: Final = 500  # each is a correction: so many take some seconds
# What a link to the same differences says.
FILTERS: Final = ("state", "kind", "team", "agent", "account", *PARAMETERS)


@never_cache
@require_safe
@_may_see
def differences(request: PageRequest) -> HttpResponse:
    """The differences that pass the filters of the URL, newest first, a page at a time."""
    asked = _Asked(request)
    context = asked.context | {"kinds": [], "rows": [], "older": ""}
    if not asked.wrong:
        records = inbox.found(request.user, asked.form.cleaned_data, asked.period)
        every_kind = inbox.found(
            request.user, {**asked.form.cleaned_data, "kind": ""}, asked.period
        )
        context["kinds"] = inbox.kinds_of(every_kind)
        try:
            context["rows"], context["older"] = inbox.page_of(records, context["cursor"])
        except ValidationError as error:
            asked.wrong.append(error.message)
    context["is_empty"] = not context["rows"] and not has_records()
    part = wants_part(request)
    return render_page(
        request,
        "reconciliation/differences.html",
        "reconciliation/_differences.html",
        context,
        status=400 if asked.wrong and not part else 200,
    )


class _Asked:
    """What the URL asks for, and what is wrong with that."""

    def __init__(self, request: PageRequest):
        self.form = DifferenceFilter(request.GET, request.user)
        self.period: Period | None = None
        self.period_error: PeriodError | None = None
        self.wrong: list[Any] = []
        try:
            if is_asked_for(request.GET):
                self.period = period_of(request.GET, local_now())
        except PeriodError as error:
            self.period_error = error
            self.wrong.append(error.message)
        if not self.form.is_valid():
            self.wrong += [text for texts in self.form.errors.values() for text in texts]
        self.request = request

    @property
    def context(self) -> dict[str, Any]:
        query = self.request.GET
        return {
            "form": self.form,
            "period": self.period,
            "period_error": self.period_error,
            "period_fields": {name: query[name] for name in PARAMETERS if query.get(name)},
            "wrong": self.wrong,
            "state": query.get("state") or inbox.OPEN,
            "kind": query.get("kind", ""),
            "filtered": any(query.get(name) for name in FILTERS if name != "state"),
            "cursor": query.get("cursor", ""),
            "may_decide": self.request.user.has_perm(roles.RECONCILE),
        }


def _difference(request: PageRequest, pk: int) -> ProviderRecord:
    decided = (ProviderRecord.DIFFERENT, ProviderRecord.ACCEPTED, ProviderRecord.KEPT)
    records = records_visible_to(request.user).filter(outcome__in=decided, call__isnull=False)
    return get_object_or_404(records, pk=pk)


@never_cache
@require_POST
@_may_decide
def accept(request: PageRequest, pk: int) -> HttpResponse:
    """Takes over what the record says of one call."""
    record = _difference(request, pk)
    try:
        decisions.accept(record, request.user)
    except CallError as error:
        return _decided(request, pk, error.message)
    return _decided(request, pk)


@never_cache
@require_POST
@_may_decide
def keep(request: PageRequest, pk: int) -> HttpResponse:
    """Leaves our call as it is, with a sentence that says why."""
    record, form = _difference(request, pk), KeepForm(request.POST)
    if not form.is_valid():
        return _decided(request, pk, _("Say in a sentence why our times stay."))
    try:
        decisions.keep(record, request.user, form.cleaned_data["reason"])
    except CallError as error:
        return _decided(request, pk, error.message)
    return _decided(request, pk)


def _decided(request: PageRequest, pk: int, fault: str = "") -> HttpResponse:
    """The difference as it is now: its row for the page, or back to where somebody came from."""
    if not wants_part(request):
        if fault:
            messages.error(request, fault)
        return redirect(_back(request))
    row = inbox.shown(_difference(request, pk))
    context = {"row": row, "fault": fault, "may_decide": True}
    response = render(request, "reconciliation/_difference.html", context)
    response.headers["HX-Trigger-After-Settle"] = "decided"
    return response


def _back(request: PageRequest) -> str:
    """The list that the form stood in."""
    came_from = str(request.META.get("HTTP_REFERER", ""))
    if url_has_allowed_host_and_scheme(came_from, {request.get_host()}, request.is_secure()):
        return came_from
    return reverse("record_differences")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_may_decide
def accept_all(request: PageRequest) -> HttpResponse:
    """Takes over what the records say in all open differences that pass the filters of the URL,
    after their number was confirmed."""
    asked = _Asked(request)
    if asked.wrong:
        return redirect("record_differences")
    wanted = {**asked.form.cleaned_data, "state": inbox.OPEN}
    records = inbox.found(request.user, wanted, asked.period)
    if request.method == "POST":
        return _accept_all(request, records)
    count = records.count()
    context = {
        "kinds": inbox.kinds_of(records),
        "all": count,
        "count": min(count, ACCEPTED_AT_ONCE),
        "query": request.GET.urlencode(),
    }
    return render(request, "reconciliation/accept_all.html", context)


def _accept_all(request: PageRequest, records: QuerySet[ProviderRecord]) -> HttpResponse:
    keys = list(records.order_by("pk").values_list("pk", flat=True)[:ACCEPTED_AT_ONCE])
    count = decisions.accept_all(ProviderRecord.objects.filter(pk__in=keys), request.user)
    sentence = ngettext(
        "%(n)s difference was decided: the phone system’s times stand.",
        "%(n)s differences were decided: the phone system’s times stand.",
        count,
    )
    messages.success(request, sentence % {"n": whole(count)})
    return redirect("record_differences")
