"""Who says when something happened, and who of them is believed. Pure; no Django."""

from typing import Final, NamedTuple

from calls.timeline.events import ENDED, SUMMARY, WATCHDOG, Event

_RECORDED: Final = 6
_REPORTED: Final = 5


def _rank(event: Event) -> int:
    if event.kind == SUMMARY:
        return _RECORDED
    if event.by_provider:
        return 3 if event.data.get("provisional") else 4
    return 0 if event.source == WATCHDOG else 2


def _reports(events: list[Event], name: str) -> list[Event]:
    """The provider's records and reports of the end that say `name`."""
    return [
        e
        for e in events
        if name in e.data and (e.kind == SUMMARY or (e.kind == ENDED and e.by_provider))
    ]


class Claim(NamedTuple):
    """Somebody says when something happened; the most believed sorts first. `at` < 0: never."""

    doubt: int
    at: int
    event: Event


def claims_of(events: list[Event], kind: str, name: str) -> list[Claim]:
    """Who says when `kind` happened, the most believed first; equals in the order of `events`."""
    claims = [Claim(-_rank(e), e.at, e) for e in events if e.kind == kind]
    for event in _reports(events, name):
        rank = _RECORDED if event.kind == SUMMARY else _REPORTED
        reported = event.data[name]
        claims.append(Claim(-rank, -1 if reported is None else int(reported), event))
    return sorted(claims, key=lambda claim: claim[:2])


def settled(claims: list[Claim]) -> int | None:
    """The earliest instant of the most believed claims; None where they all say never."""
    reported = [claim.at for claim in claims if claim.doubt == claims[0].doubt and claim.at >= 0]
    return min(reported) if reported else None


def reported_hold(known: list[Event]) -> int | None:
    """The total hold that the provider's best report states, in ms."""
    reported = sorted(
        (-_rank(e), e.at, e.key, int(e.data["hold"])) for e in _reports(known, "hold")
    )
    return reported[0][3] if reported else None
