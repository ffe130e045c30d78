"""A contact is changed, merged with another, deleted; a number becomes a contact."""

import uuid
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.requests import PageRequest
from calls.errors import CallError
from calls.forms.contacts import ContactForm, SaveNumberForm
from calls.forms.desk import checked
from calls.models import CallLog, Contact
from calls.services import contacts
from calls.views.desk import button
from calls.views.history import visible_call

_MOST_FOUND: Final = 20
_may_track = permission_required("calls.track_calls", raise_exception=True)


def _to_change(request: PageRequest, pk: int) -> Contact:
    """The contact. Http404 where it is not the person's to see, PermissionDenied where it is
    shared and so not theirs to change."""
    contact = get_object_or_404(Contact.objects.visible_to(request.user), pk=pk)
    if not contact.is_editable_by(request.user):
        raise PermissionDenied
    return contact


def _door(view: Any) -> Any:
    return never_cache(require_http_methods(["GET", "HEAD", "POST"])(_may_track(view)))


@_door
def contact_edit(request: PageRequest, pk: int) -> HttpResponse:
    """Its name, company, notes and numbers, and who may see it."""
    contact = _to_change(request, pk)
    sent = request.POST if request.method == "POST" else None
    if sent and "more" in sent:
        form = ContactForm(contact=contact, viewer=request.user, typed=sent)
    else:
        form = ContactForm(sent, contact=contact, viewer=request.user)
        if form.is_valid():
            contacts.save_contact(form.filled(), form.numbers)
            messages.success(request, _("Saved."))
            return redirect("contact", pk=pk)
    context = {"contact": contact, "form": form}
    status = 400 if form.errors else 200
    return render(request, "calls/contact_edit.html", context, status=status)


@_door
def contact_merge(request: PageRequest, pk: int) -> HttpResponse:
    """Makes one of two contacts that the person may change: chosen, looked at, done."""
    contact = _to_change(request, pk)
    chosen = request.POST.get("other") or request.GET.get("other") or ""
    other = _other(request, contact, chosen)
    if request.method == "POST" and other is not None:
        try:
            contacts.merge(contact, other)
        except CallError as error:
            messages.error(request, error.message)
            return redirect("contact", pk=pk)
        said = _("%(other)s and %(name)s are one contact now.")
        messages.success(request, said % {"other": other.name, "name": contact.name})
        return redirect("contact", pk=pk)
    query = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    context: dict[str, Any] = {"contact": contact, "other": other, "query": query}
    if other is None:
        context |= {"found": _candidates(request, contact, query), "gone": bool(chosen)}
    return render(
        request, "calls/contact_merge.html", context, status=400 if context.get("gone") else 200
    )


def _other(request: PageRequest, contact: Contact, chosen: str) -> Contact | None:
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 19):
        return None
    others = Contact.objects.editable_by(request.user).exclude(pk=contact.pk)
    return others.prefetch_related("numbers").filter(pk=int(chosen)).first()


def _candidates(request: PageRequest, contact: Contact, query: str) -> list[Contact]:
    """Those that the search finds; without one, those who seem to be the same person."""
    others = Contact.objects.editable_by(request.user).exclude(pk=contact.pk)
    if query:
        return list(others.search(query)[:_MOST_FOUND])
    lines = [number.line for number in contact.numbers.all()]
    same = others.filter(name_key=contact.name_key) | others.filter(numbers__line__in=lines)
    return list(same.distinct()[:_MOST_FOUND])


@_door
def contact_delete(request: PageRequest, pk: int) -> HttpResponse:
    """Deletes the contact, once it is confirmed; its calls stay."""
    contact = _to_change(request, pk)
    if request.method == "POST":
        contact.delete()
        messages.success(request, _("%(name)s was deleted.") % {"name": contact.name})
        return redirect("contacts")
    calls = contact.calls.count()
    return render(request, "calls/contact_delete.html", {"contact": contact, "calls": calls})


def _saved(request: PageRequest, call: CallLog) -> str:
    """Saves the number of `call`; the sentence about it. Raises CallError."""
    wanted = checked(SaveNumberForm(request.POST)).cleaned_data
    contact = contacts.save_number(
        call, request.user, wanted["name"], wanted["company"], wanted["kind"]
    )
    if contact.name != wanted["name"]:
        return _("This number is %(name)s’s already; the calls say so now.") % {
            "name": contact.name
        }
    return _("%(name)s is a contact now; the earlier calls say so, too.") % {"name": contact.name}


@button
def save_number_on_desk(request: PageRequest, call_id: uuid.UUID) -> str:
    """The number of one of the calls that the person sees on the desk becomes a contact."""
    return _saved(request, _call_to_name(request, call_id))


def _call_to_name(request: PageRequest, call_id: uuid.UUID) -> CallLog:
    """One's own call, or one that the person may correct."""
    call = visible_call(request, call_id)
    if call.user_id != request.user.pk and not request.user.has_perm("calls.correct_calls"):
        raise Http404
    return call


@_door
def save_number(request: PageRequest, call_id: uuid.UUID) -> HttpResponse:
    """The same from the page of the call, and back there."""
    call = _call_to_name(request, call_id)
    if request.method == "POST":
        try:
            messages.success(request, _saved(request, call))
        except CallError as error:
            messages.error(request, error.message)
    return redirect("call", call_id=call_id)
