"""The same application under uvicorn, the choice of large sites: calls, lines, files, an end."""

import asyncio
import signal
from collections.abc import Iterator

import httpx
import pytest

from accounts.models import ApiKey
from calls.models import CallLog
from tests.support.lines import Caller, listening, next_events
from tests.support.patience import PATIENCE
from tests.support.people import make_call
from tests.support.server import Server, end_sessions

pytestmark = [pytest.mark.server, pytest.mark.once]


class UvicornServer(Server):
    def command(self) -> list[str]:
        return ["-m", "uvicorn", "--host", "127.0.0.1", "--port", str(self.port)]


@pytest.fixture
def uvicorn(live_people) -> Iterator[Server]:
    server = UvicornServer()
    yield server.start()
    server.kill()
    end_sessions()


def test_it_does_what_daphne_does(live_people, uvicorn):
    for ago in range(900, 1000):
        make_call(live_people.alice, 60, ago=ago, contact_ref="x" * 90)

    async def scene() -> None:
        caller = Caller(uvicorn, live_people.alice)
        async with listening(uvicorn, live_people.sue) as sue:
            call_id = await caller.start()
            answer = await caller.end(call_id)
            started, ended = await next_events(sue, 2)
        assert (started["type"], started["call_id"]) == ("call_started", call_id)
        assert (ended["type"], ended["calls_made"]) == ("call_ended", answer["calls_made"])

    asyncio.run(scene())
    _row, secret = ApiKey.issue(live_people.alice, "program")
    with httpx.Client(base_url=uvicorn.url, headers={"X-API-Key": secret}, timeout=PATIENCE) as web:
        file = web.get("/api/calls/export.csv")
        assert file.text.count("\n") == CallLog.objects.count() + 1
        assert web.post("/api/calls/start", json={"direction": "up"}).status_code == 400
        assert web.get("/api/nothing").status_code == 404
    assert httpx.get(uvicorn.url, timeout=PATIENCE).headers["Location"].startswith("/login/")
    assert uvicorn.process is not None
    uvicorn.process.send_signal(signal.SIGTERM)
    assert uvicorn.process.wait(PATIENCE) in (0, -signal.SIGTERM)
