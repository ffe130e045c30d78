"""What the rows of a call say that each agent did."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from calls.providers.asterisk.cdr.conversations import QUEUE, CdrConversation, conversations
from calls.providers.asterisk.cdr.dispositions import OUTCOMES
from calls.providers.asterisk.cdr.rows import CdrRow
from calls.providers.asterisk.dialplan import Dialplan, half_of, is_local, local_exten, peer_of

# A row that ends in one of these is of a call that waits, without anybody.
_PARKING = frozenset({"Park", "ParkAndAnnounce"})
# With these a phone takes a call that waits, or rings elsewhere.
_TAKING = frozenset({"ParkedCall", "Pickup", "PickupChan"})
# In a room everybody is with everybody: who is named beside a channel was not dialled by it.
_ROOMS = frozenset({"ConfBridge", "MeetMe", "Conference", "Page"})


@dataclass(frozen=True)
class CdrPart:
    """What the rows say that one agent did. `call` is the Uniqueid of the agent's leg where they
    tell it, `channel` the leg's name; `conversation` the whole call, and `conversations` all that
    it may have been called. `knows_answer` is False where `answered` is unknown. `is_doubtful`: one
    of the rows may be of another call; `is_unsure`: its times may be an hour later. `duration` and
    `talk` are the lengths (ms) that the one row of it states; None where there are several."""

    conversation: str
    call: str
    channel: str
    agent: str
    number: str
    direction: str
    start: int
    answered: int | None
    knows_answer: bool
    end: int
    status: str
    reason: str
    lines: tuple[int, ...]
    conversations: tuple[str, ...] = ()
    is_doubtful: bool = False
    is_unsure: bool = False
    duration: int | None = None
    talk: int | None = None


def parts(rows: Iterable[CdrRow], dialplan: Dialplan) -> list[CdrPart]:
    """What each agent did, by conversation; of callers whom nobody served, one part without an
    agent."""
    return [part for one in conversations(rows) for part in parts_of(one, dialplan)]


def parts_of(conversation: CdrConversation, dialplan: Dialplan) -> list[CdrPart]:
    return _Call(conversation, dialplan).parts()


@dataclass
class _Call:
    """The rows of one call, by whose they are: `callers` by the channel that called, `dialled` by
    the agent's phone that was called."""

    conversation: CdrConversation
    plan: Dialplan
    callers: dict[str, list[CdrRow]] = field(default_factory=dict)
    dialled: dict[str, list[CdrRow]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = self.conversation.rows
        is_paging = any(row.lastapp == "Page" for row in self.rows)
        for row in self.rows:
            self.callers.setdefault(row.channel, []).append(row)
            named = self.plan.is_agent(peer_of(row.dstchannel))
            if named and row.lastapp not in _ROOMS and not is_paging:
                self.dialled.setdefault(row.dstchannel, []).append(row)

    def parts(self) -> list[CdrPart]:
        agents = [name for name in self.callers if self.plan.is_agent(peer_of(name))]
        found = [part for name in agents if (part := self._called(name)) is not None]
        served = [
            name
            for name, its in self.dialled.items()
            if name not in agents and any(row.is_answered for row in its)
        ]
        found += [self._was_called(name) for name in served]
        if not served and not any(self._takes(name) for name in agents):
            found += self._missed(agents)
        return found

    def _takes(self, channel: str) -> bool:
        return any(row.lastapp in _TAKING for row in self.callers[channel])

    # --- Who called -------------------------------------------------------------------------------

    def _called(self, channel: str) -> CdrPart | None:
        """The part of the agent whose phone is `channel`; None for one that only parked a call and
        heard where it was put."""
        if self._takes(channel):
            return self._taken(channel)
        rows = [row for row in self.callers[channel] if not _is_parked(row)]
        if not rows:
            return None
        first = next((row for row in rows if row.dstchannel), rows[0])
        in_room = first.lastapp in _ROOMS
        internal = self.plan.is_agent(peer_of(first.dstchannel)) and not in_room
        answered = [row for row in rows if row.is_answered]
        return self._part(
            channel,
            rows,
            call=first.uniqueid,
            number=self._called_out(first),
            direction="internal" if internal else "outbound",
            answers=answered,
            knows_answer=not (answered and any(row.lastapp == QUEUE for row in rows)),
            disposition=first.disposition,
        )

    def _taken(self, channel: str) -> CdrPart | None:
        """An agent took a call that waited, or rang elsewhere: it is that caller's."""
        own = self.callers[channel]
        others = self.dialled.get(channel, [])
        of_others = {row.dstchannel for row in own} - {""}
        others = others or [row for row in self.rows if row.channel in of_others]
        others = others or [
            row for row in self.rows if not self.plan.is_agent(peer_of(row.channel))
        ]
        number = next((row.src for row in others if row.src), "")
        if not any(row.is_answered for row in (*own, *others)):
            return None
        # The one who waited has a row that begins with the waiting.
        reached = max(
            min(row.answer for row in its if row.answer is not None)
            for its in (own, others)
            if any(row.is_answered for row in its)
        )
        internal = self.plan.is_agent(number)
        part = self._part(
            channel,
            own,
            call=own[0].uniqueid,
            number=number,
            direction="internal" if internal else "inbound",
            answers=[],
            disposition="ANSWERED",
        )
        end = max(row.end for row in (*own, *self.dialled.get(channel, [])))
        return replace(
            part, answered=max(reached, part.start), end=max(end, reached), duration=None
        )

    def _called_out(self, row: CdrRow) -> str:
        """What was dialled, without the digit that asks for a line."""
        if row.dst[:1] not in ("0", "9") or row.lastapp != "Dial":
            return row.dst
        bare, called = row.dst[1:], self.plan.dialled_number(row.lastdata.partition(",")[0])
        return bare if called == bare and not self.plan.is_agent(bare) else row.dst

    # --- Who was called ---------------------------------------------------------------------------

    def _was_called(self, channel: str) -> CdrPart:
        rows = self.dialled[channel]
        first = rows[0]
        placed = self._placed_by(first)
        if placed is not None:
            return self._put_through(channel, rows, placed)
        answered = [row for row in rows if row.is_answered]
        # A queue answers for its members, so that its own row does not tell when they did.
        direct = [row for row in answered if row.lastapp != QUEUE]
        earlier = [r for r in self.rows if r.channel == first.channel and r.start < first.start]
        part = self._part(
            channel,
            rows,
            number=first.src,
            direction="internal" if self.plan.is_agent(peer_of(first.channel)) else "inbound",
            answers=direct or answered,
            knows_answer=bool(direct or not answered) and not (answered and earlier),
            disposition="NO ANSWER",
            reason="" if answered else OUTCOMES[first.disposition][1],
        )
        # Nor does it tell since when a phone rang.
        rung = [row.start for row in rows if row.lastapp != QUEUE]
        return replace(part, start=min(rung, default=part.start))

    def _placed_by(self, row: CdrRow) -> CdrRow | None:
        """The row of a program that makes this agent's phone ring by one half of a Local channel
        and calls out by the other."""
        if not is_local(row.channel):
            return None
        half = half_of(row.channel)
        others = (one for one in self.rows if one.channel != row.channel)
        return next((one for one in others if half_of(one.channel) == half), None)

    def _put_through(self, channel: str, rows: list[CdrRow], placed: CdrRow) -> CdrPart:
        internal = self.plan.is_agent(peer_of(placed.dstchannel))
        part = self._part(
            channel,
            [placed],
            number=self._called_out(placed),
            direction="internal" if internal else "outbound",
            answers=[placed] if placed.is_answered else [],
            disposition=placed.disposition,
        )
        return replace(part, lines=tuple(sorted({*part.lines, *(row.line for row in rows)})))

    # --- Nobody -----------------------------------------------------------------------------------

    def _missed(self, agents: Sequence[str]) -> list[CdrPart]:
        """Nobody answered: one agent who was called directly has missed it, else it is nobody's."""
        dialled = [name for name in self.dialled if name not in agents]
        queue = [row for row in self.rows if row.lastapp == QUEUE and row.dstchannel]
        taken_by = [row for row in queue if not self._rang_in_vain(row.dstchannel)]
        if any(row.is_answered for row in taken_by):
            return [] if agents else [self._answered_by_somebody(taken_by)]
        queued, is_try = self.conversation.is_queued, self.conversation.is_try
        if len({peer_of(name) for name in dialled}) == 1 and not queued and not is_try:
            return [self._was_called(dialled[0])]
        if agents or not (queued or dialled):
            return []
        return [self._of_nobody("NO ANSWER")]

    def _rang_in_vain(self, channel: str) -> bool:
        """Whether the other half of a Local channel has rows, and none of them was answered: the
        caller was answered by the queue, not by this member."""
        half = half_of(channel)
        others = [row for row in self.rows if is_local(channel) and half_of(row.channel) == half]
        return bool(others) and not any(row.is_answered for row in others)

    def _answered_by_somebody(self, taken_by: list[CdrRow]) -> CdrPart:
        """A queue's call was answered, and no row tells at which phone: the member's name may."""
        row = next(row for row in taken_by if row.is_answered)
        member = local_exten(row.dstchannel)
        agent = member if self.plan.is_agent(member) else ""
        part = self._of_nobody(row.disposition)
        return replace(part, agent=agent, channel=row.dstchannel if agent else part.channel)

    def _of_nobody(self, disposition: str) -> CdrPart:
        first = self.rows[0]
        return self._part(
            first.channel,
            self.rows,
            agent="",
            call=first.uniqueid,
            number=first.src,
            direction="inbound",
            answers=[],
            knows_answer=disposition != "ANSWERED",
            disposition=disposition,
            reason="",
        )

    def _part(
        self,
        channel: str,
        rows: Sequence[CdrRow],
        *,
        number: str,
        direction: str,
        answers: Sequence[CdrRow],
        disposition: str,
        call: str = "",
        agent: str | None = None,
        knows_answer: bool = True,
        reason: str | None = None,
    ) -> CdrPart:
        """A part that lasted as long as `rows` and was answered by `answers`."""
        instants = [row.answer for row in answers if row.answer is not None]
        status, why = OUTCOMES["ANSWERED" if answers else disposition or "NO ANSWER"]
        alone = rows[0] if len(rows) == 1 else None
        knows_answer = knows_answer and all(r.knows_answer for r in answers)
        return CdrPart(
            conversation=self.conversation.name,
            conversations=self.conversation.names,
            is_doubtful=self.conversation.is_doubtful,
            call=call,
            channel=channel,
            agent=peer_of(channel) if agent is None else agent,
            number=number,
            direction=direction,
            start=min(row.start for row in rows),
            answered=min(instants, default=None),
            knows_answer=knows_answer,
            end=max(row.end for row in rows),
            status=status,
            reason=why if reason is None else reason,
            lines=tuple(row.line for row in rows),
            is_unsure=any(row.is_unsure for row in rows),
            duration=alone.duration * 1000 if alone else None,
            talk=alone.billsec * 1000 if alone and answers and knows_answer else None,
        )


def _is_parked(row: CdrRow) -> bool:
    """Whether the row is of a channel that waits in a parking lot, or hears which place it is."""
    return row.lastapp in _PARKING and not row.dstchannel
