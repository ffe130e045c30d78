"""The agent's desk: whom to call, what is running, and every button of a running call."""

import datetime as dt
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from accounts.requests import PageRequest
from calls import services
from calls.active_calls import KEPT, current_context, forget, running_calls, shown_at
from calls.errors import CallConflict, CallError, CallNotFound
from calls.forms.desk import ClickForm, DispositionForm, EndForm, StartForm, checked
from calls.models import CallLog, Contact, DialLink, Disposition
from calls.services import wrap_up
from calls.telephony import click_to_call
from calls.templatetags.calls_format import clock
from common.htmx import DONE, REFUSED, render_page, say_of_click
from common.instants import arrival_of, now, to_ms
from common.phones import digits_of, line_of, to_e164

SHOWN_CONTACTS: Final = 20
_STATUS_OF: Final = {CallConflict: 409, CallNotFound: 404}
_may_track = permission_required("calls.track_calls", raise_exception=True)


def contact_results(request: PageRequest) -> dict[str, Any]:
    """Context of the search: the first contacts that match, and a typed number that none has."""
    query = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    matching = Contact.objects.visible_to(request.user).search(query)
    found = list(matching.prefetch_related("numbers")[: SHOWN_CONTACTS + 1])
    number = to_e164(query) if digits_of(query) else ""
    return {
        "query": query,
        "contacts": found[:SHOWN_CONTACTS],
        "more_contacts": len(found) > SHOWN_CONTACTS,
        "number": "" if number and matching.on_line(line_of(number)).exists() else number,
    }


@require_safe
@_may_track
def contacts(request: PageRequest) -> HttpResponse:
    context = {
        "search": contact_results(request),
        "running": running_calls(request),
        "at_ms": to_ms(shown_at(request)),
    }
    return render_page(request, "calls/contacts.html", "calls/_contacts.html", context)


@never_cache
@require_safe
@_may_track
def current_calls(request: PageRequest) -> HttpResponse:
    context = current_context(request)
    return render_page(request, "calls/current_calls.html", "calls/_current_calls.html", context)


def unconfirmed_calls(request: PageRequest) -> list[CallLog]:
    """Own calls that were closed for want of a sign of life, newest first.

    `may_run`: it began so lately that the person may still be talking.
    """
    lately = now() - dt.timedelta(seconds=settings.MAX_CALL_SECONDS)
    calls = CallLog.objects.own(request.user).unconfirmed().select_related("contact")
    calls = calls.annotate(may_run=ExpressionWrapper(Q(start_time__gt=lately), BooleanField()))
    return list(calls.order_by("-start_time")[:100])


@never_cache
@require_safe
@_may_track
def unconfirmed(request: PageRequest) -> HttpResponse:
    context = {"unconfirmed": unconfirmed_calls(request)}
    return render_page(request, "calls/unconfirmed.html", "calls/_unconfirmed.html", context)


