"""Follows the calls of one FreeSWITCH through its events and tells what agents did.

Pure: messages in, facts out (calls.providers.base.ProviderEvent); no I/O, no database, no clock.

- One call an agent's part, under the name that the record of the same leg will give it (see
  calls.providers.freeswitch.legs), so that the record confirms the call and makes no other.
- Every event tells its channel as it is, with the instants of what happened to it: what was missed
  is known from the next one, and nothing depends on the order in which they come.
- Phones that rang in vain have no call; a caller whom nobody served is a call without an agent.
- A part is on hold while either phone keeps the other waiting; each presser is a party.
- Numbers of events count what we did not ask for, too: a hole in them is no loss. A number that
  came before is an event that was heard; another core is a FreeSWITCH that has started again.
- What happened while nobody listened is never invented: those calls are marked with a gap.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

from calls import timeline
from calls.providers.base import ProviderEvent, Unreadable
from calls.providers.freeswitch.ending import UNHOLD_DELAY
from calls.providers.freeswitch.event_socket import course, resync
from calls.providers.freeswitch.event_socket.board import Board
from calls.providers.freeswitch.event_socket.channels import Channel, Conversation, Part
from calls.providers.freeswitch.event_socket.esl import GREETING, Message, event_of
from calls.providers.freeswitch.event_socket.snapshot import Snapshot, instant
from calls.providers.freeswitch.event_socket.where import channels_in
from calls.providers.reading import number_of, text

_HEARD = 10_000  # numbers of events that may be repeated
_DUMPED = "CHANNEL_DATA"


class Tracker:
    """`read` every message; it answers with the facts that the message proves."""

    def __init__(self) -> None:
        self.board = Board()
        self.remarks: list[str] = []
        self.heard: int | None = None  # ms; the latest instant on FreeSWITCH's clock
        self._is_fresh = False  # `heard` is of this connection
        self._greeted = self._listing = False
        self._core = ""
        self._numbers: OrderedDict[tuple[str, int], None] = OrderedDict()

    # --- calls.providers.lasting.Follower ---------------------------------------------------------

    def read(self, message: Message, received: int) -> list[ProviderEvent]:
        if message.kind == GREETING:
            if self._greeted:
                self.lost()
            self._greeted = self._listing = True
        elif message.event:
            self._take_event(message, received)
        elif message.kind == "api/response":
            self._take_answer(message, received)
        return self.board.take_events()

    def lost(self) -> list[ProviderEvent]:
        course.lose(
            self.board, [one for one in self.board.channels.values() if one.hung_up is not None]
        )
        if self.heard is not None:
            self.board.open_gap(self.heard)
        self._is_fresh, self._listing = False, True
        return self.board.take_events()

    def finish(self) -> list[ProviderEvent]:
        events = self.lost()
        self.board.at = self.heard or 0
        course.lose(self.board, self.board.channels.values())
        return events + self.board.take_events()

    def know(self, names: frozenset[str]) -> None:
        """Whose a phone is, its name tells here, as in records."""

    def remember(self, running: Mapping[str, int | None]) -> None:
        self.board.remembered = running

    def expect(self, calls: Iterable[str], since: int) -> None:
        self.board.expected = dict.fromkeys(calls, since)

    def instant_of(self, message: Message) -> int:
        return instant(message.get("Event-Date-Timestamp")) or 0

    def clock_of(self, message: Message) -> int:
        return self.instant_of(message) if message.event == "HEARTBEAT" else 0

    # --- Messages ---------------------------------------------------------------------------------

    def _take_event(self, message: Message, received: int) -> None:
        number = number_of(message.get("Event-Sequence")) or 0
        if self._is_repeated(message, number):
            return
        self._see_core(text(message.get("Core-UUID")))
        at = self.instant_of(message)
        self.board.at = at or received
        self.heard = max(self.heard or 0, self.board.at)
        self._is_fresh = True
        if message.event == "BACKGROUND_JOB":
            _background_job(self.board, message)
        elif message.get("Unique-ID"):
            self._see_channel(message, number)

    def _is_repeated(self, message: Message, number: int) -> bool:
        key = (message.get("Core-UUID"), number)
        if not number:
            return False
        if key in self._numbers:
            return True
        self._numbers[key] = None
        if len(self._numbers) > _HEARD:
            self._numbers.popitem(last=False)
        return False

    def _see_core(self, core: str) -> None:
        """A FreeSWITCH that has started again has no call of before."""
        if core and self._core and core != self._core:
            self.remarks.append("has started again")
            if self.heard is not None:
                self.board.open_gap(self.heard)
            course.lose(self.board, self.board.channels.values(), gone=True)
        self._core = core or self._core

    def _see_channel(self, message: Message, number: int) -> None:
        said = Snapshot(message)
        if message.event == "CHANNEL_UUID":
            _rename(self.board, text(message.get("Old-Unique-ID")), said.uuid)
        try:
            channel = self.board.channel_of(said, number)
        except Unreadable as error:
            self.remarks.append(f"says of a channel what cannot be read: {error}")
            return
        if channel is not None:
            _see_state(self.board, channel, said)
            if message.event in HANDLERS:
                HANDLERS[message.event](self.board, channel, said)

    def _take_answer(self, message: Message, received: int) -> None:
        """The answer to a question: which channels are up, or all that is known of one."""
        self.board.at = self.heard if self._is_fresh and self.heard else received
        rows = channels_in(message)
        if rows is not None:
            self._listing = False
            resync.take(self.board, rows)
        elif self._listing and message.body.startswith(("-ERR", "-USAGE")):
            self._listing = False
            self.remarks.append(f"lists no channels: {message.body.strip()[:100]}")
            resync.unlisted(self.board)
        elif message.json().get("Event-Name") == _DUMPED:
            dumped = event_of(message.json())
            self.board.at = self.instant_of(dumped) or self.board.at
            self._see_channel(dumped, number_of(dumped.get("Event-Sequence")) or 0)


# --- What an event changes on the board -----------------------------------------------------------


def _see_state(board: Board, channel: Channel, said: Snapshot) -> None:
    """What the channel's own instants tell, whichever event brings them."""
    if channel.answered is not None and channel.reading().was_called:
        course.answer(board, channel, channel.answered)
    near = [one for one in (channel.maker, *channel.made) if one is not None]
    for one in (channel, *near):
        other = board.channels.get(one.latest.bridged_to)
        if other is not None and channel in (one, other):
            _have_met(board, one, other)


