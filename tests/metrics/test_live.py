"""The live line: who hears what, in how many frames, and that nothing is lost."""

import asyncio
import datetime as dt
import json
import os
import selectors
import sys
import time
from itertools import chain

import pytest
from channels.layers import get_channel_layer

from calls import services
from calls.models import CallLog
from common.instants import now
from metrics.live import hub, numbers
from tests.support.lines import (
    Caller,
    all_heard,
    events_of,
    frames_with,
    listening,
    next_events,
    standing_still,
)
from tests.support.patience import PATIENCE
from tests.support.people import make_call
from tests.support.server import ROOT, Server

pytestmark = [pytest.mark.server, pytest.mark.engines]


def test_an_end_brings_the_figures_that_the_program_was_told(live_people, server):
    make_call(live_people.alice, 100)

    async def scene() -> None:
        caller = Caller(server, live_people.alice)
        async with listening(server, live_people.sue) as sue:
            call_id = await caller.start()
            answer = await caller.end(call_id)
            started, ended = await next_events(sue, 2)
        assert (started["type"], started["call_id"]) == ("call_started", call_id)
        assert (started["user_id"], started["activity"]) == (live_people.alice.pk, "calling")
        assert ended["type"] == "call_ended"
        assert ended["call_id"] == call_id
        assert ended["status"] == "COMPLETED"
        assert ended["duration_seconds"] == answer["duration_seconds"]
        assert ended["avg_duration"] == answer["new_average"]
        assert ended["calls_made"] == answer["calls_made"] == 2
        assert ended["total_talk_time"] == answer["total_talk_time"]

    asyncio.run(scene())


def test_only_the_calls_audience_hears_of_it_and_once(live_people, server):
    people = live_people
    names = ("alice", "bob", "carol", "sue", "sam", "ada")

    async def heard_by(name: str, calls: dict[str, str], line) -> list[str]:
        """Whose of the two calls were heard; the lines of others are being proved meanwhile."""
        events = await all_heard(line, Caller(server, getattr(people, name)))
        return sorted(calls[e["call_id"]] for e in events if e["call_id"] in calls)

    async def scene() -> list[list[str]]:
        async with (
            listening(server, people.alice) as alice,
            listening(server, people.bob) as bob,
            listening(server, people.carol) as carol,
            listening(server, people.sue) as sue,
            listening(server, people.sam) as sam,
            listening(server, people.ada) as ada,
        ):
            calls = {
                await Caller(server, people.alice).start(): "alice",
                await Caller(server, people.bob).start(): "bob",
            }
            lines = zip(names, (alice, bob, carol, sue, sam, ada), strict=True)
            return await asyncio.gather(*(heard_by(name, calls, line) for name, line in lines))

    assert dict(zip(names, asyncio.run(scene()), strict=True)) == {
        "alice": ["alice"],
        "bob": ["bob"],
        "carol": [],
        "sue": ["alice", "bob"],
        "sam": [],
        "ada": ["alice", "bob"],
    }


def test_a_supervisor_who_calls_in_the_own_team_hears_it_once(live_people, server):
    live_people.sue.team = live_people.red
    live_people.sue.save()

    async def scene() -> list[dict]:
        caller = Caller(server, live_people.sue)
        async with listening(server, live_people.sue) as sue:
            await caller.start()
            return await all_heard(sue, caller)

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
            made = await asyncio.gather(*(calls(caller, 25) for caller in callers * 2))
            return list(chain.from_iterable(made)), await frames_with(sue, 200)

    begun = time.monotonic()
    made, frames = asyncio.run(scene())
    assert [frame["seq"] for frame in frames] == [*range(1, len(frames) + 1)]
    pauses = (time.monotonic() - begun) / hub.PAUSE_SECONDS
    heard: dict[str, list[str]] = {}
    for event in events_of(frames):
        heard.setdefault(event["call_id"], []).append(event["type"])
    assert len(made) == 100
    assert heard == {call_id: ["call_started", "call_ended"] for call_id in made}
    assert len(frames) <= hub.SINGLE_FRAMES * (pauses + 1)
    assert all(len(frame["events"]) > hub.SINGLE_FRAMES for frame in frames if "events" in frame)


class DrivenSelector(selectors.DefaultSelector):
    """Waits for no timer: where nothing else is to be done, the clock jumps to it."""

    instant = 0.0

    def select(self, timeout: float | None = None):
        if timeout is None:
            return super().select()
        ready = super().select(0)
        self.instant += 0 if ready else timeout
        return ready


class DrivenLoop(asyncio.SelectorEventLoop):
    """An event loop whose seconds pass only where it would wait."""

    def __init__(self):
        self.driven = DrivenSelector()
        super().__init__(self.driven)

    def time(self) -> float:
        return self.driven.instant


class Page:
    """A socket of the hub that notes the second of each frame and how many events it brings."""

    user_id = 1

    def __init__(self):
        self.frames: list[tuple[float, int]] = []
        self._came = asyncio.Event()

    async def push(self, text: str) -> None:
        events = len(events_of([json.loads(text)]))
        self.frames.append((asyncio.get_running_loop().time(), events))
        self._came.set()

    async def has_heard(self, count: int) -> None:
        while sum(events for _, events in self.frames) < count:
            self._came.clear()
            await self._came.wait()


