"""Follows a baresip softphone by its control module, so that its calls track themselves.

ctrl_tcp speaks JSON in netstrings, `length:{...},`. Versions differ: 1.0 has no event for an
outgoing call but its first offer (CALL_LOCAL_SDP without an id), none for hold and resume, and
gives the reason of an end as free text.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple

from call_tracking import CallTracker
from callmanager_track.clocks import Moment

_LONGEST_MESSAGE = 2**20
_CONNECT_SECONDS = 2.0
_LOOK_SECONDS = 0.5  # how often to ask whether to stop
_PATIENCE = 10.0  # a phone that is away for so long has ended its calls
_DIALLING_MS = 60_000  # an offer without a call that is older than this was for something else
_NUMBER = re.compile(r"\+?[0-9][0-9.()-]{2,}")
_REFUSED = re.compile(r"[3-6]\d\d\b")
_NOT_TAKEN = {"408", "480", "487"}  # SIP: timed out, unavailable, cancelled


class Netstrings:
    """Cuts a stream of bytes into messages. ValueError for bytes that are no netstring."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        self._rest += data
        while b":" in self._rest[:8]:
            head, _, body = self._rest.partition(b":")
            length = int(head)
            if not 0 <= length <= _LONGEST_MESSAGE:
                raise ValueError(f"a message of {length} bytes")
            if len(body) <= length:
                return
            if body[length : length + 1] != b",":
                raise ValueError("a message without its end")
            self._rest = body[length + 1 :]
            message = json.loads(body[:length])
            if isinstance(message, dict):
                yield message
        if len(self._rest) >= 8:
            raise ValueError("a message without its length")


def netstring(message: dict[str, Any]) -> bytes:
    body = json.dumps(message).encode()
    return b"%d:%s," % (len(body), body)


class Call(NamedTuple):
    call_id: str
    peer: str


class Dialling(NamedTuple):
    """An outgoing call that has no id yet."""

    peer: str
    at: Moment


class Follower:
    """One phone's calls. Events that are not about calls are passed over."""

    def __init__(self, tracker: CallTracker, say: Callable[[str], object] = lambda text: None):
        self._tracker, self._say = tracker, say
        self.clock = tracker.clock
        self._calls: dict[str, Call] = {}  # by the phone's id
        self._answered: set[str] = set()
        self._dialling: list[Dialling] = []

    def take(self, event: dict[str, Any], at: Moment) -> None:
        """What one message of the phone means for its calls; it came at the moment `at`."""
        kind, phone_id, peer = (str(event.get(name, "")) for name in ("type", "id", "peeruri"))
        if event.get("response") and str(event.get("token")) == "calls":
            self._compare(str(event.get("data", "")), at)
        if not kind.startswith("CALL_"):
            return
        if not phone_id:
            if event.get("direction") == "outgoing":
                self._dialling = [d for d in self._dialling if d.at.ms_until(at) < _DIALLING_MS]
                self._dialling.append(Dialling(peer, at))
            return
        if phone_id not in self._calls:
            self._begin(phone_id, peer, event.get("direction") == "incoming", at)
        call = self._calls[phone_id]
        if kind == "CALL_ESTABLISHED":
            self._answered.add(phone_id)
            self._tracker.answer(call_id=call.call_id, at=at)
        elif kind == "CALL_HOLD":
            self._tracker.hold(call_id=call.call_id)
        elif kind == "CALL_RESUME":
            self._tracker.resume(call_id=call.call_id)
        elif kind == "CALL_CLOSED":
            self._end(phone_id, self._status(phone_id, str(event.get("param", ""))), at)

    def _begin(self, phone_id: str, peer: str, incoming: bool, at: Moment) -> None:
        dialled = None if incoming else next((d for d in self._dialling if d.peer == peer), None)
        if dialled is not None:
            self._dialling.remove(dialled)
        phone, reference = number_of(peer)
        call_id = self._tracker.start_call(
            reference,
            phone,
            direction="inbound" if incoming else "outbound",
            provider="baresip",
            started=at if dialled is None else dialled.at,
        )
        self._calls[phone_id] = Call(call_id, peer)
        self._say(f"{'from' if incoming else 'to'} {phone or reference}: started")

    def _status(self, phone_id: str, reason: str) -> str:
        if phone_id in self._answered:
            return "COMPLETED" if "reset by" in reason or not reason else "DROPPED"
        if _REFUSED.match(reason) and reason[:3] not in _NOT_TAKEN:
            return "FAILED"
        return "NO_ANSWER"

    def _end(self, phone_id: str, status: str, at: Moment) -> None:
        call = self._calls.pop(phone_id)
        self._answered.discard(phone_id)
        # The next event is waiting, and its moment is when we read it.
        result = self._tracker.end_call(status, call_id=call.call_id, at=at, wait=0)
        length = self._tracker.format_duration(result["duration_seconds"])
        self._say(f"{call.peer}: {status} after {length}")

    def lost(self, at: Moment) -> None:
        """The phone went away at the moment `at` and did not come back: so did its calls."""
        for phone_id in list(self._calls):
            self._drop(phone_id, at)
        self._dialling.clear()

    def _drop(self, phone_id: str, at: Moment) -> None:
        self._end(phone_id, "DROPPED" if phone_id in self._answered else "NO_ANSWER", at)

    def _compare(self, listed: str, at: Moment) -> None:
        """After a broken line: calls that the phone does not list any more ended meanwhile."""
        for phone_id, call in list(self._calls.items()):
            if call.peer.split(";")[0] not in listed:
                self._drop(phone_id, at)


def number_of(uri: str) -> tuple[str | None, str | None]:
    """The phone number of a SIP address, else the address as a reference: one of the two is None.

    `sip:+50688887777@pbx` has a number, `sip:bob@pbx` has not.
    """
    user = re.sub(r"^[a-z]+:", "", uri).partition("@")[0].partition(";")[0]
    if _NUMBER.fullmatch(user):
        return user[:64], None
    return None, uri.partition(";")[0][:100] or None


def follow(
    follower: Follower,
    host: str,
    port: int,
    stop: threading.Event,
    say: Callable[[str], object] = lambda text: None,
) -> None:
    """Follows the phone at `host`:`port` until `stop`, through its restarts and broken lines."""
    clock = follower.clock
    gone: Moment | None = None
    deadline = 0.0
    known = True
    while not stop.is_set():
        try:
            with socket.create_connection((host, port), timeout=_CONNECT_SECONDS) as line:
                say(f"following baresip at {host}:{port}")
                known = True
                _listen(follower, line, gone, stop)
        except (OSError, ValueError) as error:
            if known:
                say(f"baresip does not answer at {host}:{port} ({error}); trying again")
            known = False
        if gone is None or known:
            gone, deadline = clock.now(), clock.seconds() + _PATIENCE
        if clock.seconds() > deadline:
            follower.lost(gone)
        clock.wait(stop, _LOOK_SECONDS)
    follower.lost(clock.now())


def _listen(
    follower: Follower, line: socket.socket, gone: Moment | None, stop: threading.Event
) -> None:
    """Hands on every message until the line breaks."""
    messages = Netstrings()
    line.settimeout(_LOOK_SECONDS)
    line.sendall(netstring({"command": "listcalls", "token": "calls"}))
    while not stop.is_set():
        try:
            data = line.recv(65536)
        except socket.timeout:
            continue
        at = follower.clock.now()
        if not data:
            return
        for message in messages.feed(data):
            answers_us = bool(message.get("response"))
            follower.take(message, gone if answers_us and gone is not None else at)
