"""The figures of a page: as cards, as a line of a table and that table's heads, and as plots."""

from django import template

from metrics.charts import cards, cells, marks
from metrics.dashboard.tables import SUM_COLUMNS, Column

register = template.Library()
register.simple_tag(cards.cards_of)
register.simple_tag(cards.cards_over_time)
register.simple_tag(cells.sums_cells)
register.simple_tag(marks.trend_bars)
register.simple_tag(marks.plot_bars)
register.simple_tag(marks.length_bars)
register.simple_tag(marks.heat_cells)
register.simple_tag(marks.heat_numbers)
register.simple_tag(marks.rate_whiskers)
register.simple_tag(marks.length_whiskers)


@register.simple_tag
def sum_columns() -> tuple[Column, ...]:
    return SUM_COLUMNS
