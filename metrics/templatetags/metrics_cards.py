"""The figures of a page: as cards, as a line of a table, and that table's heads."""

from django import template

from metrics.charts import cards
from metrics.dashboard.tables import SUM_COLUMNS, Column

register = template.Library()
register.simple_tag(cards.cards_of)
register.simple_tag(cards.cards_over_time)
register.simple_tag(cards.cells_of)


@register.simple_tag
def sum_columns() -> tuple[Column, ...]:
    return SUM_COLUMNS
