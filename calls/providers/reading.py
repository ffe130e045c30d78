"""What every adapter needs to read foreign data without ever stumbling over it."""

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from calls.providers.base import Unreadable, bounded_ms, iso_to_ms, seconds_to_ms
from common.text import without_invisible

_LONGEST = 120  # characters of an id, a name or a number that we keep
_UNWANTED = re.compile("[\x00\ud800-\udfff]")  # what no database stores as text
_LARGEST = 2**53
LONGEST_SECONDS = 86_400
_WHOLE = re.compile(r"(\d+)(?:\.0*)?")
# 12, 12.5, and 12,5: what has three digits after a comma could be thousands.
_DECIMAL = re.compile(r"\d+(?:\.\d*)?|\d+,(?:\d{1,2}|\d{4,})")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,3}):(\d\d(?:\.\d+)?)")
_ISO_LENGTH = re.compile(r"PT(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", re.IGNORECASE)
_ANGLED = re.compile(r"<([^<>]+)>")
_ADDRESS = re.compile(r"(?:sips?|tel):(?://)?", re.IGNORECASE)
# Mon, 05 Jan 2026 10:00:00 +0000
_MAIL_DATE = re.compile(r"(?:[a-z]{3},\s*)?\d{1,2} [a-z]{3} \d{4} [\d:]{5,8} \S+", re.IGNORECASE)
_IN_UTC = re.compile(r" ?(?:UTC|GMT)$")
_NUMBER = re.compile(r"\+?\d{7,15}")
_Read = TypeVar("_Read")


def same(given: str, expected: Iterable[str]) -> bool:
    """Whether `given` is one of `expected`, in a time that does not tell how much of it is right.

    An empty secret proves nothing.
    """
    said = given.encode(errors="surrogatepass")
    equal = [hmac.compare_digest(said, one.encode()) for one in expected if one]
    return any(equal)


