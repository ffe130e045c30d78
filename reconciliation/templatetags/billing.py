"""How the bill writes amounts."""

from decimal import ROUND_HALF_UP, Decimal

from django import template
from django.utils import formats

register = template.Library()
_CENT = Decimal("0.01")


@register.filter
def money(amount: Decimal) -> str:
    """With two decimals and groups of thousands, as the reader writes them."""
    rounded = amount.quantize(_CENT, ROUND_HALF_UP)
    return formats.number_format(rounded, 2, use_l10n=True, force_grouping=True)


@register.filter
def signed_money(amount: Decimal) -> str:
    """The same with its sign, as of a difference; a dash where there is none."""
    rounded = amount.quantize(_CENT, ROUND_HALF_UP)
    if not rounded:
        return "–"
    return ("+" if rounded > 0 else "−") + money(abs(rounded))


@register.filter
def signed(number: int) -> str:
    if not number:
        return "–"
    return ("+" if number > 0 else "−") + formats.number_format(abs(number), force_grouping=True)


@register.filter
def price(amount: str) -> str:
    """A rate's own decimals: 0.0085."""
    return formats.number_format(Decimal(amount), use_l10n=True)
