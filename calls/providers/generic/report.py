"""One report of a system that sends JSON: what it says, by the names that the account gives."""

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from calls import timeline
from calls.providers.base import ProviderEvent, Unknown
from calls.providers.generic.scopes import Objects, first, first_place
from calls.providers.generic.times import TIMES, USUAL_NAMES, Times
from calls.providers.reading import (
    LONGEST_SECONDS,
    Values,
    instant_of,
    is_empty,
    joined,
    name_of,
    names,
    names_in,
    other_side,
    part,
    text,
)
from calls.timeline.end_words import SYSTEM_WORDS, plain

KINDS: Mapping[str, str] = {
    **dict.fromkeys(("started", "dialing", "dialling", "initiated"), timeline.STARTED),
    "ringing": timeline.RINGING,
    **dict.fromkeys(("answered", "connected"), timeline.ANSWERED),
    **dict.fromkeys(("held", "hold"), timeline.HELD),
    **dict.fromkeys(("resumed", "resume", "unhold"), timeline.RESUMED),
    **dict.fromkeys(("ended", "end", "hangup"), timeline.ENDED),
    "summary": timeline.SUMMARY,
}
DIRECTIONS: Mapping[str, str] = {
    **dict.fromkeys(("outbound", "outgoing", "out", "saliente"), "outbound"),
    **dict.fromkeys(("inbound", "incoming", "in", "entrante"), "inbound"),
    **dict.fromkeys(("internal", "local", "interna"), "internal"),
}

_ENDS_OF_CALLS: Mapping[str, str] = {
    **dict.fromkeys(("from", "fromnumber", "caller", "callernumber", "src", "source"), "from"),
    **dict.fromkeys(("to", "tonumber", "callee", "called", "dst", "destination"), "to"),
}
# Without these nobody knows when a call ended, but by when the message came.
_ENDS = frozenset({"ended_at", "duration_seconds", "connected_seconds"})


