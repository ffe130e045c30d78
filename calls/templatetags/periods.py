"""The period bar, which any page about calls or figures may show, and how periods are written."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from django import template
from django.http import HttpRequest, QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from calls.models import CallLog
from common.formats import period_words
from common.formats.dates import long_day, time_of_day
from common.instants import local_day, local_now
from common.periods import LABELS, PARAMETERS, RANGE, Period, PeriodError, between, period_of

register = template.Library()
_LEFT_OUT: Final = (*PARAMETERS, "cursor")  # a place in a list belongs to its period


@dataclass(frozen=True)
class Choice:
    """A named period to go to."""

    label: str | Promise
    query: str
    chosen: bool


@register.inclusion_tag("calls/_period_bar.html", takes_context=True)
def period_bar(
    context: dict[str, Any],
    period: Period | None,
    error: PeriodError | None = None,
    all_time: bool = False,
    part: str = "",
    part_url: str = "",
) -> dict[str, Any]:
    """The bar for the page of this request; all else that its URL says is kept. With `all_time`
    the page may also be about no period at all. The page is fetched again as a whole, or only its
    `part` (an id) from `part_url`, which is the page's own where that is left out."""
    request: HttpRequest = context["request"]
    kept = request.GET.copy()
    for name in _LEFT_OUT:
        kept.pop(name, None)
    chosen = period.name if period is not None else ""
    none = [Choice(_("All time"), kept.urlencode(), not chosen and error is None)]
    return {
        "request": request,
        "csrf_token": context.get("csrf_token"),
        "path": request.path,
        "query": request.GET.urlencode(),
        "period": period,
        "error": error,
        "part": part,
        "part_url": part_url or request.get_full_path(),
        "chosen": _chosen(period, all_time and error is None),
        "choices": [
            *(none if all_time else []),
            *(
                Choice(label, _with(kept, period=name), name == chosen)
                for name, label in LABELS.items()
                if name != RANGE
            ),
        ],
        "kept": [(name, value) for name, values in kept.lists() for value in values],
        "range_chosen": chosen == RANGE,
        "first": period.first.isoformat() if period else request.GET.get("from", ""),
        "last": period.last.isoformat() if period else request.GET.get("to", ""),
    }


def _chosen(period: Period | None, all_time: bool) -> str | Promise:
    """What the line of a small screen says."""
    if period is None:
        return _("All time") if all_time else _("Choose a period")
    return period.label


def _with(query: QueryDict, **parameters: str) -> str:
    query = query.copy()
    query.update(parameters)
    return query.urlencode()


@register.simple_tag
def days(first: dt.date, last: dt.date) -> str:
    """One local day, or from one to another, as the reader's language writes them."""
    if first == last:
        return long_day(first)
    return _("%(first)s to %(last)s") % {"first": long_day(first), "last": long_day(last)}


@register.filter
def short_days(period: Period) -> str:
    """The period's days with numbers: `23/11/2026 – 25/11/2026`."""
    return period_words.short_days(period.first, period.last)


@register.filter
def compared_with(period: Period) -> str:
    """What the period is compared with: `vs. yesterday until 10:40`."""
    return period_words.compared_with(period)


@register.filter
def since(instant: dt.datetime) -> str:
    """From when on, as the organisation's clocks show it."""
    return _("since %(time)s") % {"time": time_of_day(instant)}


@register.simple_tag(takes_context=True)
def call_period(context: dict[str, Any], call: CallLog) -> str:
    """The period that somebody came with to a call's page, as a query; else the call's day."""
    try:
        return period_of(context["request"].GET, local_now(), default="").query
    except PeriodError:
        day = local_day(call.start_time)
        return between(day, day).query
