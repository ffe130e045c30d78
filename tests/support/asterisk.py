"""Streams of an Asterisk's manager, real and composed, and what they come to."""

import csv
import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from calls import timeline
from calls.providers.asterisk.ami import Message, Reader
from calls.providers.asterisk.dialplan import Dialplan
from calls.providers.asterisk.tracker import Tracker
from calls.providers.base import ProviderEvent
from calls.simulation.asterisk.events import Channel, Exchange
from tests.support.telling import check_words

STREAMS = Path(__file__).parents[1] / "fixtures" / "ami"
T = 1_767_607_200  # 2026-01-05 10:00:00 UTC


def truths() -> dict[str, dict]:
    """What the two phones of each real stream measured, in seconds."""
    lines = (STREAMS / "truth.jsonl").read_text().splitlines()
    return {row["scenario"]: row for row in map(json.loads, lines)}


def cdr_rows(scenario: str) -> list[dict[str, str]]:
    with (STREAMS / "cdr.csv").open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["scenario"] == scenario]


def stream(scenario: str) -> bytes:
    return (STREAMS / f"{scenario}.txt").read_bytes()


def exchange() -> Exchange:
    return Exchange(start=T)


def tracker(trunks: Iterable[str] = ("trunk",)) -> Tracker:
    return Tracker(Dialplan(trunks=frozenset(trunks)))


def messages(raw: bytes) -> list[Message]:
    return Reader().feed(raw)


def events_of(
    raw: bytes, follower: Tracker | None = None, received: int = 0
) -> list[ProviderEvent]:
    """All that a tracker tells of a stream."""
    follower = follower or tracker()
    events = [event for one in messages(raw) for event in follower.read(one, received)]
    for event in events:
        check_words(event)
    return events


def folded(events: Iterable[ProviderEvent]) -> timeline.CallState:
    return timeline.fold(
        timeline.Event(one.key, one.kind, one.at, "provider:pbx", one.facts()) for one in events
    )


@dataclass
class ReportedPart:
    """One agent's part as it was reported; lengths in seconds."""

    agent: str
    direction: str
    number: str
    status: str
    reason: str
    ring: float | None
    connected: float | None
    hold: float
    talk: float | None
    conversation: str
    missing: tuple[str, ...]
    state: timeline.CallState


def parts(events: Iterable[ProviderEvent]) -> list[ReportedPart]:
    """The parts that `events` tell of, by their start; of one start by agent."""
    by_call: dict[str, list[ProviderEvent]] = {}
    for event in events:
        by_call.setdefault(event.call, []).append(event)
    found = [_part(its) for its in by_call.values()]
    return sorted(found, key=lambda part: (part.state.start, part.agent))


def _part(events: list[ProviderEvent]) -> ReportedPart:
    state = folded(events)
    connected = None
    if state.end is not None:
        connected = 0 if state.answered is None else state.end - state.answered
    return ReportedPart(
        agent=next((name for event in events for name in event.agents), ""),
        direction=state.direction,
        number=state.number,
        status=state.status,
        reason=state.end_reason,
        ring=_seconds(state.ring),
        connected=_seconds(connected),
        hold=state.hold / 1000,
        talk=_seconds(state.talk),
        conversation=events[-1].conversation,
        missing=state.missing,
        state=state,
    )


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def in_ms(text: str) -> int:
    """Milliseconds of a CDR's instant in UTC."""
    return round(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp() * 1000)


# --- Calls that change hands, as a manager tells of them ------------------------------------------


def park(pbx: Exchange, parkee: Channel, parker: Channel, place: str = "701") -> None:
    """`parkee` leaves its bridge for the parking lot; `parker` is told the place meanwhile."""
    told = parkee.block("Parkee") | {"ParkingSpace": place, "Parkinglot": "default"}
    _wait_in_lot(pbx, parkee)
    if parker.bridge:
        pbx.leave_bridge(parker)
    pbx.event("ParkedCall", told | {"ParkerDialString": parker.name.rpartition("-")[0]})


def _wait_in_lot(pbx: Exchange, parkee: Channel) -> None:
    if parkee.bridge:
        pbx.leave_bridge(parkee)
    lot = {"BridgeUniqueid": "lot", "BridgeType": "parking", "BridgeTechnology": "holding_bridge"}
    pbx.event("BridgeEnter", lot | parkee.block())


def fetch(pbx: Exchange, parkee: Channel, agent: str, place: str = "701") -> Channel:
    """`agent` dials the place and has the call that waits there."""
    fetcher = pbx.call(agent, place)
    pbx.go_up(fetcher)
    told = parkee.block("Parkee") | fetcher.block("Retriever") | {"ParkingSpace": place}
    pbx.event("UnParkedCall", told)
    fetcher.linkedid = parkee.linkedid
    pbx.bridge(parkee, fetcher)
    return fetcher


def enter_room(pbx: Exchange, channel: Channel, room: str = "3000") -> None:
    event = {"Conference": room, "BridgeUniqueid": f"room-{room}", "BridgeType": "base"}
    pbx.event("ConfbridgeJoin", event | channel.block())
    pbx.enter(channel, f"room-{room}")


def leave_room(pbx: Exchange, channel: Channel, room: str = "3000") -> None:
    pbx.event("ConfbridgeLeave", {"Conference": room} | channel.block())
    pbx.hang_up(channel)
