"""The demo goes on: a few agents call, talk and hang up for as long as somebody looks.

Through the services, as pages and programs do. Only people of the demo organisation whom nobody
has tried out: whoever signed in as somebody, or gave a key to a program of theirs, has them alone.
"""

import datetime as dt
import logging
import random
import threading
from collections import deque
from dataclasses import dataclass
from typing import Final

from django.db import connections
from django.db.models import F, Value
from django.db.models.functions import Concat

from accounts.models import User, UserQuerySet
from calls import services, timeline
from calls.errors import CallError
from calls.models import CallLog, Contact
from calls.services import wrap_up
from common.instants import now
from metrics.demo import names, shape

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1
AFTER_A_FAULT_SECONDS: Final = 30
HEARTBEAT: Final = dt.timedelta(seconds=60)
BUSY_SHARE: Final = 0.35  # of the agents who are on a call at once, at most
BETWEEN_STARTS: Final = (6.0, 18.0)  # seconds
LEFT_TO_TALK: Final = (15.0, 90.0)  # seconds, of calls that were running before
WRAP_UP: Final = (5.0, 25.0)  # seconds
_SKILL: Final = shape.Skill(pace=0.6, unanswered=0.12, trouble=0.06, offline=0)
_ACTIONS: Final = {kind: action for action, kind in services.STEPS.items()}


def untouched_agents() -> UserQuerySet:
    """The agents of the demo organisation whom nobody uses."""
    address = Concat(F("username"), Value("@example.com"))
    return User.objects.filter(
        username__regex=r"^agent\d+$",
        email=address,
        is_active=True,
        last_login=None,
        api_keys=None,
        identities=None,
    )


@dataclass(frozen=True)
class Cue:
    """What is to happen in a call at an instant; `kind` None: its agent is ready again."""

    at: dt.datetime
    kind: str | None
    status: str = ""
    notes: str = ""


@dataclass
class Act:
    """A call that is being played, with what is still to come, in order."""

    call: CallLog
    agent: User
    cues: deque[Cue]
    alive_at: dt.datetime


class LivingDemo:
    """Plays calls; `move` does what is due, by a clock that the caller has."""

    def __init__(self, rng: random.Random, present: dt.datetime):
        self._rng = rng
        self._next_start = present
        running = CallLog.objects.active().filter(user__in=untouched_agents(), account=None)
        self._acts = [self._taken_over(call, present) for call in running.select_related("user")]

    def move(self, present: dt.datetime) -> None:
        """Does what is due at `present`."""
        waits = any(act.cues[0].at <= present for act in self._acts)
        if not waits and present < self._next_start:
            return
        agents = {agent.pk: agent for agent in untouched_agents()}
        self._acts = [act for act in self._acts if act.agent.pk in agents]
        for act in self._acts:
            self._play(act, present)
        self._acts = [act for act in self._acts if act.cues]
        if present >= self._next_start:
            self._next_start = present + self._seconds(BETWEEN_STARTS)
            self._start(list(agents.values()), present)

    def finish(self) -> None:
        """Ends what is being played."""
        agents = set(untouched_agents().values_list("pk", flat=True))
        for act in self._acts:
            if act.agent.pk in agents:
                end = Cue(now(), timeline.ENDED, timeline.COMPLETED)
                act.cues = deque([end, Cue(end.at, None)])
                self._play(act, end.at)

    def _play(self, act: Act, present: dt.datetime) -> None:
        try:
            while act.cues and act.cues[0].at <= present:
                _do(act, act.cues.popleft())
            if act.cues and act.cues[0].kind and present - act.alive_at >= HEARTBEAT:
                act.alive_at = present
                services.heartbeat(act.call.call_id, act.agent)
        except CallError:  # somebody else has ended it, or said that it was different
            act.cues.clear()

    def _start(self, agents: list[User], present: dt.datetime) -> None:
        busy = set(CallLog.objects.active().values_list("user_id", flat=True))
        busy |= {act.agent.pk for act in self._acts}
        free = [agent for agent in agents if agent.pk not in busy]
        if not free or len(agents) - len(free) >= max(1, BUSY_SHARE * len(agents)):
            return
        agent = self._rng.choice(sorted(free, key=lambda one: one.pk))
        contacts = Contact.objects.filter(team=agent.team_id).order_by("pk")
        call, _ = services.start_call(
            agent,
            contact=self._rng.choice(contacts[:100]) if contacts else None,
            direction=self._rng.choice(("outbound", "outbound", "inbound")),
            reported=services.ReportedTime(present),
        )
        self._acts.append(Act(call, agent, self._cues(present), present))

    def _cues(self, begin: dt.datetime) -> deque[Cue]:
        script = shape.draw_script(self._rng, _SKILL, names.NOTES)
        cues = deque(
            Cue(
                begin + dt.timedelta(milliseconds=offset),
                kind,
                data.get("status", ""),
                data.get("notes", ""),
            )
            for kind, offset, data in script.steps
        )
        cues.append(Cue(cues[-1].at + self._seconds(WRAP_UP), None))
        return cues

    def _taken_over(self, call: CallLog, present: dt.datetime) -> Act:
        """A call that the seed, or the last run of the demo, has left running."""
        assert call.user is not None
        end = Cue(present + self._seconds(LEFT_TO_TALK), timeline.ENDED, timeline.COMPLETED)
        return Act(call, call.user, deque([end, Cue(end.at, None)]), present - HEARTBEAT)

    def _seconds(self, bounds: tuple[float, float]) -> dt.timedelta:
        return dt.timedelta(seconds=self._rng.uniform(*bounds))


def _do(act: Act, cue: Cue) -> None:
    reported = services.ReportedTime(cue.at)
    if cue.kind is None:
        wrap_up.ready(act.call.call_id, act.agent, reported=reported)
    elif cue.kind == timeline.ENDED:
        services.end_call(
            act.call.call_id,
            act.agent,
            status=cue.status,
            notes=cue.notes,
            wrap_up=cue.status == timeline.COMPLETED,
            reported=reported,
        )
    else:
        services.step(act.call.call_id, act.agent, _ACTIONS[cue.kind], reported=reported)


def play(stop: threading.Event) -> None:
    """Plays until `stop` is set; a database that does not answer is asked again after a while."""
    demo: LivingDemo | None = None
    pause = 0.0
    while not stop.wait(pause):
        pause = LOOK_SECONDS
        try:
            demo = demo or LivingDemo(random.Random(), now())
            demo.move(now())
        except Exception:
            logger.exception("The demo's calls pause")
            pause = AFTER_A_FAULT_SECONDS
    try:
        if demo is not None:
            demo.finish()
    finally:
        connections.close_all()
