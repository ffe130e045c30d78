"""How pages call a number."""

from typing import Any, NamedTuple

from django import template

from calls.models import CallLog, Contact, ContactNumber, DialChoice, DialLink
from calls.telephony import click_to_call
from common.phones import pretty, typed_digits
from common.text import folded

register = template.Library()


@register.simple_tag(takes_context=True)
def dial_url(context: Any, number: str) -> str:
    """The address that has the reader's own phone call `number` (E.164); "" where none does."""
    return context["dial"].url_to(number, context["user"]) if number else ""


class Offered(NamedTuple):
    """What a click on a contact calls (E.164), and the numbers beside it."""

    number: str
    others: list[ContactNumber]

    @property
    def pretty(self) -> str:
        return pretty(self.number)


@register.simple_tag
def offered(contact: Contact, query: str) -> Offered:
    """The preferred number of `contact`; where a number was searched for, the first that has it."""
    numbers = list(contact.numbers.all())
    by_name = any(map(str.isalpha, query)) or folded(query) in contact.folded
    digits = [] if by_name else typed_digits(query)
    found = (n for n in numbers if any(some in n.line for some in digits))
    called = next(found, numbers[0] if numbers else None)
    return Offered(called.number if called else contact.phone, [n for n in numbers if n != called])


@register.inclusion_tag("calls/_my_way.html", takes_context=True)
def my_way(context: Any) -> dict[str, Any]:
    """What the reader may choose from, and what holds without a choice."""
    user = context["user"]
    links = list(DialLink.objects.offered(user))
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
