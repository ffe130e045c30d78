"""A short visit to an event socket: get in, ask, leave."""

import socket
import time
from types import TracebackType

from calls.providers.base import Unreachable
from calls.providers.freeswitch.event_socket.esl import Message, encode
from calls.providers.freeswitch.event_socket.where import Where
from calls.providers.lasting import Garbled, Refused

_PATIENCE = 10.0  # seconds for a whole visit
_ANSWERS = ("api/response", "command/reply")


class Visit:
    """A connection without events. Unreachable if anything fails."""

    def __init__(self, where: Where):
        self._where = where
        self._deadline = time.monotonic() + _PATIENCE

    def __enter__(self) -> "Visit":
        refused = Unreachable("The account has no event_socket_password.")
        for secret in self._where.secrets:
            self._connect()
            try:
                self._enter(secret)
                return self
            except Refused as error:
                refused = Unreachable(str(error))
                self._socket.close()
        raise refused

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._socket.sendall(self._where.goodbye)
        except OSError:
            pass
        finally:
            self._socket.close()

    def ask(self, command: str, fields: dict[str, str] | None = None) -> str:
        """What FreeSWITCH answers. Unreachable if it says no."""
        self._send(encode(command, fields))
        answer = self._next()
        while answer.kind not in _ANSWERS:
            answer = self._next()
        if answer.answer.startswith(("-ERR", "-USAGE")):
            raise Unreachable(f"FreeSWITCH refused: {answer.answer.strip()[:100]}")
        return answer.answer.strip()

    def _connect(self) -> None:
        where = self._where
        self._cutter, self._waiting = where.cutter(), list[Message]()
        try:
            self._socket = socket.create_connection((where.host, where.port), timeout=_PATIENCE)
        except OSError as error:
            raise Unreachable(f"FreeSWITCH does not answer at {where.host}: {error}") from error

    def _enter(self, secret: str) -> None:
        steps = self._where.enter(secret)
        next(steps)
        while True:
            message = self._next()
            try:
                self._send(steps.send(message))
            except StopIteration:
                return
            except Garbled as error:
                self._socket.close()
                raise Unreachable(str(error)) from None

    def _send(self, raw: bytes) -> None:
        try:
            self._socket.sendall(raw)
        except OSError as error:
            raise Unreachable(f"The connection to FreeSWITCH broke: {error}") from error

    def _next(self) -> Message:
        while not self._waiting:
            left = self._deadline - time.monotonic()
            try:
                if left <= 0:
                    raise TimeoutError("no answer in time")
                self._socket.settimeout(left)
                piece = self._socket.recv(65536)
                if not piece:
                    raise ConnectionError("FreeSWITCH hung up")
                self._waiting = self._cutter.feed(piece)
            except (OSError, Garbled) as error:
                self._socket.close()
                raise Unreachable(f"The connection to FreeSWITCH broke: {error}") from error
        return self._waiting.pop(0)
