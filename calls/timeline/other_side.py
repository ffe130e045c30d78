"""Whom a call is with, of all that its events say of it. Pure; no Django."""

from collections.abc import Iterable

from calls.timeline.events import Event

INTERNAL = "internal"


def direction_of(events: Iterable[Event]) -> str:
    """The first that was said; `internal` whenever it was: who says so knows both sides."""
    said = _said(events, "direction")
    return INTERNAL if INTERNAL in said else said[0] if said else ""


def number_of(events: Iterable[Event]) -> str:
    """The first that was said, or the longest of which that is a part: a number may be told digit
    by digit, or without its country at first. What has no digits is said of a hidden number."""
    said = _said(events, "number")
    if len(said) < 2:
        return said[0] if said else ""
    numbers = [one for one in said if _digits(one)]
    if not numbers:
        return said[0]
    first = _digits(numbers[0])
    longer = [one for one in numbers if _continues(_digits(one), first)]
    return max(longer, key=lambda one: len(_digits(one)))


def _continues(digits: str, first: str) -> bool:
    return digits.startswith(first) or digits.endswith(first)


def _said(events: Iterable[Event], name: str) -> list[str]:
    """What events say, each once, in the order of their instants and keys."""
    said = [(e.at, e.key, str(e.data[name])) for e in events if e.data.get(name)]
    if len(said) > 1:
        said.sort()
    return list(dict.fromkeys(text for _at, _key, text in said))


def _digits(number: str) -> str:
    return "".join(filter(str.isdigit, number))
