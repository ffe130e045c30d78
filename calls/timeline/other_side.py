"""Whom a call is with, of all that its events say of it. Pure; no Django."""

from collections.abc import Iterable

from calls.timeline.events import Event

INTERNAL = "internal"


def direction_of(events: Iterable[Event]) -> str:
    """The first that was said; `internal` whenever it was: who says so knows both sides."""
    said = _said(events, "direction")
    return INTERNAL if INTERNAL in said else next(iter(said), "")


def number_of(events: Iterable[Event]) -> str:
    """The first that was said, or the longest of which that is a part: a number may be told digit
    by digit, or without its country at first. What has no digits is said of a hidden number."""
    said = _said(events, "number")
    numbers = [one for one in said if _digits(one)]
    if not numbers:
        return next(iter(said), "")
    first = _digits(numbers[0])
    longer = [one for one in numbers if _continues(_digits(one), first)]
    return max(longer, key=lambda one: len(_digits(one)))


def _continues(digits: str, first: str) -> bool:
    return digits.startswith(first) or digits.endswith(first)


def _said(events: Iterable[Event], name: str) -> list[str]:
    """What events say, in the order of their instants and keys."""
    return [
        said
        for _at, _key, said in sorted(
            (e.at, e.key, str(e.data[name])) for e in events if e.data.get(name)
        )
    ]


def _digits(number: str) -> str:
    return "".join(filter(str.isdigit, number))
