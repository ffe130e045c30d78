"""What every adapter needs to read foreign data without ever stumbling over it."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any

from calls.providers.base import Unreadable

_LONGEST = 120  # characters of an id, a name or a number that we keep
_UNWANTED = re.compile("[\x00\ud800-\udfff]")  # what no database stores as text
_LARGEST = 2**53


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
    """A whole number from 0 that may be stored; None for anything else."""
    found = text(value)
    if not found.isascii() or not found.isdigit() or int(found) > _LARGEST:
        return None
    return int(found)


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
