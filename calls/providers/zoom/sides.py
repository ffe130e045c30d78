"""The sides of a Zoom call: who of ours has one, and who is on the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from calls.providers.base import ProviderEvent
from calls.providers.reading import joined, name_of, names, other_side, part, text
from calls.providers.zoom.results import plain

PRECISION_MS = 1000
# Phones that ring for several people: one that does not answer ends nothing.
SHARED = frozenset({"callqueue", "sharedlinegroup", "autoreceptionist", "sharedoffice"})


@dataclass(frozen=True)
class Who:
    """One side of a call that is one of ours, and the other."""

    call: str
    conversation: str
    agents: tuple[str, ...]
    number: str
    direction: str
    shared: bool

    def event(
        self,
        kind: str,
        at: int,
        data: Mapping[str, Any],
        event_id: str = "",
        *,
        tentative: bool = False,
    ) -> ProviderEvent:
        return ProviderEvent(
            kind=kind,
            call=self.call,
            at=at,
            precision_ms=PRECISION_MS,
            conversation=self.conversation,
            agents=self.agents,
            number=self.number,
            direction=self.direction,
            event_id=event_id,
            tentative=tentative,
            data=data,
        )


def sides(side: str, about: Mapping[str, Any], knows: Callable[[str], bool]) -> Who:
    """Of a live event."""
    call_id = name_of(about.get("call_id"), "call")
    own = part(about, side)
    other = part(about, "callee" if side == "caller" else "caller")
    forwarded = [part(about, name) for name in ("forwarded_by", "redirect_forwarded_by")]
    kinds = {plain(text(one.get("extension_type"))) for one in forwarded}
    return who(
        side,
        call_id,
        (own.get("extension_number"), own.get("user_id"), own.get("phone_number")),
        (other.get("phone_number"), other.get("extension_number")),
        internal=_is_internal(other, knows),
        shared=side == "callee" and bool(kinds & SHARED),
    )


def _is_internal(other: Mapping[str, Any], knows: Callable[[str], bool]) -> bool:
    """Whether the other side is one of our extensions: a person, a queue, a phone of nobody's.

    A user's id alone may be that of somebody who has Zoom elsewhere.
    """
    network = {plain(text(other.get(name))) for name in ("connection_type", "extension_type")}
    if any(word.startswith("pstn") for word in network):
        return False
    if names(other.get("extension_number"), other.get("extension_id")):
        return True
    user = text(other.get("user_id"))
    outside = text(other.get("phone_number")).startswith("+")
    return bool(user) and (not outside or knows(user))


def who(
    side: str,
    call_id: str,
    own: tuple[Any, ...],
    other: tuple[Any, ...],
    *,
    internal: bool,
    shared: bool = False,
) -> Who:
    agents = names(*own)
    phone = agents[:1] if side == "callee" else ()
    direction = "outbound" if side == "caller" else "inbound"
    return Who(
        call=joined(call_id, side, *phone),
        conversation=call_id,
        agents=agents,
        number=next(iter(names(*map(other_side, other))), ""),
        direction="internal" if internal else direction,
        shared=shared,
    )
