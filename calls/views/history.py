"""All calls one may see, and one call with everything that was said about it."""

import uuid
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Team, User
from accounts.requests import PageRequest
from callmanager.htmx import render_page, wants_part
from calls import ledger, services, timeline
from calls.correction import CorrectionForm
from calls.errors import CallError
from calls.filters import CallFilter, page_of_calls
from calls.forms import NoteForm
from calls.instants import now, to_ms
from calls.models import CallLog
from calls.parts import parts_of

CALLS_A_PAGE: Final = 50
FILTERS: Final = ("agent", "user_id", "team", "start_date", "end_date", "status")
PLAIN_FIELDS: Final = ("start_date", "end_date", "status")  # for everybody
CHOICE_FIELDS: Final = ("agent", "team")  # for those who see more than themselves
_may_correct = permission_required("calls.correct_calls", raise_exception=True)


@never_cache
@require_safe
def history(request: PageRequest) -> HttpResponse:
    """The calls that pass the filters of the URL, newest first, a page at a time."""
    calls = CallLog.objects.visible_to(request.user).with_people()
    found = CallFilter(request.GET, queryset=calls, viewer=request.user)
    alone = not (request.user.scope.everyone or request.user.scope.team_ids)
    context: dict[str, Any] = {
        "filter": found,
        "filtered": any(request.GET.get(name) for name in FILTERS),
        "cursor": request.GET.get("cursor", ""),
        "part": wants_part(request),
        "alone": alone,
        "fields": PLAIN_FIELDS if alone else CHOICE_FIELDS + PLAIN_FIELDS,
        "plain_fields": PLAIN_FIELDS,
    }
    context |= _rows(found, context["cursor"])
    if not (alone or context["part"]):
        context |= _choices(request.user)
    wrong = bool(found.errors or context["cursor_error"])
    # HTMX shows a part only when it comes with success.
    status = 400 if wrong and not context["part"] else 200
    return render_page(
        request, "calls/history.html", "calls/_calls_table.html", context, status=status
    )


def _rows(found: CallFilter, cursor: str) -> dict[str, Any]:
    rows: dict[str, Any] = {"calls": [], "older": "", "cursor_error": ""}
    if not found.is_valid():
        return rows
    try:
        rows["calls"], rows["older"] = page_of_calls(found.qs, cursor, CALLS_A_PAGE)
    except ValidationError as error:
        rows["cursor_error"] = error.message
    return rows


def _choices(viewer: User) -> dict[str, Any]:
    """The people and teams to choose from."""
    people = User.objects.visible_to(viewer).select_related("team")
    agents = sorted(people, key=lambda person: person.display_name.casefold())
    teams: set[Team] = {person.team for person in people if person.team is not None}
    return {"agents": agents, "teams": sorted(teams, key=lambda team: team.name.casefold())}


def visible_call(request: PageRequest, call_id: uuid.UUID) -> CallLog:
    """The call, if the person may see it; Http404 otherwise."""
    calls = CallLog.objects.visible_to(request.user).with_people()
    call = calls.filter(call_id=call_id).first()
    if call is None:
        raise Http404
    return call


@never_cache
@require_safe
def call(request: PageRequest, call_id: uuid.UUID) -> HttpResponse:
    return _show(request, visible_call(request, call_id))


def _show(
    request: PageRequest,
    shown: CallLog,
    *,
    correction: CorrectionForm | None = None,
    note: NoteForm | None = None,
    status: int = 200,
) -> HttpResponse:
    events = list(shown.events.select_related("actor"))
    state = timeline.fold(event.as_fact() for event in events)
    present = now()
    context = {
        "call": shown,
        "own": shown.user_id == request.user.pk,
        "ledger": ledger.lines(events),
        "ended_by": ledger.source_words(shown.ended_by),
        "end_reason": ledger.reason_words(shown.end_reason),
        "parts": parts_of(state, to_ms(present)),
        "elapsed_ms": shown.tracked_ms(present),
        "note": note or NoteForm(initial={"notes": shown.notes}),
        "correction": correction or _correction_of(request.user, shown),
    }
    return render_page(request, "calls/call.html", "calls/_call_facts.html", context, status=status)


def _correction_of(viewer: User, shown: CallLog) -> CorrectionForm | None:
    if shown.is_active or not viewer.has_perm("calls.correct_calls"):
        return None
    return CorrectionForm(call=shown)


@never_cache
@require_POST
def call_note(request: PageRequest, call_id: uuid.UUID) -> HttpResponse:
    """Writes the notes of an own call."""
    shown = visible_call(request, call_id)
    if shown.user_id != request.user.pk:
        raise Http404
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _show(request, shown, note=form, status=400)
    services.add_note(shown, request.user, form.cleaned_data["notes"])
    messages.success(request, _("Notes saved."))
    return redirect("call", call_id=call_id)


@never_cache
@require_POST
@_may_correct
def call_correct(request: PageRequest, call_id: uuid.UUID) -> HttpResponse:
    """Corrects a call one may see, with a reason."""
    shown = visible_call(request, call_id)
    form = CorrectionForm(request.POST, call=shown)
    if not (form.is_valid() and form.save(request.user)):
        return _show(request, shown, correction=form, status=400)
    messages.success(request, _("Corrected. The figures follow; the ledger keeps what was there."))
    return redirect("call", call_id=call_id)


@never_cache
@require_POST
@_may_correct
def call_accept(request: PageRequest, call_id: uuid.UUID) -> HttpResponse:
    """Confirms a call one may see as it stands, so that it counts."""
    shown = visible_call(request, call_id)
    try:
        services.correct_call(shown, request.user, reason=_("Confirmed as it stands."))
    except CallError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Confirmed. The call counts now."))
    return redirect("call", call_id=call_id)
