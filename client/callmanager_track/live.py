"""The dashboard's live events, for programs that have the extra `live`."""

from __future__ import annotations

import json
import logging
import random
import threading
from typing import Any, Callable

from callmanager_track.wire import checked_url

logger = logging.getLogger("call_tracking")
_SILENCE = 20.0  # after so many silent seconds the line is asked whether it still works
_ANSWER = 10.0
_LONGEST_WAIT = 30.0
_CROWDED = 4429  # the same key has opened more lines since than it may have
_CROWDED_WAIT = 60.0


class Subscription:
    """A thread that hands each event to `callback` and connects again when the line breaks."""

    def __init__(self, base_url: str, api_key: str, callback: Callable[[dict[str, Any]], object]):
        try:
            from websockets.sync.client import connect
        except ImportError as error:
            raise RuntimeError(
                "Live events need the package websockets: pip install 'callmanager-client[live]'."
            ) from error
        parts = checked_url(base_url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        self._address = f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/ws/dashboard/"
        self._options: dict[str, Any] = {
            "additional_headers": {"X-API-Key": api_key},
            "origin": f"{parts.scheme}://{parts.netloc}",
            "open_timeout": _ANSWER,
        }
        self._connect, self._callback = connect, callback
        self._closing = threading.Event()
        self.connected = threading.Event()
        self._socket: Any = None
        self._thread = threading.Thread(target=self._run, name="live calls", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        socket = self._socket
        if socket is not None:
            socket.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(_ANSWER)

    def _run(self) -> None:
        failures = 0
        while not self._closing.is_set():
            code = None
            try:
                with self._connect(self._address, **self._options) as self._socket:
                    failures = 0
                    self.connected.set()
                    self._listen()
            except Exception as error:  # the library has many ways to say that a line broke
                logger.info("The live line broke: %s", error)
                code = _code_of(error)
            self._socket = None
            self.connected.clear()
            failures += 1
            longest = min(_LONGEST_WAIT, 0.5 * 2.0 ** min(failures - 1, 10))
            if code == _CROWDED:
                longest = _CROWDED_WAIT
            self._closing.wait(longest * random.uniform(0.5, 1.0))

    def _listen(self) -> None:
        asked = False
        while not self._closing.is_set():
            try:
                text = self._socket.recv(timeout=_ANSWER if asked else _SILENCE)
            except TimeoutError:
                if asked:
                    return
                self._socket.send("ping")
                asked = True
                continue
            asked = False
            self._hand_on(json.loads(text))

    def _hand_on(self, frame: dict[str, Any]) -> None:
        for event in frame.get("events", [frame]):
            if event.get("type") == "pong":
                continue
            try:
                self._callback(event)
            except Exception:
                logger.exception("The callback for live events failed")


def _code_of(error: Exception) -> int | None:
    """With which code the server has closed the line, if it did."""
    code: int | None = getattr(getattr(error, "rcvd", None), "code", None)
    return code
