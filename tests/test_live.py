"""The live line: who hears what, in how many frames, and that nothing is lost."""

import asyncio
import datetime as dt
import json
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain

import httpx
import pytest
from channels.layers import get_channel_layer
from websockets.asyncio.client import ClientConnection, connect

from accounts.models import User
from calls import services
from calls.instants import now
from calls.models import CallLog
from metrics import live
from tests.browsing import session_cookie
from tests.people import key_of, make_call
from tests.server import ROOT, Server

pytestmark = pytest.mark.server

LONG = 30  # seconds; who waits for a number of events waits no longer than they take


@asynccontextmanager
async def listening(server: Server, user: User) -> AsyncIterator[ClientConnection]:
    """A live connection as the browser of `user` makes it; joined for certain."""
    headers = {"Cookie": f"sessionid={session_cookie(user)}"}
    origin = server.url
    async with connect(server.ws_url, additional_headers=headers, origin=origin) as socket:
        await socket.send("ping")
        assert json.loads(await socket.recv()) == {"type": "pong"}
        yield socket


async def frames_until(socket: ClientConnection, seconds: float, count: int = 10**9) -> list[dict]:
    """The frames that come within `seconds`, or the first that bring `count` events."""
    frames: list[dict] = []
    try:
        async with asyncio.timeout(seconds):
            while len(events_of(frames)) < count:
                frames.append(json.loads(await socket.recv()))
    except TimeoutError:
        pass
    return frames


def events_of(frames: list[dict]) -> list[dict]:
    return [e for frame in frames for e in frame.get("events", [frame])]


class Caller:
    """A program of one person, as the API knows it."""

    def __init__(self, server: Server, user: User):
        self.http = httpx.AsyncClient(
            base_url=server.url, headers={"X-API-Key": key_of(user)}, timeout=30
        )

    async def start(self) -> str:
        answer = await self.http.post("/api/calls/start", json={})
        assert answer.status_code == 201
        return answer.json()["call_id"]

    async def end(self, call_id: str) -> dict:
        answer = await self.http.post("/api/calls/end", json={"call_id": call_id})
        assert answer.status_code == 200
        return answer.json()


def test_an_end_brings_the_figures_that_the_program_was_told(live_people, server):
    make_call(live_people.alice, 100)

    async def scene() -> None:
        caller = Caller(server, live_people.alice)
        async with listening(server, live_people.sue) as sue:
            call_id = await caller.start()
            told = await caller.end(call_id)
            started, ended = events_of(await frames_until(sue, LONG, 2))
        assert (started["type"], started["call_id"]) == ("call_started", call_id)
        assert (started["user_id"], started["activity"]) == (live_people.alice.pk, "calling")
        assert ended["type"] == "call_ended"
        assert ended["call_id"] == call_id
        assert ended["status"] == "COMPLETED"
        assert ended["duration_seconds"] == told["duration_seconds"]
        assert ended["avg_duration"] == told["new_average"]
        assert ended["calls_made"] == told["calls_made"] == 2
        assert ended["total_talk_time"] == told["total_talk_time"]

    asyncio.run(scene())


def test_only_the_calls_audience_hears_of_it_and_once(live_people, server):
    people = live_people

    async def scene() -> dict[str, list[str]]:
        heard: dict[str, list[str]] = {}
        async with (
            listening(server, people.alice) as alice,
            listening(server, people.bob) as bob,
            listening(server, people.carol) as carol,
            listening(server, people.sue) as sue,
            listening(server, people.sam) as sam,
            listening(server, people.ada) as ada,
        ):
            await Caller(server, people.alice).start()
            # Bob's own call shows that his line works.
            await Caller(server, people.bob).start()
            lines = {"alice": alice, "bob": bob, "carol": carol, "sue": sue, "sam": sam, "ada": ada}
            due = {"alice": 1, "bob": 1, "carol": 0, "sue": 2, "sam": 0, "ada": 2}
            came = await asyncio.gather(*(frames_until(lines[n], LONG, due[n]) for n in lines))
            more = await asyncio.gather(*(frames_until(line, 1) for line in lines.values()))
        for name, first, rest in zip(lines, came, more, strict=True):
            heard[name] = sorted(event["user_id"] for event in events_of(first + rest))
        return heard

    alice, bob = people.alice.pk, people.bob.pk
    assert asyncio.run(scene()) == {
        "alice": [alice],
        "bob": [bob],
        "carol": [],
        "sue": sorted([alice, bob]),
        "sam": [],
        "ada": sorted([alice, bob]),
    }


def test_a_supervisor_who_calls_in_the_own_team_hears_it_once(live_people, server):
    live_people.sue.team = live_people.red
    live_people.sue.save()

    async def scene() -> list[dict]:
        async with listening(server, live_people.sue) as sue:
            await Caller(server, live_people.sue).start()
            return events_of(await frames_until(sue, LONG, 1) + await frames_until(sue, 1))

    assert [event["user_id"] for event in asyncio.run(scene())] == [live_people.sue.pk]


