"""Days and times for people: the only place that writes them, in the form of the reader's language
(the folders beside this file), by the organisation's clocks. Programs have `common.instants`.

A template writes them by the filters of the same names (`{% load dates %}`).
"""

import datetime as dt
from functools import lru_cache

from django.utils.formats import date_format
from django.utils.timezone import is_aware, localtime
from django.utils.translation import get_language


def short_day(day: dt.date) -> str:
    """`27/11/2026`; of an instant, its local day."""
    return _kept(_local_day(day), "SHORT_DATE_FORMAT", get_language())


def long_day(day: dt.date) -> str:
    """`27 de noviembre de 2026`."""
    return _kept(_local_day(day), "DATE_FORMAT", get_language())


def weekday(day: dt.date) -> str:
    """`viernes`."""
    return _kept(_local_day(day), "l", get_language())


def month_day(day: dt.date) -> str:
    """`27 de noviembre`."""
    return _kept(_local_day(day), "MONTH_DAY_FORMAT", get_language())


def day_and_month(day: dt.date) -> str:
    """`27 nov`, where there is little room and no doubt about the year."""
    return _kept(_local_day(day), "DAY_AND_MONTH_FORMAT", get_language())


def time_of_day(instant: dt.datetime | dt.time) -> str:
    """`10:40`."""
    shown = _local(instant) if isinstance(instant, dt.datetime) else instant
    return f"{shown:%H:%M}"


def exact_time(instant: dt.datetime) -> str:
    """`10:40:59`."""
    return f"{_local(instant):%H:%M:%S}"


def time_ms(instant: dt.datetime) -> str:
    """`10:40:59.123`."""
    return f"{exact_time(instant)}.{instant.microsecond // 1000:03d}"


def moment(instant: dt.datetime) -> str:
    """`27/11/2026 10:40`."""
    return f"{short_day(instant)} {time_of_day(instant)}"


def exact_moment(instant: dt.datetime) -> str:
    """`27/11/2026 10:40:59`."""
    return f"{short_day(instant)} {exact_time(instant)}"


def moment_ms(instant: dt.datetime) -> str:
    """`27/11/2026 10:40:59.123`."""
    return f"{short_day(instant)} {time_ms(instant)}"


def _local(instant: dt.datetime) -> dt.datetime:
    """What the clocks show; what has no zone is already that."""
    return localtime(instant) if is_aware(instant) else instant


def _local_day(day: dt.date) -> dt.date:
    return _local(day).date() if isinstance(day, dt.datetime) else day


@lru_cache(maxsize=4096)
def _kept(day: dt.date, form: str, language: str | None) -> str:
    """A list has the same few days in hundreds of lines."""
    return date_format(day, form)