@pytest.mark.skipif(bool(os.environ.get("REDIS_URL")), reason="a driven clock drives no network")
def test_a_room_is_told_at_once_and_then_once_a_pause():
    single, many = hub.SINGLE_FRAMES, hub.SINGLE_FRAMES + 1

    async def scene() -> list[tuple[float, int]]:
        line, page = hub.Hub(), Page()
        line.attach(asyncio.get_running_loop())
        line.join(page, ["room"])
        message = {"type": "live", "rooms": ["room", "another"], "event": {"type": "call_started"}}
        sent = 0
        for count in (1, single, many):
            for _ in range(count):
                line.send(message)
            sent += count
            await page.has_heard(sent)
        return page.frames

    with asyncio.Runner(loop_factory=DrivenLoop) as runner:
        frames = runner.run(scene())
    pause = hub.PAUSE_SECONDS
    assert frames == [(0.0, 1), *[(pause, 1)] * single, (2 * pause, many)]


def test_a_frame_comes_well_within_a_second(live_people, server):
    async def scene() -> list[float]:
        delays = []
        caller = Caller(server, live_people.alice)
        async with listening(server, live_people.sue) as sue:
            for _ in range(5):
                begun = time.monotonic()
                call_id = await caller.start()
                (event,) = await next_events(sue, 1)
                assert event["call_id"] == call_id
                delays.append(time.monotonic() - begun)
        return delays

    # A machine that stands still delays some of them; a pause that is too long, all but the first.
    assert min(asyncio.run(scene())[1:]) < 1


def test_a_line_that_hangs_up_silences_no_other(live_people, server):
    async def scene() -> list[dict]:
        async with listening(server, live_people.sue) as sue:
            async with listening(server, live_people.sue) as other:
                other.transport.abort()
            await Caller(server, live_people.alice).start()
            return await next_events(sue, 1)

    assert [event["type"] for event in asyncio.run(scene())] == ["call_started"]


def test_what_a_client_sends_is_not_passed_on_and_breaks_nothing(live_people, server):
    people = live_people

    async def scene() -> list[dict]:
        async with listening(server, people.sue) as sue, listening(server, people.ada) as ada:
            await sue.send('{"type": "call_ended"}')
            await sue.send(b"\x00\xff")
            await sue.send("x" * 100_000)
            await Caller(server, people.alice).start()
            return [
                *await all_heard(ada, Caller(server, people.ada)),
                *await all_heard(sue, Caller(server, people.sue)),
            ]

    heard = [(event["type"], event["user_id"]) for event in asyncio.run(scene())]
    assert heard == [("call_started", people.alice.pk)] * 2


def test_what_another_process_does_is_heard_at_once(live_people, server):
    call, _ = services.start_call(live_people.alice)
    CallLog.objects.filter(pk=call.pk).update(last_seen_at=now() - dt.timedelta(hours=1))

    async def scene() -> list[dict]:
        async with listening(server, live_people.alice) as alice:
            command = [sys.executable, "manage.py", "close_stale_calls"]
            worker = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, env=server.surroundings(), stdout=asyncio.subprocess.DEVNULL
            )
            events = await next_events(alice, 1)
            await worker.wait()
            return events

    (event,) = asyncio.run(scene())
    assert (event["type"], event["call_id"]) == ("call_ended", str(call.call_id))


async def until_a_hole(line) -> list[dict]:
    """The frames up to the first that has not the number behind the one before it."""
    frames: list[dict] = []
    async with asyncio.timeout(PATIENCE):
        while len(frames) == (frames[-1]["seq"] if frames else 0):
            frames.append(json.loads(await line.recv()))
    return frames


def test_what_was_lost_leaves_a_hole_in_the_numbers_of_the_frames(live_people, server):
    def twenty_calls() -> None:
        for _ in range(20):
            call, _ = services.start_call(live_people.alice)
            services.end_call(call.call_id, live_people.alice)

    async def scene() -> tuple[list[dict], list[dict]]:
        async with listening(server, live_people.sue) as sue:
            with standing_still(server):
                await asyncio.to_thread(twenty_calls)
            before = await until_a_hole(sue)
            await Caller(server, live_people.bob).start()
            return before, await frames_with(sue, 1)

    frames, behind = asyncio.run(scene())
    assert len(events_of(frames)) < 40  # some were lost
    assert {"seq": len(frames) + 1, "type": "batch", "events": []} == frames[-1]
    assert behind[0]["seq"] == len(frames) + 2
    assert behind[-1]["user_id"] == live_people.bob.pk


def test_a_number_that_never_comes_is_noticed_once():
    came = numbers.Arrivals()
    came.note(6)
    assert not came.are_lacking(5)  # where this process begins: what was before does not concern it
    assert not came.are_lacking(6)
    came.note(8)
    assert not came.are_lacking(9)  # 7 and 9 may be on their way
    came.note(9)
    assert came.are_lacking(9)
    assert not came.are_lacking(9)
    came.note(7)  # late
    came.note(10)
    assert not came.are_lacking(11) and came.are_lacking(11)  # the last one, and nothing behind it
    assert came.are_lacking(2)  # a count that began anew
    came.note(3)
    assert not came.are_lacking(3) and not came.are_lacking(3)


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
                # Neither a page nor a program: a command, such as the watch over stale calls.
                await asyncio.to_thread(services.start_call, live_people.bob)
                return await next_events(sue, 3)

        heard = [(event["type"], event["user_id"]) for event in asyncio.run(scene())]
    finally:
        second.kill()
    alice, bob = live_people.alice.pk, live_people.bob.pk
    # Each process tells its own in order; between two there is none.
    assert [event for event in heard if event[1] == alice] == [
        ("call_started", alice),
        ("call_ended", alice),
    ]
    assert [event for event in heard if event[1] == bob] == [("call_started", bob)]
