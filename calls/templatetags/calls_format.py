"""How pages write lengths of time, rates and people."""

from functools import lru_cache

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

register = template.Library()

NOTHING = "—"


@register.filter
def clock(seconds: int | None) -> str:
    """Whole seconds as MM:SS, from one hour HH:MM:SS; a dash for what is not known."""
    if seconds is None:
        return NOTHING
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


@register.filter
def duration_words(seconds: int | None) -> str:
    """Whole seconds as a total is read: `2 h 05 min`, `12 min 30 s`, `45 s`; on one line."""
    return NOTHING if seconds is None else _in_units(seconds).replace(" ", "\N{NO-BREAK SPACE}")


def _in_units(seconds: int) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return _("%(hours)d h %(minutes)02d min") % {"hours": hours, "minutes": minutes_left}
    if minutes:
        return _("%(minutes)d min %(seconds)02d s") % {"minutes": minutes, "seconds": rest}
    return _("%(seconds)d s") % {"seconds": rest}


@register.filter
def percent(value: float | None) -> str:
    """A rate of 0 to 100 with one decimal, as the reader's language writes it."""
    if value is None:
        return NOTHING
    return _percent(round(value, 1), get_language())


@lru_cache(maxsize=1024)
def _percent(value: float, language: str | None) -> str:
    return _("%(number)s%%") % {"number": decimal(value)}


@register.filter
def whole(number: int | None) -> str:
    """A count, its thousands apart as the reader's language writes them."""
    if number is None:
        return NOTHING
    # No language has a sign in such a number.
    is_short = type(number) is int and 0 <= number < 1000
    return str(number) if is_short else _grouped(number, 0, get_language())


@register.filter
def decimal(number: float | None) -> str:
    """A number with one decimal, likewise."""
    # Rounded first: number_format cuts.
    return NOTHING if number is None else _grouped(round(number, 1), 1, get_language())


@lru_cache(maxsize=8192)
def _grouped(number: float, decimals: int, language: str | None) -> str:
    """Kept: a page has hundreds of numbers, and most of them stood on the last one."""
    return number_format(number, decimals, force_grouping=True)


@register.filter
def parts(sentence: str) -> SafeString:
    """What stands between the dots of `sentence`, each part as one: lines break between them."""
    return format_html_join(" · ", "<span>{}</span>", ((part,) for part in sentence.split(" · ")))


@register.filter
def initials(name: str | None) -> str:
    """Up to two letters for an avatar: of the first and of the last word."""
    words = [word for word in str(name or "").split() if word[0].isalnum()]
    return "".join(word[0] for word in [*words[:1], *words[1:][-1:]]).upper()
