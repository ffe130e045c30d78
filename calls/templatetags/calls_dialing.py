"""How pages call a number."""

from typing import Any

from django import template

from calls.models import CallLog, DialChoice, DialLink
from calls.telephony import click_to_call

register = template.Library()


@register.simple_tag(takes_context=True)
def dial_url(context: Any, number: str) -> str:
    """The address that has the reader's own phone call `number` (E.164); "" where none does."""
    return context["dial"].url_to(number, context["user"]) if number else ""


@register.inclusion_tag("calls/_my_way.html", takes_context=True)
def my_way(context: Any) -> dict[str, Any]:
    """What the reader may choose from, and what holds without a choice."""
    user = context["user"]
    links = list(DialLink.objects.offered())
    chosen = DialChoice.objects.filter(user=user, link__in=links).first()
    return {
        "links": links,
        "chosen": chosen.link_id if chosen else None,
        "given": DialLink.objects.of(user, own=False),
        "csrf_token": context.get("csrf_token"),
    }


@register.simple_tag(takes_context=True)
def not_dialled(context: Any) -> list[tuple[CallLog, str]]:
    """The reader's calls that a phone system refused to dial just now, and why."""
    return click_to_call.refused(context["user"]) if context["dial"].dials else []
