"""The bridge: which requests run side by side, and what becomes of bodies and of who hangs up."""

import asyncio
import threading
from collections.abc import Iterable
from typing import Any

import pytest

from callmanager.serving.bridge import WSGIBridge

PATIENCE = 20


class Site:
    """A WSGI application that counts who is inside, and lets nobody out before it is told."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.inside: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self._guard = threading.Lock()
        self.entered = threading.Semaphore(0)

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        with self._guard:
            self.inside[method] = self.inside.get(method, 0) + 1
            self.most[method] = max(self.most.get(method, 0), self.inside[method])
        self.entered.release()
        assert self.open.wait(PATIENCE)
        body = environ["wsgi.input"].read()
        with self._guard:
            self.inside[method] -= 1
        start("200 OK", [("Content-Type", "text/plain")])
        return [f"{method} {environ['CONTENT_LENGTH']} ".encode() + body]


async def ask(bridge: WSGIBridge, method: str, *parts: bytes) -> bytes:
    """The answer's body; the request's comes in `parts`."""
    scope = {
        "type": "http",
        "method": method,
        "path": "/",
        "query_string": b"",
        "headers": [],
        "http_version": "1.1",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
        "scheme": "http",
    }
    messages = [
        {"type": "http.request", "body": part, "more_body": number < len(parts)}
        for number, part in enumerate(parts, 1)
    ]
    coming = iter(messages)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(coming, {"type": "http.disconnect"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await bridge(scope, receive, send)
    return b"".join(message.get("body", b"") for message in sent)


def writes(scope: dict[str, Any]) -> bool:
    return scope["method"] == "POST"


def test_what_is_done_in_turn_keeps_no_one_else_waiting():
    site = Site()
    bridge = WSGIBridge(site, 2, in_turn=writes)

    async def scene() -> list[bytes]:
        posts = [asyncio.ensure_future(ask(bridge, "POST", b"x")) for _ in range(3)]
        gets = [asyncio.ensure_future(ask(bridge, "GET", b"")) for _ in range(2)]
        loop = asyncio.get_running_loop()
        for _ in range(3):  # one that writes and both that read
            assert await loop.run_in_executor(None, site.entered.acquire, True, PATIENCE)
        site.open.set()
        return await asyncio.gather(*posts, *gets)

    answers = asyncio.run(scene())
    assert answers == [b"POST 1 x"] * 3 + [b"GET 0 "] * 2
    assert site.most == {"POST": 1, "GET": 2}


@pytest.mark.parametrize("parts", [(b"",), (b"abc",), (b"a", b"b" * 300_000, b"c")])
def test_a_body_arrives_whole_in_one_part_or_in_many(parts):
    site = Site()
    site.open.set()
    body = b"".join(parts)
    answer = asyncio.run(ask(WSGIBridge(site, 1), "POST", *parts))
    assert answer == f"POST {len(body)} ".encode() + body


def test_who_hangs_up_before_the_end_of_a_body_is_not_answered():
    site = Site()
    site.open.set()

    async def scene() -> list[Any]:
        sent: list[Any] = []
        coming = iter([{"type": "http.request", "body": b"a", "more_body": True}])

        async def receive() -> dict[str, Any]:
            return next(coming, {"type": "http.disconnect"})

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await WSGIBridge(site, 1)({"type": "http", "method": "POST"}, receive, send)
        return sent

    assert asyncio.run(scene()) == []
    assert site.most == {}
