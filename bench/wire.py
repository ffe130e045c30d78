"""HTTP/1.1 as the client speaks it: requests as bytes, answers as they come, kept connections.

Written out by hand because the client must cost little: it shares the machine with the servers.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

HOST: Final = "127.0.0.1"
_PATIENCE: Final = 60.0  # seconds for an answer
Answer = tuple[int, bytes]  # the status and the body


class Broken(Exception):
    """The server hung up in the middle of an answer, or before one."""


def request(
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes | Mapping[str, Any] | None = None,
) -> bytes:
    """One request on a kept connection; a mapping is sent as JSON."""
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {HOST}",
        *(f"{k}: {v}" for k, v in headers.items()),
    ]
    if isinstance(body, Mapping):
        body = json.dumps(body).encode()
        lines.append("Content-Type: application/json")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


class Reader:
    """Puts one answer after the other together from the pieces that arrive."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, piece: bytes) -> Answer | None:
        """The answer, once it is complete."""
        self._buffer += piece
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self._buffer[:end]).lower()
        body = self._body(head, end + 4)
        if body is None:
            return None
        return int(head[9:12]), body

    def _body(self, head: bytes, at: int) -> bytes | None:
        if b"\r\ntransfer-encoding: chunked" in head:
            return self._chunks(at)
        _before, found, rest = head.partition(b"\r\ncontent-length:")
        until = at + (int(rest.split(b"\r\n", 1)[0]) if found else 0)
        if len(self._buffer) < until:
            return None
        body = bytes(self._buffer[at:until])
        del self._buffer[:until]
        return body

    def _chunks(self, at: int) -> bytes | None:
        parts: list[bytes] = []
        while (line := self._buffer.find(b"\r\n", at)) >= 0:
            size = int(self._buffer[at:line].split(b";")[0], 16)
            at = line + 2 + size + 2
            if len(self._buffer) < at:
                return None
            if size == 0:
                del self._buffer[:at]
                return b"".join(parts)
            parts.append(bytes(self._buffer[line + 2 : line + 2 + size]))
        return None


class Connection(asyncio.Protocol):
    """One kept connection to 127.0.0.1:`port`; asks one thing at a time."""

    def __init__(self, port: int):
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._reader = Reader()
        self._waiting: asyncio.Future[Answer] | None = None

    def data_received(self, data: bytes) -> None:
        try:
            answer = self._reader.feed(data)
        except ValueError:
            self._settle(Broken("this is no HTTP"))
            return
        if answer is not None and self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._settle(Broken("the server hung up"))

    def _settle(self, broken: Broken) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(broken)

    async def ask(self, asked: bytes) -> Answer:
        """Raises Broken, OSError or TimeoutError."""
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing():
            self._reader = Reader()
            self._transport, _ = await loop.create_connection(lambda: self, HOST, self._port)
        self._waiting = loop.create_future()
        self._transport.write(asked)
        async with asyncio.timeout(_PATIENCE):
            return await self._waiting

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
