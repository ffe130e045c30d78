"""How to get into an event socket, and what is asked there."""

import ssl
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from calls.providers.base import Unreachable
from calls.providers.freeswitch.event_socket.esl import GREETING, Message, Reader, encode
from calls.providers.lasting import Garbled, Refused
from calls.providers.reading import text

PORT = 8021
EVENTS = (
    "CHANNEL_CREATE CHANNEL_ORIGINATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER "
    "CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_HANGUP "
    "CHANNEL_HANGUP_COMPLETE CHANNEL_DESTROY CHANNEL_UUID CALL_UPDATE BACKGROUND_JOB HEARTBEAT"
)


@dataclass(frozen=True)
class Where:
    """An event socket and who we are there: a calls.providers.lasting.Dialect."""

    system: ClassVar = "FreeSWITCH"
    ping: ClassVar = encode("api uptime")
    opening: ClassVar = encode("api show channels as json")
    goodbye: ClassVar = encode("exit")

    host: str
    port: int
    secrets: Sequence[str]
    user: str = ""

    @classmethod
    def of_account(cls, settings: Mapping[str, Any], secrets: Sequence[str]) -> "Where":
        """From an account's settings. Unreachable if something is missing or is no port."""
        host = text(settings.get("host"))
        if not host or not secrets:
            raise Unreachable("Set the account's host and event_socket_password first.")
        port = text(settings.get("port")) or str(PORT)
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise Unreachable("The account's port is not a port.")
        return cls(host, int(port), secrets, text(settings.get("event_socket_user")))

    def tls_context(self) -> ssl.SSLContext | None:
        return None  # FreeSWITCH's event socket knows none

    def cutter(self) -> Reader:
        return Reader()

    def log_in(self, secret: str) -> Generator[bytes, Message, None]:
        """The steps of getting in, for the events that tell of calls."""
        yield from self.enter(secret)
        yield from _asked(encode(f"event plain {EVENTS}"))

    def enter(self, secret: str) -> Generator[bytes, Message, None]:
        """The steps of getting in. Refused if FreeSWITCH does not let us."""
        greeting = yield b""
        if greeting.kind == "text/rude-rejection":
            raise Refused("FreeSWITCH's access list does not let this machine in.")
        if greeting.kind != GREETING:
            raise Garbled("What answers there is no event socket of FreeSWITCH.")
        word = f"userauth {self.user}:{secret}" if self.user else f"auth {secret}"
        yield from _asked(encode(word))

    def follow_up(self, message: Message) -> bytes:
        """For each channel that is listed, all that FreeSWITCH knows of it."""
        listed = (one for one in channels_in(message) or [] if one.get("uuid"))
        return b"".join(encode(f"api uuid_dump {_word(one['uuid'])} json") for one in listed)


def _asked(command: bytes) -> Generator[bytes, Message, None]:
    """Asks, and waits for the reply; events that come meanwhile are none."""
    reply = yield command
    while reply.kind != "command/reply":
        if reply.kind == "text/disconnect-notice":
            raise Refused("FreeSWITCH closed the connection.")
        reply = yield b""
    if not reply.answer.startswith("+OK"):
        raise Refused(_refusal(reply.answer))


def _refusal(answer: str) -> str:
    if "invalid" in answer:
        return "FreeSWITCH says that the password is wrong."
    return f"FreeSWITCH refused: {answer[:100] or 'no reason given'}"


def _word(uuid: Any) -> str:
    """An id that may stand in a command."""
    return "".join(mark for mark in str(uuid) if mark.isalnum() or mark in "-_.")


def channels_in(message: Message) -> list[dict[str, Any]] | None:
    """The rows of a list of channels; None if `message` is no such list."""
    said = message.json()
    if "row_count" not in said:
        return None
    rows = said.get("rows") or []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
