"""What a lasting connection hears becomes calls: one thread an account, in order.

The connection hands over what it hears and never waits; a database that does not answer makes the
thread wait and try again, not the connection.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

from django.db import close_old_connections, connections
from django.db.models import Q
from django.utils.translation import gettext_noop

from accounts.models import User
from calls.models import CallLog, ProviderAccount, ProviderIdentity
from calls.providers.base import ProviderEvent
from calls.providers.lasting import Heard, Item, Listened, Up
from calls.telephony import intake
from calls.telephony.hooks import adapter_of, heard
from common.databases.faults import is_fault
from common.instants import now, to_ms

logger = logging.getLogger(__name__)

# What an account's `state` says; kept in English, translated where it is shown.
CONNECTED, NOT_CONNECTED = gettext_noop("connected"), gettext_noop("not connected")
NOT_LISTENING = gettext_noop("not listening")

_AT_ONCE = 500  # messages that are recorded together when many wait
_AGENTS_STEP = 60.0  # seconds between looks at who has which extension
_RETRIES = (0.2, 1, 5, 15, 30)  # seconds; the last again and again
_CLOCK_TOLERANCE = 2_000  # ms


class Listener:
    """Records what is heard of one account: `put` from anywhere, `run` in a thread of its own."""

    def __init__(self, account: ProviderAccount):
        self.account = account
        adapter = adapter_of(account)
        assert isinstance(adapter, Listened)
        self.follower = adapter.follower()
        self._items: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._next_look = 0.0
        self._clock_reported = False

    def put(self, item: Item) -> None:
        self._items.put(item)

    def stop(self) -> None:
        """Ends `run` as soon as everything that was put before is recorded."""
        self._stopping.set()
        self._items.put(None)

    def run(self) -> None:
        try:
            self._insist(self.expect_running)
            while (items := self._next_items()) is not None:
                self._take(items)
        finally:
            self._say(NOT_LISTENING)
            connections.close_all()

    def expect_running(self) -> None:
        """The calls that ran when somebody last listened: it will be said which still do."""
        running = self.remember_running()
        since = self.account.last_heard_at or now()
        self.follower.expect(running, to_ms(since))

    def remember_running(self) -> dict[str, int | None]:
        """The calls that have been reported and have not ended, and when (ms) they were
        answered."""
        running = CallLog.objects.active().filter(account=self.account)
        rows = running.values_list("provider_call_id", "answered_time")
        known = {call: None if answered is None else to_ms(answered) for call, answered in rows}
        self.follower.remember(known)
        return known

    def _next_items(self) -> list[Item] | None:
        """What waits, at least one; None once it is time to stop."""
        first = self._items.get()
        if first is None:
            return None
        items = [first]
        while len(items) < _AT_ONCE:
            try:
                item = self._items.get_nowait()
            except queue.Empty:
                break
            if item is None:
                self._items.put(None)
                break
            items.append(item)
        return items

    def _take(self, items: list[Item]) -> None:
        self._insist(self._look_for_agents)
        events: list[ProviderEvent] = []
        for item in items:
            if isinstance(item, Heard):
                events += self._read(item)
            elif isinstance(item, Up):
                self._say(CONNECTED)
                logger.info("Listening to %s", self.account.name)
            else:
                events += self.follower.lost()
                self._say(f"{NOT_CONNECTED}: {item.why}")
                logger.warning("%s is not connected: %s", self.account.name, item.why)
        self._record(events)
        if any(isinstance(item, Heard) for item in items):
            self._insist(lambda: heard(self.account))

    def _read(self, item: Heard) -> list[ProviderEvent]:
        self._check_clock(item)
        events = self.follower.read(item.message, item.received)
        remarks, self.follower.remarks = self.follower.remarks, []
        for remark in remarks:
            logger.warning("%s %s", self.account, remark)
        return events

    def _check_clock(self, item: Heard) -> None:
        reported = self.follower.clock_of(item.message)
        off = reported - item.received
        if reported and abs(off) > _CLOCK_TOLERANCE and not self._clock_reported:
            self._clock_reported = True
            logger.warning("The clock of %s differs from ours by %d ms", self.account, off)

    def _look_for_agents(self) -> None:
        if time.monotonic() >= self._next_look:
            self.follower.know(names_of_agents(self.account))
            self._next_look = time.monotonic() + _AGENTS_STEP

    def _record(self, events: list[ProviderEvent]) -> None:
        """Records `events`; what cannot be recorded for its own fault is named in the log."""
        by_call: dict[str, list[ProviderEvent]] = {}
        for event in events:
            by_call.setdefault(event.call, []).append(event)
        for call, its_events in by_call.items():
            try:
                self._insist(partial(record_now, self.account, its_events))
            except Exception:
                logger.exception("Call %s of %s could not be recorded", call, self.account)

    def _insist(self, what: Callable[[], object]) -> None:
        """Does `what`, again and again while the database does not answer and nobody stops us."""
        tries = 0
        while True:
            try:
                what()
                return
            except Exception as error:
                if not is_fault(error):
                    raise
                close_old_connections()
                wait = _RETRIES[min(tries, len(_RETRIES) - 1)]
                tries += 1
                logger.warning("The database does not answer, again in %s s: %s", wait, error)
                if self._stopping.wait(wait) and tries >= len(_RETRIES):
                    raise

    def _say(self, state: str) -> None:
        def write() -> None:
            ProviderAccount.objects.filter(pk=self.account.pk).update(state=state[:200])

        self.account.state = state
        self._insist(write)


def record_now(account: ProviderAccount, events: Iterable[ProviderEvent]) -> list[CallLog]:
    return intake.record(account, events, received=now())


def names_of_agents(account: ProviderAccount) -> frozenset[str]:
    """All that an agent of ours may be called at this phone system, in small letters."""
    identities = ProviderIdentity.objects.filter(Q(account=account) | Q(account=None))
    extensions = User.objects.filter(is_active=True).exclude(extension="")
    names = (
        *identities.values_list("identity", flat=True),
        *extensions.values_list("extension", flat=True),
    )
    return frozenset(name.casefold() for name in names)
