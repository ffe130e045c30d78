"""Plays scripted calls through the real doors and compares what was recorded with the truth."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from django.urls import reverse

from calls.models import ProviderAccount, RawEvent
from calls.providers.base import Adapter, HookRequest, Payload, ProviderEvent, Unknown, Unreadable
from calls.simulation import builders
from calls.simulation.base import Builder, ScriptedCall, SimRequest, Target
from calls.simulation.chaos import Post, post
from calls.simulation.delivery import Answers, deliver
from calls.simulation.listening.play import LISTENED, Listening, listen
from calls.simulation.scripts import scripts
from calls.simulation.stage import Stage, set_up
from calls.simulation.verdicts import BAD, EXACT, Verdict, counted, judge
from calls.telephony.hooks import adapter_of
from common.instants import now, to_ms

_CONNECTIONS: Final = 4


@dataclass(frozen=True)
class Play:
    """What is to be played. `losses` is a share, 0 to 1; `speed` 0: as fast as it is taken."""

    kind: str
    calls: int = 20
    account: str | None = None
    chaos: bool = False
    losses: float = 0.0
    seed: int = 1
    url: str = "http://127.0.0.1:8000"
    speed: float = 0.0


@dataclass
class Outcome:
    verdicts: list[Verdict] = field(default_factory=list)
    strangers: int = 0  # calls that belong to nothing that was played
    sent: int = 0
    doubled: int = 0
    lost: int = 0
    answers: Answers = field(default_factory=Answers)
    seconds: float = 0.0
    account: str = ""

    @property
    def counts(self) -> dict[str, int]:
        return counted(self.verdicts)

    @property
    def exact_percent(self) -> float:
        return 100 * self.counts[EXACT] / max(1, len(self.verdicts))

    @property
    def is_sound(self) -> bool:
        """Nothing silently wrong, lost or doubled, and every message taken."""
        bad = sum(self.counts[said] for said in BAD)
        return not (bad or self.strangers or self.answers.refused)


def kinds() -> list[str]:
    return sorted([*builders(), *LISTENED])


def play(what: Play) -> Outcome:
    """Plays `what` and takes all traces away again.

    Raises Unsent, or ProviderAccount.DoesNotExist.
    """
    return _play_lasting(what) if what.kind in LISTENED else _play_hook(what)


# --- Phone systems that send their events to a hook -----------------------------------------------


def _play_hook(what: Play) -> Outcome:
    stage = set_up(what.kind, what.account)
    builder, adapter = builders()[what.kind], adapter_of(stage.account)
    ids: list[set[str]] = []
    digests: list[str] = []
    conversations: set[str] = set()
    try:
        target = target_of(stage.account, what.url)
        played = scripts(what.calls, stage.agents, what.seed, to_ms(now()) - 60_000)
        calls = [(one, builder.requests(one, target)) for one in played]
        ids += [ids_of(adapter, requests) for _one, requests in calls]
        digests += [digest_of(adapter, request) for _one, some in calls for request in some]
        events = (event for _one, some in calls for event in events_of(adapter, some))
        conversations |= {event.conversation for event in events}
        made = post(calls, chaos=what.chaos, losses=what.losses, seed=what.seed)
        outcome = _deliver(what, made, played)
        heard = {place for place, request in made.arriving if ids_of(adapter, [request])}
        outcome.verdicts, outcome.strangers = _judged(stage, builder, played, ids, heard)
        outcome.account = stage.account.name
        return outcome
    finally:
        stage.clear((one for some in ids for one in some), digests, conversations)


def _deliver(what: Play, made: Post, played: Sequence[ScriptedCall]) -> Outcome:
    begun = time.perf_counter()
    lines = _CONNECTIONS if what.chaos else 1
    pause = 0.0
    if what.speed and made.arriving:
        lasted = max(one.end for one in played) - min(one.start for one in played)
        pause = lasted / 1000 / what.speed / len(made.arriving) * lines
    requests = [request for _place, request in made.arriving]
    answers = deliver(requests, what.url, connections=lines, pause=pause)
    return Outcome(
        sent=made.sent,
        doubled=made.doubled,
        lost=len(made.lost),
        answers=answers,
        seconds=time.perf_counter() - begun,
    )


def target_of(account: ProviderAccount, url: str) -> Target:
    """`account` as the provider addresses it: by its public address, where there is one."""
    base = settings.PUBLIC_BASE_URL or url.rstrip("/")
    address = base + reverse("hook", args=[account.kind, account.name])
    return Target(address, account.secrets, account.settings)


def events_of(adapter: Adapter, requests: Sequence[SimRequest]) -> list[ProviderEvent]:
    """What `adapter` reads from `requests`."""
    return [event for request in requests for event in _parsed(adapter, _kept(adapter, request))]


def ids_of(adapter: Adapter, requests: Sequence[SimRequest]) -> set[str]:
    """The provider's ids of the calls that `requests` make."""
    return {event.call for event in events_of(adapter, requests) if event.kind != "noted"}


def digest_of(adapter: Adapter, request: SimRequest) -> str:
    kept = _kept(adapter, request)
    return RawEvent.digest_of(kept.query, kept.body)


def _kept(adapter: Adapter, request: SimRequest) -> Payload:
    headers = {name.lower(): value for name, value in request.headers.items()}
    came = HookRequest(request.method, request.url, headers, request.body, to_ms(now()))
    return adapter.kept(came)


def _parsed(adapter: Adapter, payload: Payload) -> Sequence[ProviderEvent]:
    try:
        return adapter.parse(payload)
    except Unknown as unknown:
        return unknown.events
    except Unreadable:
        return ()


def _judged(
    stage: Stage,
    builder: Builder,
    played: Sequence[ScriptedCall],
    ids: Sequence[set[str]],
    heard: set[int],
) -> tuple[list[Verdict], int]:
    found = stage.calls(one for some in ids for one in some)
    verdicts = []
    for place, call in enumerate(played):
        its = [one for one in found if one.provider_call_id in ids[place]]
        verdicts.append(judge(builder.as_reported(call), its, place in heard))
    known = {one for some in ids for one in some}
    return verdicts, sum(one.provider_call_id not in known for one in found)


# --- Phone systems that are listened to -----------------------------------------------------------


def _play_lasting(what: Play) -> Outcome:
    if what.account is not None:
        raise ProviderAccount.DoesNotExist
    system = LISTENED[what.kind]
    stage = set_up(system.kind, None, {"host": "127.0.0.1", "port": "1", **system.settings})
    try:
        played = scripts(what.calls, stage.agents, what.seed, to_ms(now()) - 60_000)
        scripted = [
            system.script(system.builder.as_reported(one), 10 * place)
            for place, one in enumerate(played)
        ]
        ids = [{one.call} for one in scripted]
        begun = time.perf_counter()
        listening = Listening(what.chaos, what.losses)
        cuts, lost = asyncio.run(listen(system, stage.account, scripted, listening))
        outcome = Outcome(sent=sum(len(one.messages) for one in scripted), lost=cuts * lost)
        outcome.seconds = time.perf_counter() - begun
        heard = set(range(len(played))) if not lost else set()
        outcome.verdicts, outcome.strangers = _judged(stage, system.builder, played, ids, heard)
        outcome.account = stage.account.name
        return outcome
    finally:
        stage.clear((), (), ())
