"""Rows of the legs of a call, put together: each was read as a record whose `key` is the leg and
whose `call` is the leg that the call began with.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from calls import timeline
from reconciliation.call_record import BadLine, CallRecord

_AWAY: Final = 4 * 3_600_000  # ms between the beginnings of two legs of a call, at most
_MOST: Final = 20_000  # calls that wait for further legs


def joined_legs(records: Iterable[CallRecord | BadLine]) -> Iterator[CallRecord | BadLine]:
    """One record a call, as soon as the file has come to another time."""
    waiting: OrderedDict[str, list[CallRecord]] = OrderedDict()
    for one in records:
        if isinstance(one, BadLine) or not one.call:
            yield one
            continue
        waiting.setdefault(one.call, []).append(one)
        while waiting and (len(waiting) > _MOST or _is_away(waiting, one)):
            yield whole(waiting.popitem(last=False)[1])
    yield from map(whole, waiting.values())


def _is_away(waiting: OrderedDict[str, list[CallRecord]], latest: CallRecord) -> bool:
    oldest = next(iter(waiting.values()))[0]
    return abs(oldest.start - latest.start) > _AWAY


def whole(legs: list[CallRecord]) -> CallRecord:
    """The call of these legs. What a leg that was called says of answer and end is believed before
    the first leg, which a document answers."""
    first = next((leg for leg in legs if leg.key == leg.call), legs[0])
    called = sorted((leg for leg in legs if leg is not first), key=lambda leg: leg.start)
    if not called:
        return replace(first, key=first.call)
    reached = [leg for leg in called if leg.status == timeline.COMPLETED]
    believed = reached[0] if reached else called[-1]
    prices = [leg.price for leg in legs if leg.price is not None]
    return replace(
        first,
        key=first.call,
        start=min(first.start, believed.start),
        answered=believed.answered,
        knows_answer=believed.knows_answer,
        end=max((leg.end for leg in reached if leg.end is not None), default=first.end),
        duration=None,
        talk=believed.talk,
        status=believed.status,
        reason=believed.reason,
        agents=first.agents or believed.agents,
        number=first.number or believed.number,
        price=sum(prices[1:], prices[0]) if prices else None,
        currency=first.currency or believed.currency,
        lines=tuple(sorted(line for leg in legs for line in leg.lines)),
    )
