"""All calls one may see, and one call with everything that was said about it."""

import uuid
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.people import people_of
from accounts.requests import PageRequest
from calls import services, timeline
from calls.errors import CallError
from calls.forms.correction import CorrectionForm
from calls.forms.desk import DispositionForm, NoteForm, checked
from calls.forms.dispute import DecisionForm, DisputeForm
from calls.history import ledger_lines
from calls.history.columns import COLUMNS, columns_of, default_on_pages, outcome_labels
from calls.history.disputes import ToldDispute, disputes_of, marked
from calls.history.filters import CallFilter, sees_only_self
from calls.history.pagination import page_of_calls
from calls.history.segments import segments_of
from calls.models import CallLog, Disposition
from calls.services import wrap_up
from common.databases.query_timeout import TookTooLong, patience
from common.htmx import render_page, wants_part
from common.instants import now, to_ms
from common.periods import PARAMETERS
from common.text import name_key

CALLS_A_PAGE: Final = 50
PATIENCE_SECONDS: Final = 5  # a filter that few calls pass may mean looking at all of them
PLAIN_FIELDS: Final = ("status",)  # for everybody
DAY_FIELDS: Final = ("start_date", "end_date")  # of older links; the period bar says it otherwise
CHOICE_FIELDS: Final = ("agent", "team")  # for those who see more than themselves
MORE_FIELDS: Final = ("direction", "min_duration", "max_duration", "evidence", "disputed")
VALUE_FIELDS: Final = ("disposition", "provider")  # chosen from what there is
_may_correct = permission_required("calls.correct_calls", raise_exception=True)


@never_cache
@require_safe
def history(request: PageRequest) -> HttpResponse:
    """The calls that pass the filters of the URL, newest first, a page at a time."""
    calls = marked(CallLog.objects.visible_to(request.user).with_people())
    found = CallFilter(request.GET, queryset=calls, viewer=request.user)
    alone = sees_only_self(request.user)
    shown = () if alone else CHOICE_FIELDS
    days = DAY_FIELDS if any(request.GET.get(name) for name in DAY_FIELDS) else ()
    context: dict[str, Any] = {
        "filter": found,
        "filtered": any(request.GET.get(name) for name in found.filters),
        "agent": _agent_asked_for(found),
        "cursor": request.GET.get("cursor", ""),
        "part": wants_part(request),
        "alone": alone,
        "fields": ("search", *shown, *days, *PLAIN_FIELDS, *MORE_FIELDS, *VALUE_FIELDS),
        "active": sum(
            bool(request.GET.get(name))
            for name in (*shown, *days, *PLAIN_FIELDS, *MORE_FIELDS, *VALUE_FIELDS)
        ),
        "plain_fields": (*days, *PLAIN_FIELDS),
        "period": found.asked_period if found.is_valid() else None,
        "period_error": found.period_error,
        "period_fields": {n: request.GET[n] for n in PARAMETERS if request.GET.get(n)},
        "more_fields": MORE_FIELDS,
        "statement_query": _statement_query(found),
    }
    context |= _columns(request, alone) | _rows(found, context["cursor"])
    if not context["part"]:
        context |= _values(request) | ({} if alone else _choices(request.user))
    wrong = bool(found.errors or context["cursor_error"] or context["columns_error"])
    # HTMX shows a part only when it comes with success.
    status = 400 if wrong and not context["part"] else 200
    return render_page(
        request, "calls/history.html", "calls/_calls_table.html", context, status=status
    )


def _statement_query(found: CallFilter) -> str:
    """A statement of the period, and of the person or team, that the filter is about; "" where it
    asks for no period."""
    if not found.is_valid() or (period := found.asked_period) is None:
        return ""
    team = found.form.cleaned_data.get("team")
    whose = {"team": str(team)} if team else {}
    if found.persons and (person := found.persons[-1]) is not None:
        whose = {"agent": str(person.pk)}
    return urlencode(whose | period.parameters)


def _agent_asked_for(found: CallFilter) -> str | None:
    """The user name that the filter means, however the URL writes it; else what it says."""
    if found.is_valid() and found.persons and (person := found.persons[-1]) is not None:
        return person.username
    form = found.form
    asked: str | None = form["agent"].value() or form["user_id"].value()
    return asked


def _columns(request: PageRequest, alone: bool) -> dict[str, Any]:
    default = default_on_pages(alone)
    context: dict[str, Any] = {"columns_error": "", "all_columns": COLUMNS.values()}
    try:
        context["columns"] = columns_of(request.GET.getlist("columns"), default)
    except ValidationError as error:
        context |= {"columns_error": error.message, "columns": columns_of([], default)}
    names = [column.name for column in context["columns"]]
    return context | {
        "chosen": names,
        "columns_query": ",".join(names),
        "columns_changed": tuple(names) != default,
    }


def _rows(found: CallFilter, cursor: str) -> dict[str, Any]:
    rows: dict[str, Any] = {"calls": [], "older": "", "cursor_error": "", "too_slow": False}
    if not found.is_valid():
        return rows
    try:
        with patience(PATIENCE_SECONDS):
            rows["calls"], rows["older"] = page_of_calls(found.qs, cursor, CALLS_A_PAGE)
    except ValidationError as error:
        rows["cursor_error"] = error.message
    except TookTooLong:
        rows["too_slow"] = True
    return rows


