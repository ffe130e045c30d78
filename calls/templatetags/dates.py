"""How pages write days and times: `common.formats.dates`, a dash for what is not known."""

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any

from django import template

from calls.templatetags.calls_format import NOTHING
from common.formats import dates

register = template.Library()


def _or_nothing(write: Callable[[Any], str]) -> Callable[[dt.date | None], str]:
    @wraps(write)
    def written(value: dt.date | None) -> str:
        return write(value) if value else NOTHING

    return written


for _write in (
    dates.short_day,
    dates.long_day,
    dates.weekday,
    dates.month_day,
    dates.day_and_month,
    dates.time_of_day,
    dates.exact_time,
    dates.moment,
    dates.exact_moment,
    dates.moment_ms,
):
    register.filter(_write.__name__, _or_nothing(_write))
