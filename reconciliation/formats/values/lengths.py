"""Lengths of calls, however a file writes them -> ms, and what they were counted in."""

import re
from typing import Final, NamedTuple

from django.utils.translation import gettext as _

from reconciliation.formats.values import Unclear

# What a bare number may be counted in.
UNITS: Final = {"s": 1000, "min": 60_000, "h": 3_600_000, "ms": 1}
LONGEST: Final = 86_400_000
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):(\d{2})(?:[.,](\d{1,6}))?")
_NUMBER = re.compile(r"(\d{1,12})(?:([.,])(\d+))?")
_ISO = re.compile(r"PT(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d+))?S)?", re.IGNORECASE)
_WORDED = re.compile(
    r"(?:(\d+)\s*(?:h|hr|hrs|hour|hours|hora|horas)\.?)?[\s,]*(?:y\s+|and\s+)?"
    r"(?:(\d+)\s*(?:m|min|mins|minute|minutes|minuto|minutos)\.?|(\d+)\s*['’′])?[\s,]*"
    r"(?:y\s+|and\s+)?"
    r"(?:(\d+)(?:[.,](\d+))?\s*"
    r"(?:s|sec|secs|second|seconds|seg|segs|segundo|segundos|\"|''|″)\.?)?"
    r"(?:\s*\(.*\))?",
    re.IGNORECASE,
)
_WITH_UNIT = re.compile(r"([\d.,]+)\s*([^\W\d_]+)\.?")
# The beginnings of words for units.
_WORDS: Final = (("ms", 1), ("mil", 1), ("m", 60_000), ("s", 1000), ("h", 3_600_000))
_NOTHING = frozenset({"", "-", "--", "—", "–", "n/a", "na", "null", "none", r"\n"})


class Length(NamedTuple):
    """ms, and the unit (ms) in which it was told: what is smaller than that, nobody said."""

    ms: int
    unit: int


def length_of(text: str, unit: int = 1000) -> Length | None:
    """A length; None where there is none. A bare number is so many of `unit` (ms). Unclear for
    anything else, and for what is longer than a day."""
    if text.isascii() and text.isdigit():
        found = Length(int(text) * unit, unit)
    elif text.casefold() in _NOTHING:
        return None
    else:
        found = _written(text, unit)
    if found.ms > LONGEST:
        raise Unclear(_("%(length)s is longer than a day.") % {"length": text[:40]})
    return found


def _written(text: str, unit: int) -> Length:
    if clock := _CLOCK.fullmatch(text):
        return _of(clock[1], clock[2], clock[3], clock[4])
    if number := _NUMBER.fullmatch(text):
        return _decimal(text, number, unit)
    if iso := _ISO.fullmatch(text):
        return _of(*iso.groups())
    worded = _WORDED.fullmatch(text)
    if worded and any(worded.groups()):
        hours, minutes, other_minutes, seconds, rest = worded.groups()
        length = _of(hours, minutes or other_minutes, seconds, rest)
        return length if seconds else Length(length.ms, 60_000)
    if decimal := _WITH_UNIT.fullmatch(text):
        number = _NUMBER.fullmatch(decimal[1])
        named = (ms for word, ms in _WORDS if decimal[2].casefold().startswith(word))
        counted = next(named, 0)
        if number and counted:
            return _decimal(text, number, counted)
    raise Unclear(_("“%(text)s” is no length.") % {"text": text[:40]})


def _of(hours: str | None, minutes: str | None, seconds: str | None, rest: str | None) -> Length:
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return Length(whole * 1000 + int((rest or "").ljust(3, "0")[:3]), _fraction(1000, rest))


def _decimal(text: str, number: "re.Match[str]", unit: int) -> Length:
    """`1.5` and `1,5`; three digits behind a comma could as well be thousands."""
    whole, sign, rest = number.groups()
    if rest is None:
        return Length(int(whole) * unit, unit)
    if sign == "," and len(rest) == 3 and unit != 1000 * 60:
        raise Unclear(
            _("“%(text)s” could be a thousand times as long: write it without the comma.")
            % {"text": text[:40]}
        )
    ms = int(whole) * unit + round(int(rest) * unit / 10 ** len(rest))
    return Length(ms, _fraction(unit, rest))


def _fraction(unit: int, digits: str | None) -> int:
    """What the last of the digits behind the point counts."""
    return max(1, unit // int("1" + "0" * len(digits or "")))
