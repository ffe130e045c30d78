"""What pages say of a rule."""

from typing import Any

from django import template

from notifications.models import Rule
from notifications.models.rules import Kind
from notifications.rules.kinds import is_watched, sentence_of_rule

register = template.Library()

register.filter("sentence_of_rule", sentence_of_rule)
register.filter("is_watched", is_watched)


@register.filter
def tells_nobody(rule: Rule) -> bool:
    """Whether all whom it told have gone."""
    tells = rule.tell_agent or rule.tell_supervisors or rule.tell_administrators
    return not (tells or rule.people.all() or rule.channels.all())


@register.filter
def kind_label(kind: Any) -> str:
    label = str(Kind(kind).label)
    return label[:1].upper() + label[1:]
