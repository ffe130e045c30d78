"""Writes the demo organisation: every call with its ledger, and as the fold of that ledger."""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Any

from django.db import connection, transaction

from calls import services, timeline
from calls.models import CallEvent, CallLog, fulltext
from calls.models.event import written
from calls.timeline import chain
from common.instants import from_ms, now
from metrics.demo.loading import Loader
from metrics.demo.organisation import Organisation, make_organisation
from metrics.demo.planning import PlannedCall, plan
from metrics.rollups.rebuild import rebuild

BATCH = 2000
PRECISION_MS = 1
HEARD_AFTER_MS = 40
HEARD_OFFLINE_AFTER_MS = 600_000
# Calls in progress: (number of the agent, seconds it has lasted, steps so far).
RUNNING = ((1, 95, ("answer",)), (4, 390, ("answer", "hold")), (8, 12, ()))


class AlreadySeededError(Exception):
    """The database has calls; a demo organisation would be mixed with them."""


@dataclass(frozen=True)
class Options:
    """What to seed. `calls` None: as many as the agents would make in that time."""

    seed: int = 1
    teams: int = 3
    agents: int = 12
    days: int = 28
    calls: int | None = None
    live: bool = False


@dataclass(frozen=True)
class Seeded:
    teams: int
    agents: int
    contacts: int
    calls: int


@transaction.atomic
def seed(options: Options, present: dt.datetime | None = None) -> Seeded:
    """Writes all in one transaction. AlreadySeededError, and nothing changed, if calls exist.

    The calls reach up to the last full hour, so that the same seed gives the same data for that
    long; with `live` up to now, and some are still running.
    """
    if CallLog.objects.exists():
        raise AlreadySeededError
    present = present or now()
    until = present if options.live else present.replace(minute=0, second=0, microsecond=0)
    joined = until - dt.timedelta(days=options.days)
    rng = random.Random(f"{options.seed}:organisation")
    organisation = make_organisation(rng, options.teams, options.agents, joined)
    planned = plan(options.seed, organisation, options.days, options.calls, until)
    with fulltext.resting(connection):
        written = _write(planned)
    rebuild()
    if options.live:
        written += _start_running(organisation, present)
    contacts = sum(map(len, organisation.contacts.values()))
    return Seeded(options.teams, options.agents, contacts, written)


def _write(planned: Iterator[PlannedCall]) -> int:
    """Inserts the calls and their events, some at a time; how many calls."""
    calls, events = Loader(CallLog), Loader(CallEvent)
    values_of = attrgetter(*calls.attributes)
    written = 0
    while batch := list(islice(planned, BATCH)):
        keys = calls.insert(values_of(_as_call(one)) for one in batch)
        pairs = zip(keys, batch, strict=True)
        events.insert(row for key, one in pairs for row in _event_rows(key, one))
        written += len(batch)
    calls.finish()
    events.finish()
    return written


def _as_call(planned: PlannedCall) -> CallLog:
    """The unsaved call, as its ledger folds."""
    call = CallLog(
        call_id=planned.call_id,
        user_id=planned.agent.pk,
        contact_id=planned.contact_id,
        direction=planned.direction,
        last_seen_at=from_ms(planned.facts[-1].at),
    )
    call.set_phone(planned.phone)
    call.apply(timeline.fold(planned.facts))
    return call


def _event_rows(call_id: int, planned: PlannedCall) -> Iterator[tuple[Any, ...]]:
    """The ledger's lines as values in the order of CallEvent's fields."""
    last = planned.facts[-1].at
    previous = chain.first_link(call_id)
    for place, fact in enumerate(planned.facts, 1):
        reported = last + HEARD_OFFLINE_AFTER_MS if fact.data.get("offline") else fact.at
        heard = from_ms(reported + HEARD_AFTER_MS)
        actor = None if fact.source == timeline.WATCHDOG else planned.agent.pk
        at = from_ms(fact.at)
        more = (fact.source, actor, PRECISION_MS, "", None, "", None)
        columns = (call_id, fact.key, fact.kind, written(at), written(heard), *more)
        link = chain.linked(previous, place, columns, fact.kind, fact.data)
        previous = link[0]
        yield (call_id, fact.key, fact.kind, at, heard, *more, dict(fact.data), place, *link)


def _start_running(organisation: Organisation, present: dt.datetime) -> int:
    """Calls that are going on, so that there is something to see at once."""
    started = 0
    for number, lasted, steps in RUNNING:
        if number >= len(organisation.agents):
            break
        agent = organisation.agents[number]
        begun = present - dt.timedelta(seconds=lasted)
        contact = organisation.contacts_of(agent)[number]
        call, _ = services.start_call(agent, contact=contact, reported=services.ReportedTime(begun))
        for place, action in enumerate(steps, start=1):
            at = begun + dt.timedelta(seconds=lasted * place / (len(steps) + 1))
            services.step(call.call_id, agent, action, reported=services.ReportedTime(at))
        started += 1
    return started