def button(action: Callable[..., str]) -> Callable[..., HttpResponse]:
    """A view for a button of the desk: a POST; what the services refuse becomes a notice.

    Answers the running calls as they now are; without script, goes back to the desk.
    """

    @wraps(action)
    def view(request: PageRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            sentence = action(request, *args, **kwargs)
        except CallError as error:
            return _answer(request, error.message, "bad", _STATUS_OF.get(type(error), 400))
        if not request.htmx:
            messages.success(request, sentence)
            return redirect("desk")
        return _answer(request, sentence, "good", 200)

    return never_cache(require_POST(_may_track(view)))


def _answer(request: PageRequest, sentence: str, level: str, status: int) -> HttpResponse:
    forget(request)
    context = current_context(request) | {
        "notice": sentence,
        "notice_level": level,
        "beside": True,  # the timer and the notice travel with the fragment
    }
    page, partial = "calls/current_calls.html", "calls/_current_calls.html"
    response = render_page(request, page, partial, context, status=status)
    response.headers["X-Part"] = "current_calls"
    say_of_click(response, DONE if level == "good" else REFUSED)
    return trigger_client_event(response, "own-calls")


@button
def start(request: PageRequest) -> str:
    form = checked(StartForm(request.POST))
    call, made = services.start_call(
        request.user,
        contact=_contact(request, form.cleaned_data["contact"]),
        contact_phone=form.cleaned_data["phone"],
        call_id=form.cleaned_data["call_id"],
        reported=form.reported(arrival_of(request)),
    )
    link = DialLink.objects.of(request.user)
    if made and link.dials:
        click_to_call.place(call, request.user, link)
        return _("%(name)s is asked to call %(who)s.") % {"name": link.title, "who": _name(call)}
    return _("Call to %(who)s started.") % {"who": _name(call)}


def _name(call: CallLog) -> str:
    return call.who or _("an unknown number")


def _contact(request: PageRequest, pk: int | None) -> Contact | None:
    if pk is None:
        return None
    contact = Contact.objects.visible_to(request.user).filter(pk=pk).first()
    if contact is None:
        raise CallNotFound(_("This contact is gone or is not yours. No call was started."))
    return contact


def ended(request: PageRequest, call_id: uuid.UUID) -> CallLog:
    """Ends the call as the form says. What is told of it is a matter of figures (metrics)."""
    form = checked(EndForm(request.POST))
    try:
        return services.end_call(
            call_id,
            request.user,
            status=form.cleaned_data["status"],
            notes=form.cleaned_data["notes"],
            disposition=form.cleaned_data["disposition"],
            wrap_up=True,
            reported=form.reported(arrival_of(request)),
        )
    except CallConflict as error:
        raise _already_ended(request, call_id) from error


def _already_ended(request: PageRequest, call_id: uuid.UUID) -> CallConflict:
    status = _own(request, call_id).get_status_display()
    return CallConflict(
        _("This call had already ended elsewhere as “%(status)s”. Nothing was changed.")
        % {"status": status}
    )


@button
def step(request: PageRequest, call_id: uuid.UUID, action: str) -> str:
    if action not in services.STEPS:
        raise Http404
    form = checked(ClickForm(request.POST))
    try:
        call = services.step(
            call_id, request.user, action, reported=form.reported(arrival_of(request))
        )
    except CallConflict as error:
        raise _already_ended(request, call_id) from error
    said = {
        "answer": _("Answered: %(who)s."),
        "hold": _("On hold: %(who)s."),
        "resume": _("Taken off hold: %(who)s."),
        "pause": _("Paused: %(who)s."),
        "unpause": _("Continued: %(who)s."),
    }
    return said[action] % {"who": _name(call)}


@button
def ready(request: PageRequest, call_id: uuid.UUID) -> str:
    """Done with what followed the call."""
    form = checked(ClickForm(request.POST))
    call = wrap_up.ready(call_id, request.user, reported=form.reported(arrival_of(request)))
    return _("Ready, after %(length)s of wrap-up.") % {"length": clock(call.wrap_up_seconds)}


@button
def disposition(request: PageRequest, call_id: uuid.UUID) -> str:
    """Says what came of one of the person's own calls."""
    form = checked(DispositionForm(request.POST))
    call = wrap_up.set_disposition(
        _own(request, call_id), request.user, form.cleaned_data["disposition"]
    )
    outcome = Disposition.objects.filter(code=call.disposition).first()
    if outcome is None:
        return _("The outcome was taken back.")
    return _("Outcome: %(outcome)s.") % {"outcome": outcome.label}


@button
def keep(request: PageRequest, call_id: uuid.UUID) -> str:
    """Both calls go on: do not ask about this one again."""
    call = _own(request, call_id)
    running = [shown.call.pk for shown in running_calls(request)]
    if call.pk not in running:
        raise CallNotFound(_("There is no such call among yours."))
    kept = [*request.session.get(KEPT, ()), call.pk]
    request.session[KEPT] = [known for known in kept if known in running]
    return _("Both calls go on.")


@button
def confirm(request: PageRequest, call_id: uuid.UUID) -> str:
    """One of the person's own calls, closed by estimate: it did end then."""
    call = _own(request, call_id)
    services.correct_call(call, request.user, reason=_("Confirmed by the agent as it stands."))
    return _("Confirmed. The call counts now.")


def _own(request: PageRequest, call_id: uuid.UUID) -> CallLog:
    call = CallLog.objects.own(request.user).known_as(call_id)
    if call is None:
        raise CallNotFound(_("There is no such call among yours."))
    call.user = request.user
    return call
