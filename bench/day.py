"""An hour of 500 agents at work, compressed: how long a click takes while everything else goes on.

Calls with their clicks, the phone systems' hooks and the supervisor's reports of the hour come in
so many seconds. Pages that are open stay open: their signs of life and live lines keep their own
pace. `python -m bench --only day --day-seconds 600` plays it six times as dense as in life.
"""

import asyncio
import itertools
import json
import random
import time
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any, Final

from bench.load import Burst, Flow, Line
from bench.parts import fanout
from bench.stage import FEW, Stage
from bench.wire import request

HOUR: Final = 3600.0  # seconds
CALLS: Final = 3000  # an hour: six of each agent, and between them work, pauses and waiting
HELD: Final = 0.3  # the share of calls that are put on hold once
HOOKS: Final = 2000  # an hour: a part of the calls is heard of from a phone system, too
REPORTS: Final = 12  # an hour
BEAT: Final = 30.0  # seconds between the signs of life of an open page
WATCHED: Final = 25  # live pages of supervisors
_TOKEN: Final = (
    "c" * 32
)  # of the form that a page sends: the cookie and the header must be the same


@dataclass
class Day:
    """What came of each kind of request."""

    clicks: Burst = field(default_factory=Burst)
    beats: Burst = field(default_factory=Burst)
    hooks: Burst = field(default_factory=Burst)
    reports: Burst = field(default_factory=Burst)


class Player:
    """Plays the hour in `seconds`: every instant is drawn beforehand, and every request is timed
    from the moment it was due."""

    def __init__(self, stage: Stage, seconds: float):
        installation = stage.copy(FEW, "day")
        self._keys = itertools.cycle(installation.keys()[0])
        self._messages = installation.ask(what="hooks", count=HOOKS)[:HOOKS]
        self._supervisor = installation.ask(what="cookie", username="admin")
        self._agents = installation.ask(what="cookies")
        self._port = installation.serve().port
        self._seconds, self._factor = seconds, HOUR / seconds
        self._dice = random.Random(7)
        self._day = Day()
        self._begun = 0.0

    async def play(self) -> Day:
        self._line = Line(self._port)
        watched = await fanout.opened(self._port, self._supervisor, WATCHED)
        readers = [asyncio.create_task(fanout.swallow(page)) for page in watched]
        self._begun = time.perf_counter() + 0.2
        await asyncio.gather(
            *(self._call() for _ in range(CALLS)),
            *(self._beat(place, cookie) for place, cookie in enumerate(self._agents)),
            *(self._hook(place, text) for place, text in enumerate(self._messages)),
            *(self._report(place) for place in range(REPORTS)),
        )
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        await asyncio.gather(*(page.close() for page in watched))
        self._line.close()
        return self._day

    async def _call(self) -> None:
        """One call by the clicks of its agent; its lengths are compressed, too."""
        dice, key = self._dice, {"X-API-Key": next(self._keys)}
        due = self._begun + dice.uniform(0, self._seconds)
        lengths = [dice.uniform(2, 25), min(900, dice.lognormvariate(4.8, 0.7))]
        steps = ["answer"]
        if dice.random() < HELD:
            steps += ["hold", "resume"]
            lengths += [dice.uniform(5, 90), dice.uniform(5, 120)]
        phone = f"+5068{dice.randrange(10**7):07d}"
        said = await self._click(due, key, "start", {"contact_phone": phone})
        if said is None:
            return
        paths = [f"{said['call_id']}/{step}" for step in steps]
        for path, length in zip(paths, lengths, strict=False):
            due = max(due + length / self._factor, time.perf_counter())
            await self._click(due, key, path, {})
        due = max(due + lengths[-1] / self._factor, time.perf_counter())
        await self._click(due, key, "end", {"call_id": said["call_id"], "status": "COMPLETED"})

    async def _click(
        self, due: float, key: dict[str, str], path: str, body: dict[str, Any]
    ) -> Any | None:
        """What is answered; None where it failed."""
        said: list[Any] = []

        def flow() -> Flow:
            _status, answer = yield request("POST", f"/api/calls/{path}", key, body)
            said.append(json.loads(answer))

        await self._when_due(due, flow(), self._day.clicks)
        return said[0] if said else None

    async def _beat(self, place: int, cookie: str) -> None:
        """The signs of life of one agent's page; all pages together are spread evenly."""
        headers = {"Cookie": f"{cookie}; csrftoken={_TOKEN}", "X-CSRFToken": _TOKEN}
        asked = request("POST", "/timer/", headers, b"")
        due = self._begun + BEAT * place / len(self._agents)
        while due < self._begun + self._seconds:
            await self._when_due(due, _once(asked), self._day.beats)
            due += BEAT

    async def _hook(self, place: int, message: str) -> None:
        due = self._begun + self._seconds * place / HOOKS
        await self._when_due(due, _once(b64decode(message)), self._day.hooks)

    async def _report(self, place: int) -> None:
        asked = request("GET", "/reports/?period=month", {"Cookie": self._supervisor})
        due = self._begun + self._seconds * (place + 0.5) / REPORTS
        await self._when_due(due, _once(asked), self._day.reports)

    async def _when_due(self, due: float, flow: Flow, burst: Burst) -> None:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await self._line.follow(flow, burst, due, give_up=self._begun + 2 * self._seconds)


def _once(asked: bytes) -> Flow:
    yield asked


def measure(stage: Stage) -> None:
    seconds = stage.options.day_seconds
    stage.record.head(
        f"An hour of 500 agents in {seconds:.0f} s: {CALLS} calls and {HOOKS} hooks "
        f"{HOUR / seconds:.0f} times as dense as in life; 500 pages with a sign of life every "
        f"{BEAT:.0f} s, {WATCHED} live pages"
    )
    day = asyncio.run(Player(stage, seconds).play())
    for name, burst in vars(day).items():
        worst = max(burst.milliseconds, default=0.0)
        stage.record.say(
            f"{name}: {len(burst.milliseconds)}, p50 {burst.within(0.5):.0f} ms, "
            f"p95 {burst.within(0.95):.0f} ms, p99 {burst.within(0.99):.0f} ms, "
            f"worst {worst:.0f} ms, failed {burst.failures.total()} {burst.complaint}".rstrip()
        )
    stage.record.put("day-p99", [day.clicks.within(0.99)], " ms")
