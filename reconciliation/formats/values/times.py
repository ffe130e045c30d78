"""Instants, however a file writes them: a local time is one instant, two or none."""

import datetime as dt
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from common.instants import to_ms
from reconciliation.formats.values import Unclear

DMY, MDY, YMD = "dmy", "mdy", "ymd"
ORDERS: Final = (DMY, MDY, YMD)
EARLIEST, LATEST = 631_152_000_000, 7_258_118_400_000  # 1990 to 2200
_EPOCH = dt.datetime(1970, 1, 1)
_MS = dt.timedelta(milliseconds=1)
_NEVER = frozenset({"", "-", "--", "0", "null", "none", r"\n", "n/a", "na", "—"})

_NUMERIC = re.compile(
    r"(?:[^\W\d_]+\.?,?\s+)?"  # a weekday
    r"(?P<a>\d{1,4})[-/. ](?P<b>\d{1,2})[-/. ](?P<c>\d{1,4})(?P<rest>.*)"
)
_WORDED = re.compile(
    r"(?:[^\W\d_]+\.?,?\s+)?"
    r"(?:(?P<day>\d{1,2})(?:\.|st|nd|rd|th)?[-\s]+(?:de\s+)?(?P<month>[^\W\d_]{3,10})\.?|"
    r"(?P<month2>[^\W\d_]{3,10})\.?\s+(?P<day2>\d{1,2})(?:st|nd|rd|th)?)"
    r"[-,\s]+(?:de(?:l)?\s+)?(?P<year>\d{4})(?P<rest>.*)",
    re.IGNORECASE,
)
_TIME_FIRST = re.compile(r"(?P<time>\d{1,2}:\d{2}.*?)\s+(?P<date>\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})")
_TIME = re.compile(
    r"(?P<hour>\d{1,2})(?:[:.hH](?P<minute>\d{2}))?(?:[:.](?P<second>\d{2}))?"
    r"(?:[.,](?P<rest>\d{1,9}))?\s*(?P<half>[ap]\.?\s*m\.?)?\s*(?P<zone>.*)",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"(?:GMT|UTC)?\s*([+-])(\d{1,2}):?(\d{2})?", re.IGNORECASE)
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            *("jan ene", "feb", "mar", "apr abr", "may", "jun"),
            *("jul", "aug ago", "sep set", "oct", "nov", "dec dic"),
        ),
        start=1,
    )
    for name in names.split()
}
# Abbreviations that American exports put behind a time, in hours.
_ABBREVIATED: Final = {
    "UTC": 0,
    "GMT": 0,
    "Z": 0,
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
}


class Told(NamedTuple):
    """The instants (ms) that a text may mean, in their order, and how exact it is (ms)."""

    instants: tuple[int, ...]
    precision: int