def test_of_two_hundred_changes_at_once_none_is_lost(live_people, server):
    """They come in order for each call, gathered into few frames."""

    async def scene() -> tuple[list[str], list[dict]]:
        callers = [Caller(server, person) for person in (live_people.alice, live_people.bob)]

        async def calls(caller: Caller, count: int) -> list[str]:
            return [await one(caller) for _ in range(count)]

        async def one(caller: Caller) -> str:
            call_id = await caller.start()
            await caller.end(call_id)
            return call_id

        async with listening(server, live_people.sue) as sue:
            reading = asyncio.ensure_future(frames_until(sue, 300, 200))
            made = await asyncio.gather(*(calls(caller, 25) for caller in callers * 2))
            return list(chain.from_iterable(made)), await reading

    made, frames = asyncio.run(scene())
    heard: dict[str, list[str]] = {}
    for event in events_of(frames):
        heard.setdefault(event["call_id"], []).append(event["type"])
    assert len(made) == 100
    assert heard == {call_id: ["call_started", "call_ended"] for call_id in made}
    assert len(frames) < 200
    assert all(len(frame["events"]) > live.SINGLE_FRAMES for frame in frames if "events" in frame)


def test_a_frame_comes_well_within_a_second(live_people, server):
    async def scene() -> list[float]:
        delays = []
        caller = Caller(server, live_people.alice)
        await caller.end(await caller.start())
        async with listening(server, live_people.sue) as sue:
            for _ in range(5):
                begun = time.monotonic()
                call_id = await caller.start()
                assert json.loads(await sue.recv())["call_id"] == call_id
                delays.append(time.monotonic() - begun)
                await asyncio.sleep(0.4)
        return delays

    # A machine that stands still delays one of them; a pause that is too long, all.
    assert statistics.median(asyncio.run(scene())) < 1


def test_a_line_that_hangs_up_silences_no_other(live_people, server):
    async def scene() -> list[dict]:
        async with listening(server, live_people.sue) as sue:
            async with listening(server, live_people.sue) as other:
                other.transport.abort()
            await Caller(server, live_people.alice).start()
            return events_of(await frames_until(sue, LONG, 1))

    assert [event["type"] for event in asyncio.run(scene())] == ["call_started"]


def test_what_a_client_sends_is_not_passed_on_and_breaks_nothing(live_people, server):
    async def scene() -> list[dict]:
        async with listening(server, live_people.sue) as sue:
            await sue.send('{"type": "call_ended"}')
            await sue.send(b"\x00\xff")
            await sue.send("x" * 100_000)
            await Caller(server, live_people.alice).start()
            return events_of(await frames_until(sue, LONG, 1))

    assert [event["type"] for event in asyncio.run(scene())] == ["call_started"]


def test_what_another_process_does_is_heard_at_once(live_people, server):
    call, _ = services.start_call(live_people.alice)
    CallLog.objects.filter(pk=call.pk).update(last_seen_at=now() - dt.timedelta(hours=1))

    async def scene():
        async with listening(server, live_people.alice) as socket:
            command = [sys.executable, "manage.py", "close_stale_calls"]
            worker = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, env=server.surroundings(), stdout=asyncio.subprocess.DEVNULL
            )
            frames = await frames_until(socket, 60, count=1)
            await worker.wait()
            return frames

    (event,) = events_of(asyncio.run(scene()))
    assert (event["type"], event["call_id"]) == ("call_ended", str(call.call_id))


@pytest.mark.skipif(not os.environ.get("REDIS_URL"), reason="there is no such wait without Redis")
def test_the_wait_for_a_message_ends_before_the_connection_loses_patience():
    layer = get_channel_layer()
    assert layer.brpop_timeout * 2 < layer.hosts[0]["socket_timeout"]


@pytest.mark.skipif(not os.environ.get("REDIS_URL"), reason="one process only without REDIS_URL")
def test_with_redis_a_call_of_one_process_is_heard_in_another(live_people, server):
    second = Server().start()
    try:

        async def scene() -> list[dict]:
            caller = Caller(second, live_people.alice)
            async with listening(server, live_people.sue) as sue:
                await caller.end(await caller.start())
                # Neither a page nor a program: a command, such as the watch over silent calls.
                await asyncio.to_thread(services.start_call, live_people.bob)
                return events_of(await frames_until(sue, LONG, 3))

        heard = [(event["type"], event["user_id"]) for event in asyncio.run(scene())]
    finally:
        second.kill()
    alice, bob = live_people.alice.pk, live_people.bob.pk
    assert heard == [("call_started", alice), ("call_ended", alice), ("call_started", bob)]
