"""What a simulated call is, and what a provider would send about it. Pure; sends nothing.

A builder turns a script into the requests of one kind of provider, signed as the provider signs
them. Whoever sends them may delay, double, shuffle or lose some: the script stays the truth.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from calls import timeline


@dataclass(frozen=True)
class ScriptedCall:
    """What really happened. All instants are ms since 1970-01-01 UTC.

    `holds` are disjoint and lie between `answered` and `end`. A call that was COMPLETED or DROPPED
    has an answer; one that nobody answered has neither that nor holds. `agent` is the agent as the
    provider names it, `number` the other side in E.164.
    """

    call_id: str
    agent: str
    number: str
    start: int
    end: int
    ringing: int | None = None
    answered: int | None = None
    holds: tuple[tuple[int, int], ...] = ()
    status: str = timeline.COMPLETED
    direction: str = "outbound"

    @property
    def truth(self) -> dict[str, Any]:
        """What must be recorded: start, answered, end (ms), status, and the lengths in ms."""
        return {
            "start": self.start,
            "answered": self.answered,
            "end": self.end,
            "status": self.status,
            "ring": (self.end if self.answered is None else self.answered) - self.start,
            "hold": self.held,
            "duration": self.end - self.start,
            "talk": 0 if self.answered is None else self.end - self.answered - self.held,
        }

    @property
    def held(self) -> int:
        """The whole time on hold, in ms."""
        return sum(until - since for since, until in self.holds)

    def on_grid(self, grid_ms: int) -> "ScriptedCall":
        """The same call with every instant cut to a multiple of `grid_ms`."""

        def cut(instant: int) -> int:
            return instant // grid_ms * grid_ms

        return replace(
            self,
            start=cut(self.start),
            end=cut(self.end),
            ringing=None if self.ringing is None else cut(self.ringing),
            answered=None if self.answered is None else cut(self.answered),
            holds=tuple((cut(since), cut(until)) for since, until in self.holds),
        )


@dataclass(frozen=True)
class Target:
    """The account that the requests are for: its hook's public address, settings and secrets."""

    url: str
    secrets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def secret(self, name: str) -> str:
        """The value that the provider would use; LookupError if the account has none."""
        return self.secrets[name][0]


@dataclass(frozen=True)
class SimRequest:
    """One request as the provider would send it, `delay` ms after the start of the call.

    `final` marks a record that comes after the call's end and only confirms it.
    """

    delay: int
    url: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    final: bool = False


@dataclass(frozen=True)
class Builder:
    """How one kind of provider tells a call.

    `as_reported` is the call as far as this kind can tell it (whole seconds, no hold ...): what is
    recorded must be exactly the truth of that. `requests` are in the order of their delays.
    `unknown` is one genuine request that says what nobody has ever heard of (`levitated`): kinds of
    events are added by their makers without a word to us.
    """

    kind: str
    build: Callable[[ScriptedCall, Target], list[SimRequest]]
    unknown: Callable[[ScriptedCall, Target], SimRequest]
    grid_ms: int = 1
    tells_hold: bool = True
    tells_dropped: bool = True
    tells_failed: bool = True
    # Whether the record at the end tells the hold. Where it does not, a hold of which both events
    # are lost cannot be missed.
    records_hold: bool = True

    def as_reported(self, call: ScriptedCall) -> ScriptedCall:
        reported = call.on_grid(self.grid_ms)
        if not self.tells_hold:
            reported = replace(reported, holds=())
        if not self.tells_dropped and reported.status == timeline.DROPPED:
            reported = replace(reported, status=timeline.COMPLETED)
        # Who calls us is missed at worst.
        can_fail = self.tells_failed and reported.direction != "inbound"
        if reported.status == timeline.FAILED and not can_fail:
            reported = replace(reported, status=timeline.NO_ANSWER)
        return reported

    def requests(self, call: ScriptedCall, target: Target) -> list[SimRequest]:
        """The requests about `call`, signed with the secrets of `target`."""
        return sorted(self.build(self.as_reported(call), target), key=lambda one: one.delay)


def hex_id(*names: str) -> str:
    """32 hex digits that belong to `names`, as providers like their ids."""
    return hashlib.sha256(":".join(names).encode()).hexdigest()[:32]