class Clock:
    """The clock by which a file was written."""

    def __init__(self, zone: ZoneInfo, order: str = DMY):
        self.zone, self._order = zone, order
        self._offsets = lru_cache(maxsize=4096)(self._offsets_at)

    def read(self, text: str) -> Told | None:
        """What `text` means; None where it says never. Unclear if it is no time, or one that the
        clocks skipped."""
        if len(text) == 19 and text[4] == "-" and text[10] in " T" and text[13] == ":":
            try:
                return self._bounded(
                    Told(self._instants(dt.datetime.fromisoformat(text), text), 1000), text
                )
            except ValueError as error:
                if isinstance(error, Unclear):
                    raise
        if text.casefold() in _NEVER or text.startswith("0000-00-00"):
            return None
        return self._bounded(self._number(text) or self._written(text), text)

    def _bounded(self, told: Told, text: str) -> Told:
        if not all(EARLIEST <= one <= LATEST for one in told.instants):
            raise Unclear(_("“%(text)s” is no time of a call.") % {"text": text[:40]})
        return told

    def _number(self, text: str) -> Told | None:
        """Seconds, ms or µs since 1970."""
        bare = text.replace(".", "", 1)
        if not (bare.isascii() and bare.isdigit() and len(text.partition(".")[0]) >= 9):
            return None
        whole, _point, rest = text.partition(".")
        if len(whole) <= 11:
            return Told((int(whole) * 1000 + int(rest.ljust(3, "0")[:3]),), 1 if rest else 1000)
        return Told((int(whole) // (1 if len(whole) <= 14 else 1000),), 1)

    def _written(self, text: str) -> Told:
        try:
            date, rest = self._date(text)
            time, precision, zone = _time(rest)
            local = dt.datetime.combine(date, time)
        except (ValueError, OverflowError) as error:
            if isinstance(error, Unclear):
                raise
            raise Unclear(_("“%(text)s” is no time.") % {"text": text[:40]}) from error
        return Told(self._in_zone(local, zone, text), precision)

    def _date(self, text: str) -> tuple[dt.date, str]:
        if turned := _TIME_FIRST.fullmatch(text):
            text = f"{turned['date']} {turned['time']}"
        if found := _NUMERIC.fullmatch(text):
            return self._numeric_date(found["a"], found["b"], found["c"]), found["rest"]
        if found := _WORDED.fullmatch(text):
            month = _MONTHS.get((found["month"] or found["month2"])[:3].casefold())
            if month is not None:
                day = int(found["day"] or found["day2"])
                return dt.date(int(found["year"]), month, day), found["rest"]
        raise ValueError(text)

    def _numeric_date(self, a: str, b: str, c: str) -> dt.date:
        if len(a) == 4 or self._order == YMD:
            return dt.date(_year(a), int(b), int(c))
        day, month = (a, b) if self._order == DMY else (b, a)
        return dt.date(_year(c), int(month), int(day))

    def _in_zone(self, local: dt.datetime, zone: str, text: str) -> tuple[int, ...]:
        if not zone:
            return self._instants(local, text)
        if zone.upper() in _ABBREVIATED:
            return (_ms(local) - _ABBREVIATED[zone.upper()] * 3_600_000,)
        if offset := _OFFSET.fullmatch(zone):
            minutes = int(offset[2]) * 60 + int(offset[3] or 0)
            return (_ms(local) - (minutes if offset[1] == "+" else -minutes) * 60_000,)
        folds = (local.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        named = [one for one in folds if one.tzname() == zone]
        if named:
            return (to_ms(named[0].astimezone(dt.UTC)),)
        raise Unclear(_("“%(text)s” names a time zone that is not known.") % {"text": text[:40]})

    def _instants(self, local: dt.datetime, text: str) -> tuple[int, ...]:
        offsets = self._offsets(
            local.replace(minute=local.minute // 15 * 15, second=0, microsecond=0)
        )
        if not offsets:
            raise Unclear(
                _("%(text)s did not exist in %(zone)s: the clocks were put forward then.")
                % {"text": text[:40], "zone": self.zone.key}
            )
        ms = _ms(local)
        return tuple(ms - offset for offset in offsets)

    def _offsets_at(self, local: dt.datetime) -> tuple[int, ...]:
        """The offsets (ms) from UTC that the clocks may have had, the earlier instant's first."""
        first, second = (local.replace(tzinfo=self.zone, fold=fold).utcoffset() for fold in (0, 1))
        assert first is not None and second is not None  # a zone always says
        if first < second:
            return ()
        return tuple(dict.fromkeys((first // _MS, second // _MS)))


def order_of(texts: Iterable[str]) -> tuple[str, bool]:
    """The order of day, month and year that these dates have, and whether they prove it: of those
    that may be either, day and month, but with AM and PM month and day."""
    american = False
    for text in texts:
        found = _NUMERIC.match(text.strip())
        if found is None:
            continue
        if len(found["a"]) == 4:
            return YMD, True
        if int(found["a"]) > 12:
            return (DMY if int(found["a"]) <= 31 else YMD), True
        if int(found["b"]) > 12:
            return MDY, True
        american = american or bool(re.search(r"\b[AP]M\b", found["rest"]))
    return (MDY if american else DMY), False


def _year(digits: str) -> int:
    if len(digits) not in (2, 4):
        raise ValueError(digits)
    return int(digits) + (2000 if len(digits) == 2 else 0)


def _time(text: str) -> tuple[dt.time, int, str]:
    """The time of day, how exact it is (ms), and what stands behind it."""
    text = text.lstrip(" ,T\u202f\xa0").removeprefix("a las ").removeprefix("at ").rstrip()
    found = _TIME.fullmatch(text)
    if found is None or (found["minute"] is None and found["half"] is None):
        raise ValueError(text)
    hour = int(found["hour"])
    if found["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(text)
        hour = hour % 12 + (12 if found["half"][0] in "pP" else 0)
    rest = found["rest"] or ""
    precision = 1 if rest else 1000 if found["second"] else 60_000
    time = dt.time(
        hour, int(found["minute"] or 0), int(found["second"] or 0), int(rest.ljust(6, "0")[:6])
    )
    return time, precision, found["zone"].strip(" ()[]")


def _ms(local: dt.datetime) -> int:
    return (local - _EPOCH) // _MS
