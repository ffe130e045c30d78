"""The times and lengths of a call detail record, in whatever form a file has them."""

import datetime as dt
import re
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_noop

from calls.providers.asterisk.cdr.columns import UNIQUEID
from common.instants import to_ms

# What stands where there is no time: MySQL's, and what exports make of NULL.
_NEVER = ("", "0", "null", "none", r"\n", "-")
_DATE = re.compile(
    r"(?P<a>\d{1,4})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{1,4})"
    r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"\s*(?P<half>[ap]\.?\s?m\.?)?)?",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"\d{9,11}(?:\.\d+)?|\d{12,14}")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,3}):(\d{2})(?:\.\d+)?")
_SECONDS = re.compile(r"(\d{1,9})(?:[.,]\d+)?\s*(?:s|sec|seg)?\b.*")


class NoTime(ValueError):
    """A text that is no time, or no length; says so. `why` holds the place of `text`."""

    def __init__(self, why: str, text: str):
        self.why, self.text = why, f"{text!r:.40}"
        super().__init__(why % {"text": self.text})


_NO_LENGTH = gettext_noop("%(text)s is no length")
_NO_TIME = gettext_noop("%(text)s is no time")
_SKIPPED = gettext_noop("%(text)s did not exist: the clocks were put forward then")


def is_never(text: str) -> bool:
    return text.strip().lower() in _NEVER or text.startswith("0000-00-00")


def seconds(text: str) -> int | None:
    """Whole seconds, cut, of `12`, `12.5`, `00:01:50` or `110s (1m 50s)`; None where there are
    none. NoTime for anything else."""
    text = text.strip()
    if text.lower() in _NEVER and text != "0":
        return None
    clock = _CLOCK.fullmatch(text)
    if clock:
        hours, minutes, rest = (int(part or 0) for part in clock.groups())
        return hours * 3600 + minutes * 60 + rest
    found = _SECONDS.fullmatch(text)
    if found is None:
        raise NoTime(_NO_LENGTH, text)
    return int(found[1])


def day_comes_first(texts: Iterable[str]) -> bool:
    """Whether `05/01/2026` is the fifth of January, as far as the dates of a file tell: of those
    that may be either, it is, but with AM and PM."""
    first = True
    for text in texts:
        found = _DATE.match(text.strip())
        if found is None or len(found["a"]) > 2 or len(found["c"]) != 4:
            continue
        if int(found["a"]) > 12:
            return True
        if int(found["b"]) > 12:
            return False
        first = first and not found["half"]
    return first


class Times:
    """Local times of one row -> instants. The hour that comes twice when clocks go back is told
    apart by the Uniqueid, which holds the second in which the channel was made."""

    def __init__(self, zone: ZoneInfo, uniqueid: str, *, day_first: bool = True):
        self._zone, self._day_first = zone, day_first
        found = UNIQUEID.fullmatch(uniqueid)
        self._made = int(found["epoch"]) * 1000 if found else None
        self.is_unsure = False  # whether one of two instants was taken, and nothing told which

    def instant(self, text: str, not_before: int | None = None) -> int:
        """ms, the whole second that Asterisk cut it to. NoTime if `text` is no time."""
        try:
            told = self._told(text.strip())
            if isinstance(told, int):
                return told
            earlier = to_ms(told.replace(tzinfo=self._zone).astimezone(dt.UTC))
            later = to_ms(told.replace(tzinfo=self._zone, fold=1).astimezone(dt.UTC))
        except (ValueError, OverflowError):
            raise NoTime(_NO_TIME, text) from None
        if later < earlier:  # by both offsets it would be another time of day
            raise NoTime(_SKIPPED, text)
        least = self._made if not_before is None else not_before
        if least is not None and earlier < least - 1000:
            return max(earlier, later)
        self.is_unsure = self.is_unsure or (least is None and earlier != later)
        return earlier

    def _told(self, text: str) -> int | dt.datetime:
        """The instant in ms where the text says which, else the local time."""
        if len(text) == 19 and text[4] == text[7] == "-" and text[10] == " ":
            return dt.datetime.fromisoformat(text)  # as Asterisk writes it, and nearly all there is
        if _EPOCH.fullmatch(text):
            whole = float(text)
            return int(whole if whole >= 1e11 else whole * 1000) // 1000 * 1000
        found = _DATE.fullmatch(text)
        if found is None:
            local = dt.datetime.fromisoformat(text)
            if local.tzinfo is None:
                return local.replace(microsecond=0)
            return to_ms(local.astimezone(dt.UTC)) // 1000 * 1000
        year, month, day = self._date(found["a"], found["b"], found["c"])
        hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
        if found["half"]:
            if not 1 <= hour <= 12:
                raise ValueError(hour)
            hour = hour % 12 + (12 if found["half"].lower().startswith("p") else 0)
        return dt.datetime(year, month, day, hour, minute, second)

    def _date(self, a: str, b: str, c: str) -> tuple[int, int, int]:
        if len(a) == 4:
            return int(a), int(b), int(c)
        if len(c) != 4:
            raise ValueError(c)
        day, month = (a, b) if self._day_first else (b, a)
        return int(c), int(month), int(day)
