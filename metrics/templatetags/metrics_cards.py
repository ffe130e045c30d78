"""The six figures of a page as cards."""

from django import template

from metrics.charts import cards

register = template.Library()
register.simple_tag(cards.cards_of)
register.simple_tag(cards.cards_over_time)
