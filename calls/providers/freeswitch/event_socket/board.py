"""The board on which running calls stand, and what is said of them."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from calls import timeline
from calls.providers.base import ProviderEvent
from calls.providers.freeswitch.event_socket.channels import Channel, Conversation, Part
from calls.providers.freeswitch.event_socket.snapshot import Snapshot

# FreeSWITCH's clock moves in steps of this (ms).
PRECISION = 20
# What happens within this time (ms) is one happening.
AT_ONCE = 1_000
# Channels that have ended and may still be named by a late message.
_REMEMBERED = 10_000


class Board:
    """Channels by their id. `at` is the present instant (ms) on FreeSWITCH's clock; `events` what
    has been said since they were last taken."""

    def __init__(self) -> None:
        self.at = 0
        self.channels: dict[str, Channel] = {}
        self.events: list[ProviderEvent] = []
        # Calls that were reported before and have not ended: when they were answered; and since
        # when nobody listened to them.
        self.remembered: Mapping[str, int | None] = {}
        self.expected: dict[str, int] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()

    def take_events(self) -> list[ProviderEvent]:
        events, self.events = self.events, []
        return events

    # --- Saying -----------------------------------------------------------------------------------

    def say(
        self,
        part: Part,
        kind: str,
        at: int | None = None,
        precision: int = PRECISION,
        **data: Any,
    ) -> None:
        """States a fact about `part`; it waits as long as the part may turn out to be no call."""
        instant = self.at if at is None else at
        event = ProviderEvent(kind, part.call, instant, precision, data=data)
        if part.waiting is None:
            self.events.append(part.signed(event))
        else:
            part.waiting.append(event)

    def publish(self, channel: Channel) -> None:
        """From now on the channel's part is a call, whatever happens."""
        part = channel.part
        if part is None or part.waiting is None:
            return
        reading = channel.reading()
        part.number, part.direction = reading.number(), reading.direction()
        self.events += [part.signed(event) for event in part.waiting]
        part.waiting = None

    # --- Finding and making -----------------------------------------------------------------------

    def channel_of(self, said: Snapshot, number: int = 0, is_exact: bool = True) -> Channel | None:
        """The channel that `said` is about, made if it is new; None if it has ended."""
        if not said.uuid or said.uuid in self._ended:
            return None
        channel = self.channels.get(said.uuid)
        if channel is None:
            channel = self._new(said, number, is_exact)
        channel.update(said, number)
        self._see_beginning(channel, said, is_exact)
        self._join_maker(channel)
        self._begin_part(channel)
        self.close_gap(channel)
        return channel

    def has_known(self, uuid: str) -> bool:
        """Whether there is or was a channel of this name."""
        return uuid in self.channels or uuid in self._ended

    def _new(self, said: Snapshot, number: int, is_exact: bool) -> Channel:
        created = said.created or said.at or self.at
        conversation = Conversation(said.uuid, created)
        channel = Channel(said.uuid, conversation, created, said, number, is_exact)
        conversation.channels.add(channel)
        self.channels[said.uuid] = channel
        if self.at - created > AT_ONCE:  # it began before we listened
            channel.gap_since = self.expected.get(said.uuid, created)
        return channel

    def _see_beginning(self, channel: Channel, said: Snapshot, is_exact: bool) -> None:
        """What was only counted in seconds may be known better now."""
        if channel.is_exact or not is_exact or not said.created:
            return
        channel.created, channel.is_exact = said.created, True
        if channel.part is not None and not channel.reading().is_placed:
            self.say(channel.part, timeline.STARTED, channel.created)

    def _join_maker(self, channel: Channel) -> None:
        """Finds because of whom the channel was called; the halves of a loopback are one."""
        if channel.latest.is_loopback:
            other = self._other_half(channel)
            if other is not None:
                self.merge(channel, other)
        told = channel.reading()
        name = told.maker or (told.call if told.was_called else "")
        maker = None if channel.maker else self.channels.get(name)
        if maker is None or maker is channel:
            return
        channel.maker = maker
        maker.made.append(channel)
        self.merge(channel, maker)
        part, reading = maker.part, maker.reading()
        if part is None or not part.agents or reading.was_called:
            return
        if reading.is_placed and len(maker.made) == 1:
            self.say(part, timeline.STARTED, channel.created)
        self.publish(maker)

    def _other_half(self, half: Channel) -> Channel | None:
        said = self.channels.get(half.latest.other_half)
        if said is not None:
            return said
        name, suffix = half.latest.name[:-2], half.latest.name[-2:]
        twin = name + ("-b" if suffix == "-a" else "-a")
        near = (
            one
            for one in self.channels.values()
            if one.latest.name == twin and abs(one.created - half.created) < AT_ONCE
        )
        return next(near, None)

    def _begin_part(self, channel: Channel) -> None:
        """The part that the channel has in its conversation: none for a loopback, and for the
        called phone of somebody who is no agent."""
        if channel.latest.is_loopback:
            return
        reading, part = channel.reading(), channel.part
        if part is not None:
            if not part.agents and part.waiting is not None:
                part.agents = reading.agents
            return
        if not reading.agent and reading.was_called:
            return
        part = channel.part = Part(channel.uuid, channel.conversation, reading.agents)
        if reading.was_called and not reading.is_of_queue:
            channel.conversation.rung.add(reading.agents)
        if channel.uuid in self.remembered:
            part.waiting, part.answered = None, self.remembered[channel.uuid]
            part.number, part.direction = reading.number(), reading.direction()
        guess = {"provisional": True} if reading.is_placed or not channel.is_exact else {}
        precision = PRECISION if channel.is_exact else 1000
        self.say(part, timeline.STARTED, channel.created, precision, **guess)

    def merge(self, one: Channel, two: Channel) -> None:
        """The two turn out to belong together: to the conversation that began first."""
        if one.conversation is two.conversation:
            return
        into, other = sorted(
            (one.conversation, two.conversation), key=lambda each: (each.began, each.name)
        )
        if two in (one.maker, self._other_half(one)):
            into, other = two.conversation, one.conversation
        into.served |= other.served
        into.rung |= other.rung
        for channel in sorted(other.channels, key=lambda each: each.uuid):
            channel.conversation = into
            if channel.part is not None:
                channel.part.conversation = into
                if channel.part.waiting is None:
                    self.say(channel.part, timeline.NOTED, joined=into.name)
        into.channels |= other.channels

    def opposite(self, channel: Channel) -> Channel | None:
        """Whom the channel is bridged with, at the end of any loopback between them."""
        partner, seen = channel.partner, {channel}
        while partner is not None and partner.latest.is_loopback and partner not in seen:
            seen.add(partner)
            half = self._other_half(partner)
            partner = half.partner if half is not None else None
        return partner

    def talking(self, channel: Channel) -> list[Part]:
        """The answered parts of agents who talk by or with `channel`."""
        ends = (channel, self.opposite(channel))
        parts = [one.part for one in ends if one is not None and one.part is not None]
        return [part for part in parts if part.agents and part.answered is not None]

    # --- Gaps -------------------------------------------------------------------------------------

    def open_gap(self, since: int) -> None:
        """From `since` on nobody listened."""
        for channel in self.channels.values():
            if channel.gap_since is None:
                channel.gap_since = since

    def close_gap(self, channel: Channel, **data: Any) -> None:
        """We hear of `channel` again, or never shall: in between we may have missed something."""
        if channel.gap_since is not None:
            gap = [channel.gap_since, max(self.at, channel.gap_since + 1)]
            channel.gap_since, channel.gap_was = None, True
            if channel.part is not None:
                self.say(channel.part, timeline.NOTED, gap=gap, **data)

    # --- Ending -----------------------------------------------------------------------------------

    def take_off(self, channel: Channel) -> None:
        del self.channels[channel.uuid]
        self._ended[channel.uuid] = None
        if len(self._ended) > _REMEMBERED:
            self._ended.popitem(last=False)
        if channel.partner is not None and channel.partner.partner is channel:
            channel.partner.partner = None
        channel.conversation.channels.discard(channel)
