"""The grades of evidence, for whoever explains them."""

from django import template

from calls.models.evidence import GRADES, Grade

register = template.Library()


@register.simple_tag
def grades() -> tuple[Grade, ...]:
    return GRADES
