"""What is known of a running call: its channels, and the parts that agents have in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from calls.providers.base import ProviderEvent, Unreadable
from calls.providers.freeswitch.event_socket.snapshot import Snapshot
from calls.providers.freeswitch.legs import Leg
from calls.providers.freeswitch.peers import LOOPBACK
from calls.providers.freeswitch.record import Record

# Instants of calls, by which nothing but a wrong clock can make a record unreadable.
_INSTANT = "_uepoch"


@dataclass(eq=False)
class Conversation:
    """All channels that belong together, by the one with which it began."""

    name: str
    began: int  # ms
    channels: set["Channel"] = field(default_factory=set)
    served: bool = False  # an agent talked
    rung: set[tuple[str, ...]] = field(default_factory=set)  # agents whose phones rang


@dataclass(eq=False)
class Part:
    """One agent's part of a conversation, or, without an agent, that of who called in.

    Its facts wait until it is certain that the part is a call (`waiting` is None from then on):
    what has been reported cannot be taken back.
    """

    call: str
    conversation: Conversation
    agents: tuple[str, ...] = ()
    number: str = ""
    direction: str = ""
    answered: int | None = None  # ms
    is_guessed: bool = False  # `answered` is only when we learned of it
    waiting: list[ProviderEvent] | None = field(default_factory=list)

    def signed(self, event: ProviderEvent) -> ProviderEvent:
        """`event` with what is known of the part by now."""
        return replace(
            event,
            call=self.call,
            conversation=self.conversation.name,
            agents=self.agents,
            number=self.number,
            direction=self.direction,
        )


@dataclass(eq=False)
class Channel:
    """One channel: a phone, a way out, or half of a loopback. Instants in ms."""

    uuid: str
    conversation: Conversation
    created: int
    latest: Snapshot
    number: int  # Event-Sequence of `latest`
    is_exact: bool = True  # `created` is the instant itself
    profile: Mapping[str, str] = field(default_factory=dict)  # the first: what was dialled
    variables: dict[str, str] = field(default_factory=dict)
    maker: "Channel | None" = None
    made: list["Channel"] = field(default_factory=list)
    met: list["Channel"] = field(default_factory=list)  # whom it was bridged with, the last last
    partner: "Channel | None" = None
    answered: int | None = None
    has_rung: bool = False
    updated: list[int] = field(default_factory=list)  # when it was told who is there
    held_since: int | None = None
    held_before: int = 0  # microseconds
    phone_holds: bool = True
    held: list[tuple[int, int]] = field(default_factory=list)  # its phone's holds that are over
    holding: set[Part] = field(default_factory=set)  # whom its phone keeps waiting
    part: Part | None = None
    hung_up: int | None = None
    gap_since: int | None = None  # unheard of since the connection was lost
    gap_was: bool = False

    def update(self, said: Snapshot, number: int) -> None:
        """What `said` tells of it; an event that was overtaken by a later one adds what is new."""
        if number >= self.number:
            self.latest, self.number = said, number
            self.variables |= said.variables
        else:
            self.variables = said.variables | self.variables
        if not self.profile or (said.created and said.created < self.created):
            self.profile = said.profile
        self.answered = self.answered or said.answered

    def reading(self) -> Leg:
        """What it is, read as its record will be."""
        told = {name: value for name, value in self.variables.items() if value}
        reached = self.met[-1:] or self.made[-1:]
        for other in reached:
            told.setdefault("bridge_channel", other.known_as)
        profiles = (self.profile, self.latest.profile)
        maker = self.maker.uuid if self.maker else self.latest.maker
        try:
            return Leg(Record(told, profiles, maker), _SETTINGS)
        except Unreadable:
            dated = {name for name in told if name.endswith(_INSTANT)}
            told = {name: value for name, value in told.items() if name not in dated}
            return Leg(Record(told, profiles, maker), _SETTINGS)

    @property
    def known_as(self) -> str:
        """Its name, by which others tell who is there."""
        if self.latest.is_loopback:
            return f"{LOOPBACK}{self.profile.get('destination_number', '')}"
        return self.latest.name


_SETTINGS: Mapping[str, Any] = {}
