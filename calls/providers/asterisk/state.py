"""The board on which running calls stand, and what is said of them."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from calls import timeline
from calls.providers.asterisk import outcome
from calls.providers.asterisk.ami import Message
from calls.providers.asterisk.dialplan import Dialplan, half_of, is_local, peer_of
from calls.providers.asterisk.legs import (
    AT_ONCE,
    Conversation,
    ConversationPart,
    Leg,
    Role,
)
from calls.providers.base import ProviderEvent

# Legs that have ended and may still be named by a repeated message.
_REMEMBERED = 10_000
# With these a leg begins.
_BEGINNINGS = ("Newchannel", "DialBegin")


class Board:
    """Legs by Uniqueid and conversations by Linkedid. `at` is the present instant (ms) on
    Asterisk's clock, `precision` (ms) how well it is known; `events` what has been said since they
    were last taken."""

    def __init__(self, dialplan: Dialplan):
        self.dialplan = dialplan
        self.at, self.precision = 0, 1
        self.legs: dict[str, Leg] = {}
        self.conversations: dict[str, Conversation] = {}
        self.events: list[ProviderEvent] = []
        # Calls that an earlier process reported and that have not ended: when they were answered.
        self.remembered: Mapping[str, int | None] = {}
        # Local channels by which programs reach agents' phones, and the phones once they are known.
        self.stand_ins: dict[str, Leg | None] = {}
        # Legs of which the next moment tells what their part is, and since when they are up.
        self.undecided: dict[Leg, int] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()

    def take_events(self) -> list[ProviderEvent]:
        events, self.events = self.events, []
        return events

    # --- Saying -----------------------------------------------------------------------------------

    def say(
        self,
        part: ConversationPart | None,
        kind: str,
        at: int | None = None,
        precision: int = 0,
        **data: Any,
    ) -> None:
        """States a fact about `part`; it waits as long as the part may turn out to be no call."""
        if part is None:
            return
        event = ProviderEvent(
            kind=kind,
            call=part.call,
            at=self.at if at is None else at,
            precision_ms=precision or self.precision,
            data=data,
        )
        if part.waiting is None:
            self.events.append(part.signed(event))
        else:
            part.waiting.append(event)

    def publish(self, part: ConversationPart | None) -> None:
        """From now on the part is a call, whatever happens."""
        if part is not None and part.waiting is not None:
            self.events += [part.signed(event) for event in part.waiting]
            part.waiting = None

    # --- Finding and making -----------------------------------------------------------------------

    def leg_of(self, message: Message, prefix: str = "") -> Leg | None:
        """The leg that `message` is about, made if it is new; None if the message names none, or
        one that has ended."""
        uniqueid, channel = message.get(f"{prefix}Uniqueid"), message.get(f"{prefix}Channel")
        if not uniqueid or uniqueid in self._ended:
            return None
        linkedid = message.get(f"{prefix}Linkedid")
        leg = self.legs.get(uniqueid)
        if leg is None:
            if not channel:
                return None
            leg = self._new_leg(uniqueid, channel, linkedid or uniqueid, message.get("SystemName"))
            if message.event not in _BEGINNINGS:
                self._remember(leg)
        elif linkedid and leg.linkedid != linkedid:
            leg.linkedid = linkedid
            self.merge(leg.conversation, self._conversation(linkedid, message.get("SystemName")))
        self.close_gap(leg)
        if message.get(f"{prefix}Exten") not in ("", "s", "h"):
            leg.exten = message.get(f"{prefix}Exten")
        return leg

    def caller_of(self, message: Message) -> Leg | None:
        """The leg that dials in `message`; the agent's own where a Local channel stands in."""
        return self.stand_ins.get(half_of(message.get("Channel"))) or self.leg_of(message)

    def is_own_phone(self, caller: str, dest: Leg) -> bool:
        """Whether a program dials `dest`, the phone of the agent it calls for, through `caller`."""
        half = half_of(caller)
        waits = half in self.stand_ins and self.stand_ins[half] is None
        return waits and self.dialplan.is_agent(dest.peer)

    def has_known(self, uniqueid: str) -> bool:
        """Whether there is or was a leg of this name."""
        return uniqueid in self.legs or uniqueid in self._ended

    def _new_leg(self, uniqueid: str, channel: str, linkedid: str, system: str) -> Leg:
        conversation = self._conversation(linkedid, system)
        leg = Leg(uniqueid, channel, peer_of(channel), linkedid, conversation, self.at)
        conversation.legs.add(leg)
        self.legs[uniqueid] = leg
        if is_local(channel):  # its halves are of one call, whatever their Linkedids say
            half = half_of(channel)
            for other in [one for one in self.legs.values() if half_of(one.channel) == half]:
                self.merge(leg.conversation, other.conversation)
        return leg

    def _remember(self, leg: Leg) -> None:
        """`leg` began before we listened; if it was reported then, we go on with that."""
        if leg.uniqueid in self.remembered and self.dialplan.is_agent(leg.peer):
            leg.role, answered = Role.CALLER, self.remembered[leg.uniqueid]
            conversation = leg.conversation
            leg.part = ConversationPart(
                leg.uniqueid, leg.peer, conversation, answered=answered, waiting=None
            )

    def _conversation(self, linkedid: str, system: str) -> Conversation:
        name = linkedid if not system or linkedid.startswith(system) else f"{system}-{linkedid}"
        return self.conversations.setdefault(name, Conversation(name))

    def merge(self, one: Conversation, into: Conversation) -> None:
        """`one` has turned out to belong to the conversation `into`."""
        if one is into:
            return
        for part in one.parts():
            part.conversation = into
            if part.waiting is None:
                self.say(part, timeline.NOTED, joined=into.name)
        into.take_over(one)
        for name, conversation in self.conversations.items():
            if conversation is one:
                self.conversations[name] = into

    def begin_part(
        self, leg: Leg, at: int, precision: int = 0, **data: Any
    ) -> ConversationPart | None:
        """The part that `leg` has in its conversation from `at` on. None for a Local channel, and
        for the dialled phone of somebody who is no agent."""
        if leg.part is None and leg.peer:
            agent = leg.peer if self.dialplan.is_agent(leg.peer) else ""
            if not agent and leg.role is not Role.CALLER:
                return None
            leg.part = ConversationPart(leg.uniqueid, agent, leg.conversation)
            self.say(leg.part, timeline.STARTED, at, precision, channel=leg.channel, **data)
        return leg.part

    def begin_calling(self, leg: Leg, number: str) -> None:
        """`leg` is that of somebody who called, from `number`."""
        if leg.role is not Role.UNKNOWN:
            return
        leg.role, leg.number = Role.CALLER, number
        part = self.begin_part(leg, leg.created)
        if part is not None and not part.agent:
            part.number, part.direction = number, "inbound"
            leg.conversation.outside.append(part)

    def others_in_bridge(self, leg: Leg) -> list[Leg]:
        if not leg.bridge:
            return []
        return [o for o in self.legs.values() if o.bridge == leg.bridge and o is not leg]

    def talking_with(self, leg: Leg) -> list[ConversationPart]:
        """The parts of agents who talk by or with `leg`; in a room, all others go on."""
        others = [] if leg.in_room else self.others_in_bridge(leg) or leg.peers
        legs = (leg, *others)
        parts = [one.part for one in legs if one.part is not None]
        return [part for part in parts if part.agent and part.answered is not None]

    # --- Going on ---------------------------------------------------------------------------------

    def begin_talking_to(self, leg: Leg, number: str, direction: str) -> None:
        """The first other side that an agent's own call is with."""
        part = leg.part
        self.undecided.pop(leg, None)
        if part is not None and part.agent and (part.waiting is not None or part.is_guessed):
            part.number, part.direction, part.is_guessed = number, direction, False
            self.publish(part)

    def await_other_side(self, leg: Leg) -> None:
        """An agent's own call is answered, by the dialplan: whom it is with follows at once, or it
        is with the dialplan itself."""
        if leg.part is not None and leg.part.agent and leg.part.waiting is not None:
            self.undecided[leg] = self.at

    def decide(self, leg: Leg | None = None) -> None:
        """Nothing better was told of `leg`, or, without one, of those that are up for a while: it
        is with what was dialled; a dialled phone was answered by its agent."""
        late = [one for one, since in self.undecided.items() if self.at - since >= AT_ONCE]
        for one in late if leg is None else [leg] if leg in self.undecided else []:
            if one.role is Role.CALLER:
                self.begin_talking_to(one, one.exten, "outbound")
                if one.part is not None:
                    one.part.is_guessed = True
            self.undecided.pop(one, None)
            self.publish(one.part)

    def drop_part(self, leg: Leg) -> None:
        """What `leg` does has turned out to be no call, or another's, before it was reported."""
        self.undecided.pop(leg, None)
        part = leg.part
        if part is not None and part.waiting is not None:
            leg.part = None
            leg.conversation.rung = [one for one in leg.conversation.rung if one is not part]

    def is_answered(self, leg: Leg) -> None:
        """The phone `leg` was dialled and answered. That it is a call shows when it is bridged: a
        phone that is paged only hears."""
        if leg.part is not None and leg.part.waiting is not None:
            self.undecided[leg] = self.at
        self._set_answered(leg)

    def answer(self, leg: Leg | None, **data: Any) -> None:
        """Somebody answered at `leg`, or was reached by it."""
        if leg is not None and self._set_answered(leg, **data):
            self.decide(leg)
            self.publish(leg.part)

    def _set_answered(self, leg: Leg, **data: Any) -> bool:
        """Whether `leg` has an agent's part, which is answered now if it was not."""
        leg.conversation.served = True
        part = leg.part
        if part is None or not part.agent:
            return False
        if part.answered is None:
            if leg.role is Role.DIALLED:
                leg.conversation.rung.clear()
            part.answered = self.at
            self.say(part, timeline.ANSWERED, **data)
        return True

    def release(self, leg: Leg) -> None:
        """`leg` keeps nobody on hold any longer."""
        for part in sorted(leg.holding, key=lambda part: part.call):
            self.say(part, timeline.RESUMED, party=leg.channel)
        leg.holding.clear()

    # --- Gaps -------------------------------------------------------------------------------------

    def open_gap(self, since: int) -> None:
        """From `since` on nobody listened."""
        for leg in self.legs.values():
            if leg.gap_since is None:
                leg.gap_since = since

    def close_gap(self, leg: Leg, **data: Any) -> None:
        """We hear of `leg` again, or never shall: in between we may have missed something."""
        if leg.gap_since is not None:
            gap = [leg.gap_since, max(self.at, leg.gap_since + 1)]
            leg.gap_since = None
            self.say(leg.part, timeline.NOTED, gap=gap, **data)

    def lose(self, legs: Iterable[Leg], **data: Any) -> None:
        """We shall hear no more of `legs`; nobody can say when they go. They stay open, marked."""
        touched = set()
        for leg in legs:
            self.close_gap(leg, **data)
            self.decide(leg)
            if leg.role in (Role.CALLER, Role.ORIGINATED) and leg.part and leg.part.agent:
                self.publish(leg.part)
            self._take_off(leg)
            touched.add(leg.conversation)
        for conversation in sorted(touched, key=lambda one: one.name):
            self._settle_if_over(conversation)

    # --- Ending -----------------------------------------------------------------------------------

    def hang_up(self, leg: Leg, cause: int) -> None:
        """`leg` is gone; those it dealt with may be alone now."""
        leg.holding -= {leg.part} if leg.part else set()
        self.release(leg)
        if leg.role is Role.DIALLED and leg.attempt is not None:
            leg.attempt.cause = cause
        if leg.is_parked:  # an agent's that waited in vain only called to find a place
            self.drop_part(leg)
        self.decide(leg)
        self._take_off(leg, cause)
        if leg.part is not None and not self._goes_on(leg, leg.part):
            self._end(leg, leg.part, cause)
        self._settle_if_over(leg.conversation)

    def _goes_on(self, leg: Leg, part: ConversationPart) -> bool:
        """Whether another leg goes on with the part: who picks up a call has two for a moment."""
        return any(one.part is part for one in leg.conversation.legs)

    def _take_off(self, leg: Leg, cause: int = 0) -> None:
        del self.legs[leg.uniqueid]
        self.undecided.pop(leg, None)
        leg.conversation.legs.discard(leg)
        if not leg.peer:
            self.stand_ins.pop(half_of(leg.channel), None)
        self._ended[leg.uniqueid] = None
        if len(self._ended) > _REMEMBERED:
            self._ended.popitem(last=False)
        for other in list(leg.peers):
            other.last_cause = cause
            other.peers.discard(leg)
            if not other.peers:
                other.alone_since = self.at

    def _end(self, leg: Leg, part: ConversationPart, cause: int) -> None:
        self._answer_by_itself(leg, part)
        end, status, reason = outcome.of_part(leg, part, cause, self.at)
        more: dict[str, Any] = {"transfer": leg.transferred} if leg.transferred else {}
        self.say(part, timeline.ENDED, end, status=status, reason=reason, **more)
        if part.agent and leg.role is not Role.DIALLED:
            self.publish(part)

    def _answer_by_itself(self, leg: Leg, part: ConversationPart) -> None:
        """An agent who called Asterisk itself (voicemail, an announcement) was answered by it."""
        asked_for_somebody = leg.has_dialled or leg.was_queued
        if not part.agent or leg.role is not Role.CALLER or asked_for_somebody:
            return
        if leg.up_since is not None and part.answered is None:
            part.answered = leg.up_since
            self.say(part, timeline.ANSWERED, leg.up_since)

    def _settle_if_over(self, conversation: Conversation) -> None:
        """When all are gone it is known who was rung in vain: one agent alone has missed a call,
        several or a queue's members have not; then it is the caller's, without an agent."""
        if conversation.legs:
            return
        for name in [n for n, one in self.conversations.items() if one is conversation]:
            del self.conversations[name]
        agents = {part.agent for part in conversation.rung}
        if len(agents) == 1:
            self.publish(conversation.rung[0])
        elif conversation.sought and not conversation.served:
            for part in conversation.outside:
                self.publish(part)
