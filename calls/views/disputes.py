"""Disputes: an agent's word against the record of a call, and the decision on it."""

import uuid
from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import roles
from accounts.requests import PageRequest
from calls.errors import CallConflict, CallError
from calls.forms.dispute import DecisionForm, DisputeForm
from calls.history.disputes import told_to
from calls.models import CallDispute
from calls.services.disputes import decide, dispute
from calls.views.history import show_call, visible_call
from common.htmx import render_page

MOST_OPEN: Final = 100
MOST_DECIDED: Final = 20


@never_cache
@require_safe
def disputes(request: PageRequest) -> HttpResponse:
    """The disputes that are open among the calls one may see, and those decided lately."""
    visible = CallDispute.objects.visible_to(request.user)
    waiting = told_to(request.user, visible.open().order_by("opened_at"), MOST_OPEN + 1)
    decided = visible.exclude(state=CallDispute.OPEN).order_by("-decided_at", "-pk")
    context = {
        "waiting": waiting[:MOST_OPEN],
        "more": len(waiting) > MOST_OPEN,
        "decided": told_to(request.user, decided, MOST_DECIDED),
        "may_decide": request.user.has_perm(roles.CORRECT_CALLS),
    }
    return render_page(request, "calls/disputes.html", "calls/_disputes.html", context)


@never_cache
@require_POST
def call_dispute(request: PageRequest, call_id: uuid.UUID) -> HttpResponse:
    """Disputes a call of one's own."""
    shown = visible_call(request, call_id)
    if shown.user_id != request.user.pk:
        raise Http404
    form = DisputeForm(request.POST)
    if not form.is_valid():
        return show_call(request, shown, dispute=form, status=400)
    try:
        dispute(shown, request.user, form.cleaned_data["reason"])
    except CallError as error:
        return _refused(request, call_id, error)
    messages.success(request, _("Disputed. Whoever may correct the call has been told."))
    return redirect("call", call_id=call_id)


@never_cache
@require_POST
@permission_required(roles.CORRECT_CALLS, raise_exception=True)
def call_decide(request: PageRequest, call_id: uuid.UUID) -> HttpResponse:
    """Decides the open dispute of a call one may see; upheld, its times may be corrected."""
    shown = visible_call(request, call_id)
    disputed = shown.disputes.open().first() or shown.disputes.first()
    if disputed is None:
        raise Http404
    form = DecisionForm(request.POST, call=shown)
    if not form.is_valid():
        return show_call(request, shown, decision=form, status=400)
    changes = form.changes if form.upholds else {}
    try:
        said = form.cleaned_data["reason"]
        decide(disputed, request.user, upheld=form.upholds, said=said, **changes)
    except CallConflict as error:
        return _refused(request, call_id, error)
    except CallError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return show_call(request, shown, decision=form, status=400)
    messages.success(request, _("Decided. The agent has been told."))
    return redirect("call", call_id=call_id)


def _refused(request: PageRequest, call_id: uuid.UUID, error: CallError) -> HttpResponse:
    """The page as it now is, with what was wrong: nothing was changed."""
    messages.error(request, error.message)
    status = 409 if isinstance(error, CallConflict) else 400
    return show_call(request, visible_call(request, call_id), status=status)
