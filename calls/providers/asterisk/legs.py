"""What is known of a running call: its conversation, its legs, and the parts agents have in it."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from calls.providers.base import ProviderEvent

# What happens within this time (ms) is one happening.
AT_ONCE = 1000


class Role(StrEnum):
    """How a leg came to be: it called in, it was dialled, or a program made it ring (Originate)."""

    UNKNOWN = "unknown"
    CALLER = "caller"
    DIALLED = "dialled"
    ORIGINATED = "originated"


@dataclass(eq=False)
class ConversationPart:
    """One agent's part of a conversation, or, without an agent, that of a caller from outside.

    Its facts wait until it is certain that the part is a call (`waiting` is None from then on):
    what has been reported cannot be taken back.
    """

    call: str
    agent: str
    conversation: "Conversation"
    number: str = ""
    direction: str = ""
    queued: bool = False  # rung as a member of a queue
    answered: int | None = None  # ms
    has_rung: bool = False
    hung_up_by: str = ""
    # Whom it is with was guessed from what was dialled; what is known later is better.
    is_guessed: bool = False
    waiting: list[ProviderEvent] | None = field(default_factory=list)

    def signed(self, event: ProviderEvent) -> ProviderEvent:
        """`event` with what is known of the part by now."""
        return replace(
            event,
            conversation=self.conversation.name,
            agents=(self.agent,) if self.agent else (),
            number=self.number,
            direction=self.direction,
        )


@dataclass(eq=False)
class Attempt:
    """How a dial ended: its status, and the cause with which the dialled leg was hung up."""

    status: str = ""
    cause: int = 0
    ended: int | None = None  # ms


@dataclass(eq=False)
class Leg:
    """One channel. Instants in ms."""

    uniqueid: str
    channel: str
    peer: str  # "" for a Local channel
    linkedid: str
    conversation: "Conversation"
    created: int
    exten: str = ""
    number: str = ""  # of whoever is there, if it is no agent
    role: Role = Role.UNKNOWN
    up_since: int | None = None
    bridge: str = ""
    bridge_left: int | None = None
    peers: set["Leg"] = field(default_factory=set)  # whom it dials or talks with
    alone_since: int | None = None  # when the last of them left
    last_cause: int = 0  # with which the last of them left
    attempt: Attempt | None = None  # of the dial that made it, or its own last one
    has_dialled: bool = False
    in_queue: bool = False
    was_queued: bool = False
    in_room: bool = False
    is_parked: bool = False
    transferred: str = ""  # how it gave its conversation away
    # Whom its hold button keeps waiting.
    holding: set[ConversationPart] = field(default_factory=set)
    part: ConversationPart | None = None
    gap_since: int | None = None  # unheard of since the connection was lost

    def link(self, other: "Leg") -> None:
        for one, two in ((self, other), (other, self)):
            one.peers.add(two)
            one.alone_since = None
            if one.part is not None:
                one.part.hung_up_by = ""

    def unlink(self, other: "Leg", at: int) -> None:
        for one, two in ((self, other), (other, self)):
            if two in one.peers:
                one.peers.discard(two)
                if not one.peers:
                    one.alone_since = at

    def left_alone(self, at: int) -> int:
        """Since when nobody was there any more for this leg, which went at `at`.

        Asterisk closes the bridge of two when one has gone. A leg that stays in its bridge is with
        somebody whom no event has named.
        """
        if self.alone_since is None or self.alone_since >= at:
            return at
        left = self.bridge_left if self.bridge_left is not None else self.alone_since
        return self.alone_since if left - self.alone_since < AT_ONCE else min(left, at)


@dataclass(eq=False)
class Conversation:
    """All that shares a Linkedid."""

    name: str
    legs: set[Leg] = field(default_factory=set)
    # Agents rung since the last one answered.
    rung: list[ConversationPart] = field(default_factory=list)
    outside: list[ConversationPart] = field(default_factory=list)  # callers who are no agents
    queued: bool = False
    sought: bool = False  # an agent's phone or a queue was tried
    served: bool = False  # somebody answered

    def parts(self) -> list[ConversationPart]:
        running = {leg.part for leg in self.legs if leg.part is not None}
        return sorted(running.union(self.rung, self.outside), key=lambda part: part.call)

    def take_over(self, other: "Conversation") -> None:
        for leg in other.legs:
            leg.conversation = self
        self.legs |= other.legs
        self.rung += other.rung
        self.outside += other.outside
        self.queued |= other.queued
        self.sought |= other.sought
        self.served |= other.served