def _choices(viewer: User) -> dict[str, list[tuple[str, str]]]:
    """The people and teams to choose from, as the URL says them and by name."""
    people = people_of(User.objects.visible_to(viewer))
    agents = [(person.username, person.display_name) for person in people]
    teams = {(str(person.team_id), person.team) for person in people if person.team_id is not None}
    return {"agents": _by_name(agents), "teams": _by_name(teams)}


def _by_name(choices: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(choices, key=lambda choice: (name_key(choice[1]), choice))


def _values(request: PageRequest) -> dict[str, Any]:
    """Outcomes and providers to choose from; what the URL says is always among them."""
    values: dict[str, list[tuple[str, str]]] = {}
    words = outcome_labels()
    for field, used in CallLog.objects.values_in_use().items():
        known = {*used, request.GET.get(field, "")} - {""}
        values[f"{field}s"] = _by_name((value, words.get(value, value)) for value in known)
    more = (*MORE_FIELDS, "disposition", "provider")
    return {**values, "more_open": any(request.GET.get(name) for name in more)}


def visible_call(request: PageRequest, call_id: uuid.UUID) -> CallLog:
    """The call, if the person may see it; Http404 otherwise."""
    calls = CallLog.objects.visible_to(request.user).with_people()
    call = calls.known_as(call_id)
    if call is None:
        raise Http404
    return call


@never_cache
@require_safe
def call(request: PageRequest, call_id: uuid.UUID) -> HttpResponse:
    return show_call(request, visible_call(request, call_id))


def show_call(
    request: PageRequest,
    shown: CallLog,
    *,
    correction: CorrectionForm | None = None,
    note: NoteForm | None = None,
    dispute: DisputeForm | None = None,
    decision: DecisionForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of `shown`, which the reader may see; a form that was not valid comes back."""
    events = list(shown.ledger().select_related("actor"))
    state = timeline.fold(event.as_fact() for event in events)
    present = now()
    disputes = disputes_of(shown, events)
    open_one = next((one for one in disputes if one.dispute.is_open), None)
    context = {
        "call": shown,
        "disputes": disputes,
        "open_dispute": open_one,
        "dispute": dispute or _dispute_of(request.user, shown, open_one),
        "decision": open_one and (decision or _decision_of(request.user, shown)),
        "own": shown.user_id == request.user.pk,
        "may_note": _may_note(request.user, shown),
        "lacks": [ledger_lines.LACKS[name] for name in shown.lacks],
        "ledger": ledger_lines.lines(events),
        "ended_by": ledger_lines.source_words(shown.ended_by),
        "end_reason": ledger_lines.reason_words(shown.end_reason),
        "outcome": ledger_lines.outcome_words(shown.disposition),
        "outcomes": Disposition.objects.offered_to(shown.user)
        if shown.end_time and shown.user
        else (),
        "parts": segments_of(state, to_ms(present)),
        "elapsed_ms": shown.tracked_ms(present),
        "at_ms": to_ms(present),
        "note": note or NoteForm(initial={"notes": shown.notes}),
        "correction": None if open_one else correction or _correction_of(request.user, shown),
    }
    return render_page(request, "calls/call.html", "calls/_call_facts.html", context, status=status)


def _may_note(viewer: User, shown: CallLog) -> bool:
    """Notes are written anew as a whole: not by whoever cannot read what is there."""
    return shown.user_id == viewer.pk and "notes" not in shown.hidden


def _correction_of(viewer: User, shown: CallLog) -> CorrectionForm | None:
    if shown.is_active or not viewer.has_perm("calls.correct_calls"):
        return None
    return CorrectionForm(call=shown)


def _dispute_of(viewer: User, shown: CallLog, open_one: ToldDispute | None) -> DisputeForm | None:
    if shown.is_active or shown.user_id != viewer.pk or open_one:
        return None
    return DisputeForm()


def _decision_of(viewer: User, shown: CallLog) -> DecisionForm | None:
    return DecisionForm(call=shown) if viewer.has_perm("calls.correct_calls") else None


@never_cache
@require_POST
def call_note(request: PageRequest, call_id: uuid.UUID) -> HttpResponse:
    """Writes the notes of one of the person's own calls."""
    shown = visible_call(request, call_id)
    if not _may_note(request.user, shown):
        raise Http404
    form = NoteForm(request.POST)
    if not form.is_valid():
        return show_call(request, shown, note=form, status=400)
    services.add_note(shown, request.user, form.cleaned_data["notes"])
    messages.success(request, _("Notes saved."))
    return redirect("call", call_id=call_id)


@never_cache
@require_POST
def call_outcome(request: PageRequest, call_id: uuid.UUID) -> HttpResponse:
    """Says what came of the person's own call, or of one that the person may correct."""
    shown = visible_call(request, call_id)
    if shown.user_id != request.user.pk and not request.user.has_perm("calls.correct_calls"):
        raise Http404
    form = DispositionForm(request.POST)
    try:
        code = checked(form).cleaned_data["disposition"]
        wrap_up.set_disposition(shown, request.user, code)
    except CallError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Outcome saved."))
    return redirect("call", call_id=call_id)


@never_cache
@require_POST
@_may_correct
def call_correct(request: PageRequest, call_id: uuid.UUID) -> HttpResponse:
    """Corrects a call one may see, with a reason."""
    shown = visible_call(request, call_id)
    form = CorrectionForm(request.POST, call=shown)
    if not (form.is_valid() and form.save(request.user)):
        return show_call(request, shown, correction=form, status=400)
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
