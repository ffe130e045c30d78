"""In which order people said what they said. Pure; no Django.

Instants alone do not tell: two words may fall into one millisecond, and a clock that is set back
gives a later word an earlier instant. What is taken down at once has the number of its line
(`Event.number`), which only grows. What was said without a network has the instant of the clock
that it was said by, and is taken down later, so it goes before what was said here after that
instant; and so does what a phone system tells, which may come in any order.
"""

from collections.abc import Iterable
from typing import Final

from calls.timeline.events import Event

_NEVER: Final = float("-inf")


def in_order(said: Iterable[Event]) -> list[Event]:
    """`said`, the last word last; equals in the order in which they are given.

    A word that was taken down at once is as late as the latest before it, whatever the clock says.
    """
    places = []
    latest = _NEVER
    for event in sorted(said, key=lambda e: (e.number, e.at)):
        has_own_instant = event.by_provider or event.data.get("offline")
        latest = latest if has_own_instant else max(latest, event.at)
        places.append((event.at if has_own_instant else latest, event))
    return [event for _at, event in sorted(places, key=lambda place: place[0])]


def step_place(event: Event, what: int) -> tuple[int, int, int]:
    """Where the opening or closing `event` stands among those of one instant: what a phone system
    tells in the order of `what`, then what people say in the order in which they said it."""
    return event.at, 0 if event.by_provider else event.number, what
