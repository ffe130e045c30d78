"""FreeSWITCH's event socket as bytes: what is read becomes messages, commands become bytes. No I/O.

A message is lines of `Key: value`, an empty line, and as many bytes of a body as Content-Length
says. The body of an event is lines again, whose values are written as in an address, or JSON; an
event may hold a text of its own behind its lines.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from calls.providers.lasting import Garbled

GREETING = "auth/request"
_GREETS = b"Content-Type: auth/request"
# No message of FreeSWITCH comes near these; what does is none, and must not fill our memory.
MAX_HEAD, MAX_BODY = 64 * 1024, 32 * 1024 * 1024


class Message:
    """One message. `fields` are those of the event, or of the message itself if it is none; `body`
    is the text behind them."""

    __slots__ = ("body", "fields", "kind")

    def __init__(self, kind: str, fields: Mapping[str, str], body: str = ""):
        self.kind, self.fields, self.body = kind, fields, body

    def get(self, name: str) -> str:
        return self.fields.get(name, "")

    @property
    def event(self) -> str:
        """The name of the event; "" for what is none."""
        return self.get("Event-Name") if self.kind.startswith("text/event-") else ""

    @property
    def answer(self) -> str:
        """What FreeSWITCH answers to a command."""
        return self.get("Reply-Text") or self.body

    def json(self) -> dict[str, Any]:
        """The answer as a JSON object; {} if it is none."""
        return _object(self.body) or {} if self.kind == "api/response" else {}

    def __repr__(self) -> str:
        return f"Message({self.kind!r}, {dict(self.fields)}, {self.body!r:.200})"


class Reader:
    """Cuts a stream of bytes, given in pieces of any size, into messages.

    A message whose end has not come is never given out. Where a new connection greets, what the old
    one left unfinished is gone.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[Message]:
        """The messages that `piece` completes. Garbled for what cannot be a message."""
        self._rest += piece
        messages, place = [], 0
        while (found := self._cut(place)) is not None:
            message, place = found
            if message is not None:
                messages.append(message)
        self._rest = self._rest[place:]
        return messages

    def _cut(self, since: int) -> tuple[Message | None, int] | None:
        """The next message, None for one that broke off, and where it ends; None if none is
        complete."""
        while self._rest[since : since + 1] in (b"\n", b"\r"):
            since += 1
        head, begins = self._head(since)
        greets = self._rest.find(_GREETS, since + 1, len(self._rest) if head is None else begins)
        if greets >= 0:
            return None, greets
        if head is None:
            if len(self._rest) - since > MAX_HEAD:
                raise Garbled("A message without an end came.")
            return None
        fields = dict(_lines(head))
        ends = begins + _length(fields.get("Content-Length", "0"))
        greets = self._rest.find(_GREETS, begins, ends + len(_GREETS) - 1)
        if greets >= 0:
            return None, greets
        return None if ends > len(self._rest) else (_message(fields, self._rest[begins:ends]), ends)

    def _head(self, since: int) -> tuple[bytes | None, int]:
        """The lines up to an empty one, and where what follows begins."""
        until = since + MAX_HEAD
        place = self._rest.find(b"\n\n", since, until)
        with_returns = self._rest.find(b"\n\r\n", since, until if place < 0 else place)
        if with_returns >= 0:
            return self._rest[since:with_returns], with_returns + 3
        return (None, since) if place < 0 else (self._rest[since:place], place + 2)


def _length(said: str) -> int:
    if not said.isascii() or not said.isdigit() or len(said) > 9 or int(said) > MAX_BODY:
        raise Garbled(f"A message says that it is {said!r:.40} bytes long.")
    return int(said)


def _message(fields: dict[str, str], raw: bytes) -> Message:
    kind = fields.get("Content-Type", "")
    if kind == "text/event-plain":
        head, _, body = raw.partition(b"\n\n")
        values = {name: _text(unquote_to_bytes(value)) for name, value in _lines(head)}
        return Message(kind, values, _text(body))
    if kind == "text/event-json":
        return event_of(_object(_text(raw)), kind)
    return Message(kind, fields, _text(raw))


def event_of(said: dict[str, Any] | None, kind: str = "text/event-json") -> Message:
    """An event that is told as JSON. Garbled if it is none."""
    if said is None:
        raise Garbled("An event is not valid JSON.")
    values = {name: _plain(value) for name, value in said.items() if name != "_body"}
    return Message(kind, values, _plain(said.get("_body", "")))


def _plain(value: Any) -> str:
    return "|:".join(map(str, value)) if isinstance(value, list) else str(value)


def _object(said: str) -> dict[str, Any] | None:
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _lines(head: bytes) -> Iterator[tuple[str, str]]:
    """Names and values; of a repeated name only the first."""
    seen = set()
    for line in head.split(b"\n"):
        name, colon, value = _text(line).partition(":")
        if colon and name not in seen:
            seen.add(name)
            yield name.strip(), value.strip()


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def encode(command: str, fields: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a command. ValueError if a part would smuggle in a line of its own."""
    lines = [command, *(f"{name}: {value}" for name, value in (fields or {}).items())]
    if any(mark in line for line in lines for mark in "\r\n\0"):
        raise ValueError("A command cannot hold a line break.")
    return "\n".join(lines).encode() + b"\n\n"