def _have_met(board: Board, one: Channel, other: Channel) -> None:
    """They are bridged, and we may not have heard when that began."""
    both = (one, other)
    if one is other or other in one.met or all(each.hung_up is not None for each in both):
        return
    if all(each.answered is not None for each in both):
        course.meet(board, one, other, one.latest.bridged or board.at)


def _progress(board: Board, channel: Channel, said: Snapshot) -> None:
    at = said.time("Progress") or said.time("Progress-Media") or board.at
    for one in (channel, channel.maker):
        if one is not None and one.part is not None and not one.has_rung:
            one.has_rung = True
            if one.part.answered is None:
                board.say(one.part, timeline.RINGING, at)


def _bridge(board: Board, channel: Channel, said: Snapshot) -> None:
    other = board.channels.get(said.bridged_to)
    if other is not None and other is not channel:
        course.meet(board, channel, other, said.bridged or board.at)


def _unbridge(board: Board, channel: Channel, said: Snapshot) -> None:
    course.part_ways(board, channel)


def _hold(board: Board, channel: Channel, said: Snapshot) -> None:
    if channel.held_since is not None:
        return
    channel.held_since = said.hold_began or board.at
    channel.held_before, channel.phone_holds = said.held_in_all, said.phone_holds
    for part in board.talking(channel):
        channel.holding.add(part)
        board.say(part, timeline.HELD, channel.held_since, party=said.name)


def _unhold(board: Board, channel: Channel, said: Snapshot) -> None:
    """FreeSWITCH tells the whole time on hold; a phone took the call back a moment before."""
    since = channel.held_since or said.hold_began
    held = (said.held_in_all - channel.held_before) // 1000
    at = board.at if since is None or held <= 0 else since + held
    if channel.phone_holds:
        at = max(at - UNHOLD_DELAY, since or 0)
    # Whoever is there now too: an earlier process may have heard the hold.
    channel.holding.update(board.talking(channel))
    channel.held_since = since
    course.release(board, channel, at)


def _data(board: Board, channel: Channel, said: Snapshot) -> None:
    if said.message.get("Channel-Call-State") == "HELD":
        _hold(board, channel, said)


def _update(board: Board, channel: Channel, said: Snapshot) -> None:
    channel.updated.append(board.at)


def _hangup(board: Board, channel: Channel, said: Snapshot) -> None:
    channel.hung_up = min(channel.hung_up or board.at, board.at)


def _complete(board: Board, channel: Channel, said: Snapshot) -> None:
    if channel.gap_was:  # holds that nobody heard
        for since, until in said.holds():
            for part in board.talking(channel):
                board.say(part, timeline.HELD, since, party=said.name)
                board.say(part, timeline.RESUMED, until - UNHOLD_DELAY, party=said.name)
    course.finish(board, channel)


HANDLERS: Mapping[str, Callable[[Board, Channel, Snapshot], None]] = {
    "CHANNEL_PROGRESS": _progress,
    "CHANNEL_PROGRESS_MEDIA": _progress,
    "CHANNEL_BRIDGE": _bridge,
    "CHANNEL_UNBRIDGE": _unbridge,
    "CHANNEL_HOLD": _hold,
    "CHANNEL_UNHOLD": _unhold,
    "CALL_UPDATE": _update,
    "CHANNEL_HANGUP": _hangup,
    "CHANNEL_HANGUP_COMPLETE": _complete,
    "CHANNEL_DESTROY": _complete,
    _DUMPED: _data,
}


def _rename(board: Board, old: str, new: str) -> None:
    """A channel has another id from now on; a call that was reported keeps its name."""
    channel = board.channels.get(old)
    if channel is None or not new or new in board.channels:
        return
    board.channels[new] = board.channels.pop(old)
    channel.uuid = new
    if channel.part is not None and channel.part.waiting is not None:
        channel.part.call = new


def _background_job(board: Board, message: Message) -> None:
    """A call that we placed came to nothing: the agent's phone could not even be made to ring."""
    call, ordered = message.get("Job-UUID"), message.get("Job-Command-Arg")
    is_ours = f"origination_uuid={call}," in ordered
    if not is_ours or not message.body.startswith("-ERR") or board.has_known(call):
        return
    agent = re.search(r"dialed_user=([^,}]+)", ordered)
    part = Part(call, Conversation(call, board.at), waiting=None, direction="outbound")
    part.agents = (agent[1],) if agent else ()
    board.say(part, timeline.ENDED, status=timeline.FAILED, reason="network")