def text(value: Any) -> str:
    """A string or number as text that can be stored; "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return _UNWANTED.sub("", str(value)).strip()[:_LONGEST]


def name_of(value: Any, what: str) -> str:
    """An id as text; Unreadable if there is none or it is too long to be one."""
    found = text(value)
    if not found or len(str(value)) > _LONGEST:
        raise Unreadable(f"The message names no {what}.")
    return found


def number_of(value: Any) -> int | None:
    """A whole number from 0 that may be stored, `12.0` and text too; None for anything else."""
    found = _WHOLE.fullmatch(text(value)) if text(value).isascii() else None
    return int(found[1]) if found and int(found[1]) <= _LARGEST else None


def length_of(value: Any, unit_ms: int = 1000) -> int | None:
    """A length of at most a day in ms, of a number of units, a clock's `1:05:30` or ISO 8601's
    `PT65M`, text or not; None for anything else."""
    found = text(value)
    if not found.isascii():
        return None
    if parts := _CLOCK.fullmatch(found) or _ISO_LENGTH.fullmatch(found):
        hours, minutes, seconds = parts.groups()
        length = float(seconds or 0) + 60 * int(minutes or 0) + 3600 * int(hours or 0)
    elif _DECIMAL.fullmatch(found):
        length = float(found.replace(",", ".")) * unit_ms / 1000
    else:
        return None
    return round(length * 1000) if length <= LONGEST_SECONDS else None


def instant_of(value: Any, zone: str = "") -> tuple[int, int]:
    """Milliseconds and precision (ms) of an instant as ISO 8601 or RFC 2822 write it, or of a
    number of s, ms or µs since 1970.

    `zone` is that of instants without an offset. Unreadable if it is none of these.
    """
    found = text(value)
    if isinstance(value, int | float) or found.replace(".", "", 1).isdigit():
        return _instant_of_number(value)
    try:
        if _MAIL_DATE.fullmatch(found):
            local = parsedate_to_datetime(found)
        else:
            local = dt.datetime.fromisoformat(_IN_UTC.sub("+00:00", found.upper()))
        if zone and local.tzinfo is None:
            local = local.replace(tzinfo=ZoneInfo(zone))
    except (ValueError, OSError, KeyError) as error:
        raise Unreadable(f"{value!r:.60} is no instant.") from error
    return iso_to_ms(local.isoformat()), 1 if "." in found else 1000


def _instant_of_number(value: Any) -> tuple[int, int]:
    try:
        number = float(value)
        if number >= 1e14:
            return bounded_ms(int(float(value)) // 1000), 1
        if number >= 1e11:
            return bounded_ms(int(number)), 1
    except (ValueError, OverflowError) as error:
        raise Unreadable(f"{value!r:.60} is no instant.") from error
    has_fraction = bool(str(value).partition(".")[2].strip("0"))
    return seconds_to_ms(value), 1 if has_fraction else 1000


def flag(value: Any) -> bool:
    """Whether `value` says yes, as JSON, a number or text."""
    return value is True or text(value).casefold() in ("true", "yes", "1")


def user_in(address: Any) -> str:
    """Whom a SIP or tel address names, `1001` of `Ana <sip:1001@192.0.2.1>`; "" where it is none.
    A number is without blanks and signs."""
    found = without_invisible(text(address))
    angled = _ANGLED.search(found)
    found = angled[1].strip() if angled else found
    scheme = _ADDRESS.match(found)
    if scheme is None and angled is None:
        return ""
    user = found[scheme.end() if scheme else 0 :].partition("@")[0].partition(";")[0]
    user = without_invisible(unquote(user)).strip()
    plain = re.sub(r"[\s().-]", "", user)
    return plain if plain.isascii() and _NUMBER.fullmatch(plain) else user


def number_in(address: Any) -> str:
    """The phone number of a SIP or tel address, `Rosa <sip:+50688887777@192.0.2.1>`; "" where the
    address has a name or an extension, or is none."""
    user = user_in(address)
    return user if user.isascii() and _NUMBER.fullmatch(user) else ""


def names_in(address: Any) -> tuple[str, ...]:
    """What a phone may be known by: its address as it was told, and whom that names."""
    return names(address, user_in(address))


def other_side(address: Any) -> str:
    """The other side as it is kept: of a SIP or tel address its number, else the text itself."""
    return number_in(address) or text(address)


class Values:
    """Reads a message's values; those that are there and cannot be read are kept in `unread`, by
    the names of the fields, so that they are shown and the call is marked."""

    def __init__(self) -> None:
        self.unread: dict[str, str] = {}
        self.conflicts: dict[str, str] = {}

    def contradict(self, name: str, *values: Any) -> None:
        """Keeps ids that contradict each other, of which none is surer than the others."""
        self.conflicts[name] = " / ".join(names(*values))

    def keep(self, name: str, value: Any) -> None:
        """Keeps a value that is there and says nothing to us."""
        shown = value if isinstance(value, str) else json.dumps(value, default=str)
        self.unread[name] = _UNWANTED.sub("", shown)[:60]

    def length(self, name: str, value: Any, unit_ms: int = 1000) -> int | None:
        return self._kept_unless(name, value, length_of(value, unit_ms))

    def whole(self, name: str, value: Any) -> int | None:
        return self._kept_unless(name, value, number_of(value))

    def instant(self, name: str, value: Any, zone: str = "") -> int | None:
        """ms."""
        try:
            return None if is_empty(value) else instant_of(value, zone)[0]
        except Unreadable:
            self.keep(name, value)
            return None

    def word(self, name: str, value: Any, meanings: Mapping[str, str]) -> str:
        """What `value` means, whatever its capitals; "" where we do not know it."""
        return self._kept_unless(name, value, meanings.get(text(value).casefold()) or None) or ""

    def _kept_unless(self, name: str, value: Any, read: _Read | None) -> _Read | None:
        if read is None and not is_empty(value):
            self.keep(name, value)
        return read

    @property
    def said(self) -> dict[str, dict[str, str]]:
        """What an event's data say of them; {} where all could be read and fits together."""
        kept = {"unread": self.unread, "conflict": self.conflicts}
        return {name: dict(values) for name, values in kept.items() if values}

    @property
    def trouble(self) -> str:
        """What is shown of them with the message; "" where there are none."""
        kept = [*self.unread.items(), *self.conflicts.items()]
        return ", ".join(f"{name} {value!r}" for name, value in kept)


def is_empty(value: Any) -> bool:
    """Whether a field is there in form only: it says nothing, and so nothing unreadable."""
    return value is None or (isinstance(value, str) and not value.strip())


def part(data: Any, *names: str) -> Mapping[str, Any]:
    """The object at this path of names; empty where there is none."""
    for name in names:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; empty for anything else."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def names(*values: Any) -> tuple[str, ...]:
    """The texts among `values`, each once, in their order."""
    return tuple(dict.fromkeys(found for found in map(text, values) if found))


def joined(*ids: str) -> str:
    """One id of several, none of which may be lost where it would be too long to keep."""
    whole = ":".join(filter(None, ids))
    return whole if len(whole) <= _LONGEST else hashlib.sha256(whole.encode()).hexdigest()
