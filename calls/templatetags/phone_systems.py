"""What phone systems ask of administrators."""

from typing import Any

from django import template

from accounts import roles
from calls.telephony.health import Asked, asked_of_administrators

register = template.Library()


@register.simple_tag(takes_context=True)
def asked_of_me(context: Any) -> Asked | None:
    """What an administrator must hear of; nothing for anybody else."""
    may = context["request"].user.has_perm(roles.USE_ADMIN)
    return asked_of_administrators() if may else None
