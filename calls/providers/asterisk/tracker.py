"""Follows the calls of one Asterisk through its manager's messages and tells what agents did.

Pure: messages in, facts out (calls.providers.base.ProviderEvent); no I/O, no database, no clock.

- One call an agent's part: `call` is the Uniqueid of the agent's leg, `conversation` the Linkedid.
- A caller's ring begins with the call, a dialled agent's with the dial. Of a call that a program
  set up (Originate), the ring that counts is that of the other side: until it is dialled, the
  start is provisional.
- Answered is when a dial ends with ANSWER, or two legs meet in a bridge without one. The end is
  when the agent's leg, or the last leg it dealt with, is gone.
- A part is on hold while any leg of its bridge presses hold; each presser is a party of its own.
- Agents rung in vain have a call only if nobody else was rung for it; a queue's members never. A
  caller whom nobody served is a call without an agent.
- Who parks a call has ended it there; who fetches it, or picks up one that rings elsewhere, has the
  caller's call. A room is a call of everybody in it; whoever is paged has none.
- What happened while nobody listened is never invented: those calls are marked with a gap.
"""

from collections.abc import Iterable, Mapping

from calls.providers.asterisk import resync
from calls.providers.asterisk.ami import Banner, Message
from calls.providers.asterisk.dialplan import Dialplan
from calls.providers.asterisk.event_handlers import HANDLERS
from calls.providers.asterisk.manager import SYNC
from calls.providers.asterisk.state import Board
from calls.providers.base import ProviderEvent, Unreadable, seconds_to_ms

_LISTED = ("coreshowchannel", "status")
_LIST_COMPLETE = ("coreshowchannelscomplete", "statuscomplete")
# Without `timestampevents` only our clock says when we received an event.
RECEIVED_PRECISION = 1000  # ms


class Tracker:
    """`read` every message, in order; it answers with the facts that the message proves.

    It is the calls.providers.lasting.Follower of Asterisk.
    """

    def __init__(self, dialplan: Dialplan):
        self.board = Board(dialplan)
        self.remarks: list[str] = []
        self.untimed = 0  # events that came without an instant
        self.heard: int | None = None  # ms; the latest instant on Asterisk's clock
        self._is_fresh = False  # `heard` is of this connection
        self._greeted = False
        self._listed: list[Message] = []
        self._expected: dict[str, int] = {}

    def read(self, message: Message, received: int) -> list[ProviderEvent]:
        """The facts that `message`, received at `received` (ms), proves."""
        if isinstance(message, Banner):
            if self._greeted:
                self.lost()
            self._greeted = True
            return []
        if _is_answer(message) and _is_refusal(message):
            self.remarks.append(f"lists no channels: {message.get('Message')}")
            return self.unlisted()
        self._set_clock(message, received)
        self.board.decide()
        name = message.event.lower()
        if name in _LISTED:
            self._listed.append(message)
        elif name in _LIST_COMPLETE:
            self.board.at = self.heard if self._is_fresh and self.heard else received
            resync.take(self.board, self._take_listed(), self._take_expected())
        elif name in HANDLERS:
            HANDLERS[name](self.board, message)
        return self.board.take_events()

    def lost(self) -> list[ProviderEvent]:
        """The connection is gone: from the last instant heard on, we may miss something."""
        if self.heard is not None:
            self.board.open_gap(self.heard)
        self._listed, self._is_fresh = [], False
        return []

    def know(self, names: frozenset[str]) -> None:
        self.board.dialplan.known = names

    def remember(self, running: Mapping[str, int | None]) -> None:
        self.board.remembered = running

    def instant_of(self, message: Message) -> int:
        try:
            return seconds_to_ms(message.get("Timestamp"))
        except Unreadable:
            return 0

    def clock_of(self, message: Message) -> int:
        return self.instant_of(message) if _is_answer(message) else 0

    def expect(self, calls: Iterable[str], since: int) -> None:
        """Calls that ran when an earlier process last listened, at `since` (ms)."""
        self._expected = dict.fromkeys(calls, since)

    def unlisted(self) -> list[ProviderEvent]:
        """Asterisk does not tell which channels are up: all that ran before is uncertain."""
        for leg in self.board.legs.values():
            self.board.close_gap(leg)
        resync.mark(self.board, self._take_expected())
        return self.board.take_events()

    def finish(self) -> list[ProviderEvent]:
        """Nobody will listen any more: what runs stays open, and is marked."""
        self.lost()
        self.board.at = self.heard or 0
        self.board.lose(list(self.board.legs.values()))
        return self.board.take_events()

    @property
    def running(self) -> list[str]:
        """The calls that have been reported and have not ended."""
        parts = [leg.part for leg in self.board.legs.values() if leg.part is not None]
        return [part.call for part in parts if part.waiting is None]

    def _set_clock(self, message: Message, received: int) -> None:
        try:
            at, precision = seconds_to_ms(message.get("Timestamp")), 1
        except Unreadable:
            at, precision = received, RECEIVED_PRECISION
            if message.event.lower() not in HANDLERS:
                return
            if not self.untimed:
                self.remarks.append("sends no instants; set timestampevents = yes in manager.conf")
            self.untimed += 1
        self.heard = max(self.heard or 0, at)
        self._is_fresh = True
        self.board.at, self.board.precision = at, precision

    def _take_listed(self) -> list[Message]:
        listed, self._listed = self._listed, []
        return listed

    def _take_expected(self) -> dict[str, int]:
        expected, self._expected = self._expected, {}
        return expected


def _is_answer(message: Message) -> bool:
    return "Response" in message and not message.event


def _is_refusal(message: Message) -> bool:
    """Whether Asterisk does not tell which channels are up."""
    return message.get("Response") == "Error" and message.get("ActionID") == SYNC
