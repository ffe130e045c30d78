"""Which calls there are: spread over the days and the agents, one ledger each, up to an instant."""

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from accounts.models import User
from calls import timeline
from calls.models import Contact
from common.instants import day_range, local_day, to_ms
from metrics.demo import names, shape
from metrics.demo.organisation import Organisation, mobile_or_fixed
from metrics.demo.shape import Script, Skill

CALLS_A_WORKING_DAY = 26
# Today, of each agent, whatever the day: a page without a call shows nothing. One in ten minutes.
LEAST_TODAY, LEAST_EVERY_MS = 5, 600_000
# (days ago, number of the agent): whose last call of that day the watchdog had to close.
VANISHED = frozenset({(1, 0), (3, 4), (4, 9), (6, 6)})


@dataclass(frozen=True)
class PlannedCall:
    call_id: uuid.UUID
    agent: User
    contact_id: int | None
    phone: str  # E.164; "" when nobody knows
    direction: str
    facts: list[timeline.Event]


@dataclass(frozen=True)
class Share:
    """One agent's calls of one day. Instants in ms; `until` lies in the day or at its end."""

    agent: User
    number: int
    days_ago: int
    begin: int
    until: int
    weight: float

    def rng(self, seed: int) -> random.Random:
        return random.Random(f"{seed}:{self.begin}:{self.agent.username}")


def plan(
    seed: int, organisation: Organisation, days: int, calls: int | None, until: dt.datetime
) -> Iterator[PlannedCall]:
    """The calls of the `days` local days up to the instant `until`.

    Exactly `calls` of them if given; otherwise as many as fit, and on the last day some for each.
    """
    shares = list(_shares(seed, organisation, days, until))
    weight = sum(share.weight for share in shares)
    scale = CALLS_A_WORKING_DAY if calls is None else calls / weight
    due = 0.0
    dealt = 0
    for share in shares:
        due += share.weight * scale
        count = round(due) - dealt
        dealt += count
        if calls is None and share.days_ago == 0:
            count = max(count, min(LEAST_TODAY, (share.until - share.begin) // LEAST_EVERY_MS))
        yield from _calls_of(share, seed, count, organisation.contacts_of(share.agent))


def _shares(
    seed: int, organisation: Organisation, days: int, until: dt.datetime
) -> Iterator[Share]:
    last = local_day(until)
    if day_range(last, last)[0] == until:  # nothing of this day has passed yet
        last -= dt.timedelta(days=1)
    for ago in reversed(range(days)):
        day = last - dt.timedelta(days=ago)
        begin, end = (to_ms(instant) for instant in day_range(day, day))
        stop = min(end, to_ms(until))
        for number, agent in enumerate(organisation.agents):
            share = Share(agent, number, ago, begin, stop, 0)
            zeal = share.rng(seed).uniform(0.8, 1.2)
            weight = zeal * shape.BUSY[day.weekday()] * shape.share_of_day(stop - begin)
            yield Share(agent, number, ago, begin, stop, weight)


def _calls_of(
    share: Share, seed: int, count: int, contacts: list[Contact]
) -> Iterator[PlannedCall]:
    rng = share.rng(seed)
    skill = Skill.draw(random.Random(f"{seed}:{share.agent.username}"))
    room = share.until - share.begin
    offsets = sorted(shape.time_of_day(rng, room) for _ in range(count))
    free_at = 0
    for number, offset in enumerate(offsets, start=1):
        script = shape.draw_script(rng, skill, names.NOTES)
        offset = _fit(rng, offset, free_at, script.length, room)
        free_at = offset + script.length
        vanished = number == count and (share.days_ago, share.number) in VANISHED
        yield _planned(rng, share, share.begin + offset, script, skill, contacts, vanished)


def _fit(rng: random.Random, offset: int, free_at: int, length: int, room: int) -> int:
    """Moves a call behind the one before it, unless it would then not end in time."""
    behind = max(offset, free_at + rng.randrange(8_000, 60_000))
    return min(behind if behind + length < room else offset, room - length - 1)


def _planned(
    rng: random.Random,
    share: Share,
    start: int,
    script: Script,
    skill: Skill,
    contacts: list[Contact],
    vanished: bool,
) -> PlannedCall:
    contact_id, phone = _other_side(rng, contacts)
    if vanished:
        facts = shape.estimate(script, start)
    else:
        source = "client" if rng.random() < 0.25 else "agent"
        facts = shape.ledger(script, start, source, offline=rng.random() < skill.offline)
    return PlannedCall(
        call_id=_uuid7(rng, start),
        agent=share.agent,
        contact_id=contact_id,
        phone=phone,
        direction="inbound" if rng.random() < 0.3 else "outbound",
        facts=facts,
    )


def _other_side(rng: random.Random, contacts: list[Contact]) -> tuple[int | None, str]:
    """Mostly a contact (its key), sometimes a number that is no contact's, rarely nobody known."""
    luck = rng.random()
    if luck < 0.86:
        contact = rng.choice(contacts)
        return contact.pk, contact.phone
    return None, mobile_or_fixed(rng) if luck < 0.97 else ""


def _uuid7(rng: random.Random, at: int) -> uuid.UUID:
    """A UUIDv7 (RFC 9562) of the instant `at`, its random part drawn from the seed."""
    variant = 0b10 << 62
    return uuid.UUID(
        int=at << 80 | 0x7 << 76 | rng.getrandbits(12) << 64 | variant | rng.getrandbits(62)
    )
