"""Contacts on pages of calls: the way to their page, and a name for a number that nobody knew."""

from typing import Any

from django import template
from django.urls import reverse

from calls.models import CallLog, Contact, NumberKind

register = template.Library()


@register.simple_tag(takes_context=True)
def contact_url(context: Any, contact: Contact | None) -> str:
    """The address of the contact's page; "" for none, and for one that is not the reader's."""
    if contact is None or not contact.is_visible_to(context["user"]):
        return ""
    return reverse("contact", args=[contact.pk])


@register.inclusion_tag("calls/_save_number.html", takes_context=True)
def save_number(context: Any, call: CallLog, place: str) -> dict[str, Any]:
    """The form that makes a contact of the call's number; nothing where there is none to make.

    `place` is where on a page it stands; from "page", the call's own, it leads back there, and the
    desk sends it from all others.
    """
    on_desk = place != "page"
    return {
        "call": call,
        "place": place,
        "offered": call.contact_id is None and call.phone_line and call.user_id is not None,
        "on_desk": on_desk,
        "action": reverse("call_save_number" if on_desk else "call_contact", args=[call.call_id]),
        "kinds": NumberKind.choices,
        "csrf_token": context.get("csrf_token"),
    }
