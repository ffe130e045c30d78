"""A short visit to a phone system that others listen to for long: get in, ask, leave."""

import socket
import time
from types import TracebackType
from typing import Any, Self

from calls.providers.base import Unreachable
from calls.providers.lasting import Dialect, Garbled, Refused

_PATIENCE = 10.0  # seconds for a whole visit


class Visit:
    """A connection without events. Unreachable if anything fails."""

    def __init__(self, where: Dialect):
        self._where = where
        self._deadline = time.monotonic() + _PATIENCE

    def __enter__(self) -> Self:
        refused = Unreachable("The account has no secret.")
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

    def _enter(self, secret: str) -> None:
        """Gets in with `secret`; Refused if it is not the right one."""
        raise NotImplementedError

    def _connect(self) -> None:
        where = self._where
        self._cutter, self._waiting = where.cutter(), list[Any]()
        try:
            plain = socket.create_connection((where.host, where.port), timeout=_PATIENCE)
            context = where.tls_context()
            self._socket = (
                context.wrap_socket(plain, server_hostname=where.host) if context else plain
            )
        except OSError as error:
            where_it_is = f"{where.system} does not answer at {where.host}"
            raise Unreachable(f"{where_it_is}: {error}") from error

    def _send(self, raw: bytes) -> None:
        try:
            self._socket.sendall(raw)
        except OSError as error:
            raise self._broken(error) from error

    def _next(self) -> Any:
        """The next message."""
        while not self._waiting:
            left = self._deadline - time.monotonic()
            try:
                if left <= 0:
                    raise TimeoutError("no answer in time")
                self._socket.settimeout(left)
                piece = self._socket.recv(65536)
                if not piece:
                    raise ConnectionError(f"{self._where.system} hung up")
                self._waiting = self._cutter.feed(piece)
            except (OSError, Garbled) as error:
                self._socket.close()
                raise self._broken(error) from error
        return self._waiting.pop(0)

    def _broken(self, error: Exception) -> Unreachable:
        return Unreachable(f"The connection to {self._where.system} broke: {error}")