class Report:
    """What one JSON object says, and those it stands in where it does not say it itself."""

    def __init__(
        self,
        objects: Objects,
        settings: Mapping[str, Any],
        received: int,
        knows: Callable[[str], bool],
    ):
        self._objects, self._settings = objects, settings
        self._received, self._knows = received, knows
        self.values = Values()

    def event(self) -> ProviderEvent:
        """The fact. Unknown, with the event, where something of it cannot be read or is new to us;
        Unreadable where it says of no call or of no instant."""
        call, conversation = self._call()
        kind = self._kind()
        told, precision = self._at()
        at = self._received if told is None else told
        data: dict[str, Any] = {}
        if kind in (timeline.ENDED, timeline.SUMMARY):
            data = self._outcome(told)
        if "end" not in data and kind in (timeline.ENDED, timeline.SUMMARY):
            begun = max(data.get("start") or 0, data.get("answered") or 0)
            came_late = bool(begun) and self._received - begun > LONGEST_SECONDS * 1000
            if came_late:
                at = begun  # when it came says nothing of when the call ended
            if came_late or not _ENDS.isdisjoint(self.values.unread):
                # A record that does not say when the call ended is no last word.
                kind, data["provisional"] = timeline.ENDED, True
        if kind == timeline.SUMMARY:
            at = data.setdefault("end", at)
        elif kind == timeline.ENDED:
            at = data.pop("end", at)
            data |= {"record": True} if self._setting("record").casefold() == "yes" else {}
        if "start" in data or (kind == timeline.STARTED and told is not None):
            data["turn"] = True
        agents, number, direction = self._people()
        self._keep_unnamed(agents, number)
        sequence = self.values.whole("sequence", self._field("sequence"))
        event = ProviderEvent(
            kind=kind,
            call=call,
            at=at,
            precision_ms=precision,
            conversation=conversation,
            agents=agents,
            number=number,
            direction=direction,
            event_id=text(self._field("event_id")),
            sequence=sequence,
            leg=text(self._field("leg")),
            data=data | self.values.said,
        )
        if self.values.trouble:
            raise Unknown(self.values.trouble, [event])
        return event

    def _at(self) -> tuple[int | None, int]:
        """When it happened, None where that is not told; and how exactly (ms)."""
        reported = self._field("at")
        if is_empty(reported):
            return None, 1000
        return instant_of(reported, self._setting("time_zone"))

    def _kind(self) -> str:
        reported = self._value("event")
        if not reported and self._tells_times(self._objects):
            return timeline.SUMMARY  # one message at the end, as most systems send
        kind = KINDS.get(reported.casefold())
        if kind is None:
            raise Unknown(f"event {reported!r}")
        return kind

    # --- Which call, and whose ---

    def _call(self) -> tuple[str, str]:
        """The id of the agent's part, and that of the whole call."""
        call = name_of(self._field("call_id"), "call_id")
        turn, conversation = text(self._field("turn")), text(self._field("conversation"))
        own = self._people()[0][:1] if self._part else ()
        if not (turn or own):
            return call, conversation
        return joined(call, *own, turn), conversation or call

    @cached_property
    def _part(self) -> Objects:
        """The objects that are about one agent's part of a call, which is named above them; ()
        where call and agent are named by one."""
        call = first_place(self._objects, self._path("call_id"))
        agents = [first_place(self._objects, self._path(one)) for one in ("agent", "from", "to")]
        return self._objects[:call] if min(agents) < call else ()

    def _people(self) -> tuple[tuple[str, ...], str, str]:
        """The agent's names, the other side and the direction.

        Of a system that says from and to, the direction tells which of them is ours; where it does
        not, whom we know does.
        """
        named = self._field("agent")
        told = named if isinstance(named, list) else [named]
        agents = names(*(name for one in told for name in names_in(one)))
        number = other_side(self._address("number"))
        direction = self._direction()
        ends = self._ends()
        caller, called = ends or (self._address("from"), self._address("to"))
        if is_empty(caller) and is_empty(called):
            return agents, number, direction
        known = () if ends else agents
        direction = direction or self._direction_between(caller, called, known)
        if ends and direction:
            agents, number = (), ""
        own, other = (called, caller) if direction == "inbound" else (caller, called)
        if not direction:
            # Which of them is ours cannot be told.
            for name, value in {"from": caller, "to": called}.items():
                if not (agents and number):
                    self.values.keep(name, value)
            return agents, number, ""
        return agents or names_in(own), number or other_side(other), direction

    def _keep_unnamed(self, agents: tuple[str, ...], number: str) -> None:
        """Keeps what should name somebody and holds something else than text."""
        for name in ("agent", "number", "from", "to"):
            value = self._address(name)
            told = not is_empty(value) and value not in ({}, [])
            if told and not text(value) and not (agents and number):
                self.values.keep(name, value)

    def _address(self, name: str) -> Any:
        """What names a side; the first of several."""
        value = self._field(name)
        return value[0] if isinstance(value, list) and value else value

    def _ends(self) -> tuple[Any, Any] | None:
        """From and to, where the account's settings call the one the agent and the other the
        number, which is true of one direction only."""
        ends = {_end_of(self._path(one)): self._address(one) for one in ("agent", "number")}
        return (ends["from"], ends["to"]) if ends.keys() == {"from", "to"} else None

    def _direction(self) -> str:
        """`outbound-api` and the like say by their first word."""
        reported = self._field("direction")
        word = self._meaning("direction", reported).casefold()
        found = DIRECTIONS.get(word) or DIRECTIONS.get(re.split("[^a-z]", word)[0], "")
        if not found and not is_empty(reported):
            self.values.keep("direction", reported)
        return found

    def _direction_between(self, caller: Any, called: Any, agents: tuple[str, ...]) -> str:
        ours = [
            any(name in agents or self._knows(name) for name in names_in(one))
            for one in (caller, called)
        ]
        found = {(True, True): "internal", (True, False): "outbound", (False, True): "inbound"}
        return found.get((ours[0], ours[1]), "")

    # --- How it went ---

    def _outcome(self, at: int | None) -> dict[str, Any]:
        """What an end or a summary reports; `at`: its instant, where one is told.

        A part of a call that says anything of when it was, was not when the whole call was.
        """
        own = self._tells_times(self._part)
        objects = self._part if own else self._objects
        status, reason, cause = self._status(first(objects, self._path("status")))
        answer = (self._path("answered_at"), USUAL_NAMES["answered_at"])
        never = own and any(one.get(name, "") is None for one in objects for name in answer)
        times = self._times(objects, at, never or status in (timeline.NO_ANSWER, timeline.FAILED))
        if not (status or times.status):
            status, reason, cause = self._status(self._field("status"))
        data: dict[str, Any] = {"cause": cause} if cause else {}
        data["status"] = status or times.status or timeline.COMPLETED
        reason = self._value("reason") or reason
        if reason:
            data["reason"] = reason[:40]
        return data | times.reported(data["status"])

    def _status(self, reported: Any) -> tuple[str, str, str]:
        """Status and reason of ours, and the word that has none."""
        word = self._meaning("status", reported)
        status, reason = SYSTEM_WORDS.get(plain(word), ("", ""))
        if status or is_empty(reported):
            return status, reason, ""
        self.values.keep("status", reported)
        return "", "", word

    def _tells_times(self, objects: Objects) -> bool:
        return any(not is_empty(self._time(objects, name)) for name in TIMES)

    def _time(self, objects: Objects, name: str) -> Any:
        found = first(objects, self._path(name))
        if is_empty(found) and name in USUAL_NAMES and self._path(name) == name:
            return first(objects, USUAL_NAMES[name])
        return found

    def _times(self, objects: Objects, at: int | None, never: bool) -> Times:
        return Times(
            {name: self._time(objects, name) for name in TIMES},
            self.values,
            self._setting("time_zone"),
            1 if self._setting("lengths") == "ms" else 1000,
            at=at,
            received=self._received,
            never=never,
        )

    # --- Other names ---

    def _setting(self, name: str) -> str:
        return text(self._settings.get(name))

    def _path(self, name: str) -> str:
        return text(part(self._settings, "fields").get(name)) or name

    def _field(self, name: str) -> Any:
        return first(self._objects, self._path(name))

    def _value(self, name: str) -> str:
        return self._meaning(name, self._field(name))

    def _meaning(self, name: str, reported: Any) -> str:
        found = text(reported)
        return text(part(self._settings, "values", name).get(found)) or found


def _end_of(path: str) -> str:
    """Which end of a call the field at `path` is by its name, from or to; "" for neither."""
    steps = (_ENDS_OF_CALLS.get(plain(step), "") for step in reversed(path.split(".")))
    return next(filter(None, steps), "")
