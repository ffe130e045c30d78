"""Asterisk's manager interface as bytes: what is read becomes messages, actions become bytes.

A message is lines of `Key: value` that end with CRLF, and an empty line. Keys are the same in any
case, come in any order and may repeat. A name may be in any encoding. No I/O.
"""

import hashlib
from collections.abc import Iterator

from calls.providers.lasting import Garbled

BANNER = "Asterisk Call Manager/"
# No message of Asterisk comes near these; what does is no Asterisk, and must not fill our memory.
MAX_LINE, MAX_LINES = 64 * 1024, 2000


class NotAmi(Garbled):
    """What came is no manager interface, or not one that can be trusted further."""


class Message:
    """One message. Keys are asked for in any case; of a repeated key `get` gives the first."""

    __slots__ = ("_values",)

    def __init__(self, pairs: list[tuple[str, str]]):
        self._values: dict[str, list[str]] = {}
        for key, value in pairs:
            self._values.setdefault(key.lower(), []).append(value)

    def get(self, key: str, default: str = "") -> str:
        """The first value of `key`. What Asterisk calls <unknown> or <null> is empty."""
        value = self._values.get(key.lower(), [default])[0]
        return "" if value in ("<unknown>", "<null>") else value

    def all(self, key: str) -> list[str]:
        return self._values.get(key.lower(), [])

    def __contains__(self, key: str) -> bool:
        return key.lower() in self._values

    @property
    def event(self) -> str:
        """The name of the event; "" for a response."""
        return self.get("Event")

    def __repr__(self) -> str:
        return f"Message({self._values})"


class Banner(Message):
    """The line with which Asterisk greets whoever connects."""


class Reader:
    """Cuts a stream of bytes, given in pieces of any size, into messages.

    A message whose end has not come is never given out: half a message may say the wrong thing.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._pairs: list[tuple[str, str]] = []

    @property
    def unfinished(self) -> bool:
        """Whether the stream, if it ended here, ended within a message."""
        return bool(self._rest or self._pairs)

    def feed(self, piece: bytes) -> list[Message]:
        """The messages that `piece` completes. NotAmi for lines or messages beyond all measure."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > MAX_LINE:
            raise NotAmi("A line without an end came.")
        return [message for line in lines for message in self._take(_text(line))]

    def _take(self, line: str) -> Iterator[Message]:
        if line.startswith(BANNER):
            # A new connection: what the old one left unfinished is gone.
            self._pairs = []
            yield Banner([("Banner", line)])
        elif line:
            key, colon, value = line.partition(":")
            if colon:
                self._pairs.append((key.strip(), value.strip()))
            if len(self._pairs) > MAX_LINES:
                raise NotAmi("A message without an end came.")
        elif self._pairs:
            pairs, self._pairs = self._pairs, []
            yield Message(pairs)


def _text(line: bytes) -> str:
    line = line.removesuffix(b"\r")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


def encode(action: str, fields: dict[str, str] | None = None) -> bytes:
    """The bytes of an action. ValueError if a field would smuggle in a line of its own."""
    pairs = [("Action", action), *(fields or {}).items()]
    if any(mark in text for pair in pairs for text in pair for mark in "\r\n\0"):
        raise ValueError("A manager action cannot hold a line break.")
    return "".join(f"{key}: {value}\r\n" for key, value in pairs).encode() + b"\r\n"


def login_key(challenge: str, secret: str) -> str:
    """The proof of knowing `secret` that a login by challenge sends (MD5 is what Asterisk asks)."""
    return hashlib.md5((challenge + secret).encode(), usedforsecurity=False).hexdigest()
