"""Calls reported to an adapter as its provider reports them, and what its ledger then proves.

Here are the tools; the laws that hold for every adapter are in tests/calls/providers/test_laws.py.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations, pairwise
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import strategies as st

from calls import timeline
from calls.providers import adapters
from calls.providers.base import Forged, HookRequest, Payload, ProviderEvent, Unknown, Unreadable
from calls.simulation import builders
from calls.simulation.base import ScriptedCall, SimRequest, Target
from tests.support.server import ROOT

T = 1_767_607_200_000  # 2026-01-05 10:00:00.000 UTC
HOOK = "https://calls.example.test/hooks/{kind}/main/"
SECRET = "a-secret-for-tests-1"
HOLDING = {timeline.HELD, timeline.RESUMED}
# What the table in docs/providers.md lets an event say.
DATA_KEYS = frozenset(
    re.findall(
        r"^\| `(\w+)` \|",
        (ROOT / "docs" / "providers.md").read_text().split("\n| Key | Of |", 1)[1],
        re.MULTILINE,
    )
)


def make(kind, settings=None, **secrets):
    """The adapter of an account whose every secret is SECRET, unless told otherwise."""
    adapter = adapters()[kind]
    valid = {name: [SECRET] for name in adapter.secret_names} | secrets
    return adapter("main", settings or {}, valid, "ES")


def target_of(adapter):
    return Target(HOOK.format(kind=adapter.kind), adapter.secrets, adapter.settings)


def hook_request(body=b"", *, url, method="POST", headers=None, received=T + 3_600_000):
    lower = {name.lower(): value for name, value in (headers or {}).items()}
    return HookRequest(method, url, lower, body, received)


def as_request(sent: SimRequest, received=T + 3_600_000) -> HookRequest:
    return hook_request(
        sent.body, url=sent.url, method=sent.method, headers=sent.headers, received=received
    )


def heard(adapter, request: HookRequest) -> list[ProviderEvent]:
    """What a request tells, through the door: proof, what is kept of it, the reading of that."""
    adapter.verify(request)
    return adapter.parse(adapter.kept(request))


def check_words(event: ProviderEvent) -> None:
    """Law: an event says what the table explains and nothing else: a slip would go unheard."""
    assert event.data.keys() <= DATA_KEYS


def ledgers(events: Iterable[ProviderEvent]) -> dict[str, dict[str, timeline.Event]]:
    """The ledger of each call: of two events with one key, the first to arrive stays.

    A remark about a whole conversation (an event without a call) is a line of all its parts. Who
    is named is taken as known.
    """
    found: dict[str, dict[str, timeline.Event]] = {}
    parts: dict[str, set[str]] = {}
    ordered = sorted(_settled(events), key=lambda event: not event.call)  # the remarks last
    for event in ordered:
        if event.call:
            parts.setdefault(event.conversation, set()).add(event.call)
        check_words(event)
        key = event.key if event.call else f"message:{event.conversation_sequence}"
        line = timeline.Event(key, event.kind, event.at, "provider:main", event.facts())
        for call in [event.call] if event.call else parts.get(event.conversation, ()):
            found.setdefault(call, {}).setdefault(key, line)
    return found


def _settled(events: Iterable[ProviderEvent]) -> list[ProviderEvent]:
    """Without those of phones that rang among several, and in vain."""
    told = list(events)
    calls = {event.call for event in told if not event.tentative or event.unless_known}
    return [event for event in told if event.call in calls]


def states(events: Iterable[ProviderEvent]) -> dict[str, timeline.CallState]:
    return {call: timeline.fold(lines.values()) for call, lines in ledgers(events).items()}


def agents(events: Iterable[ProviderEvent]) -> dict[str, set[str]]:
    """By call, the best name that each of its events has for the agent."""
    found: dict[str, set[str]] = {}
    for event in _settled(events):
        if event.call:
            found.setdefault(event.call, set()).update(event.agents[:1])
    return found


def facts(state: timeline.CallState) -> dict[str, object]:
    """The state in the words of ScriptedCall.truth."""
    names = ("start", "answered", "end", "status", "ring", "hold", "duration", "talk")
    return {name: getattr(state, name) for name in names}


@st.composite
def scripts(draw, directions=("outbound", "inbound")):
    """Any call: answered or not, with holds, to the millisecond."""
    start = T + draw(st.integers(0, 999))
    ring = draw(st.integers(1, 40_000))
    status = draw(st.sampled_from(timeline.TERMINAL))
    answered, end, holds = None, start + ring, []
    if status in (timeline.COMPLETED, timeline.DROPPED):
        answered = start + ring
        # On a grid of whole seconds, two holds must not touch.
        places = sorted(draw(st.sets(st.integers(0, 90), max_size=6)))
        marks = [answered // 2000 * 2000 + 3000 + 2000 * place for place in places]
        holds = list(zip(marks[::2], marks[1::2], strict=False))
        end = max([answered, *(close + 1 for _, close in holds)]) + draw(st.integers(0, 600_000))
    return ScriptedCall(
        call_id=draw(st.sampled_from(("call-1", "call-2"))),
        agent="801",
        number="+34600000001",
        start=start,
        ringing=start if draw(st.booleans()) else None,
        answered=answered,
        end=end,
        holds=tuple(holds),
        status=status,
        direction=draw(st.sampled_from(directions)),
    )


def requests_of(adapter, script: ScriptedCall) -> list[SimRequest]:
    """All that the provider sends about `script`, in order."""
    return builders()[adapter.kind].requests(script, target_of(adapter))


def reported_events(adapter, script: ScriptedCall) -> list[ProviderEvent]:
    """All that the provider tells of `script`, read request by request, in order."""
    return [
        event for sent in requests_of(adapter, script) for event in heard(adapter, as_request(sent))
    ]


def check_truth(adapter, script: ScriptedCall) -> None:
    """Law: what is recorded is exactly what happened, as far as the provider can tell it."""
    reported = builders()[adapter.kind].as_reported(script)
    (state,) = states(reported_events(adapter, script)).values()
    assert facts(state) == reported.truth
    assert state.missing == ()
    assert (state.number, state.direction) == (reported.number, reported.direction)


def check_any_order(adapter, script: ScriptedCall, data) -> None:
    """Law: any order with any repetition folds to the same state, and who answered is named."""
    events = reported_events(adapter, script)
    again = data.draw(st.lists(st.sampled_from(events), max_size=6))
    shuffled = data.draw(st.permutations(events + again))
    assert states(shuffled) == states(events)
    (named,) = agents(events).values()
    assert len(named) == 1 or (script.answered is None and not named)


def check_losses(adapter, script: ScriptedCall, data) -> None:
    """Law: whichever requests are lost (any one, any two, many), what is then wrong is marked.

    Except where a provider's record does not tell the hold: a hold of which nothing came, or two
    that became one, cannot be missed.
    """
    builder = builders()[adapter.kind]
    batches = [heard(adapter, as_request(sent)) for sent in requests_of(adapter, script)]
    places = range(len(batches))
    truth = builder.as_reported(script).truth
    turns = [place for place in places if {event.kind for event in batches[place]} & HOLDING]
    many = data.draw(st.sets(st.sampled_from(places)))
    for lost in map(set, [many, *combinations(places, 1), *combinations(places, 2)]):
        unseen = not builder.records_hold and any({*two} <= lost for two in pairwise(turns))
        heard_of = [event for place in places if place not in lost for event in batches[place]]
        for state in states(heard_of).values():
            if state.end is not None and not state.missing:
                wrong = {name for name, value in facts(state).items() if value != truth[name]}
                assert wrong <= ({"hold", "talk"} if unseen else set()), lost


def check_never_stumbles(adapter, payload: Payload) -> None:
    """Law: whatever the bytes are, they are read, unreadable or unknown; and can be stored."""
    try:
        events = adapter.parse(payload)
    except Unknown as unknown:
        events, said = unknown.events, str(unknown)
    except Unreadable as error:
        events, said = (), str(error)
    else:
        said = ""
    states(events)
    for event in events:
        said += repr(event) + event.call + event.conversation + "".join(event.agents) + event.number
        assert event.call or event.conversation
        assert len(event.call) <= 120 and len(event.conversation) <= 120
        assert len(event.key) <= 100 and len(event.event_id) <= 120
    assert "\x00" not in said
    said.encode()


def refused(adapter, request: HookRequest) -> bool:
    """Whether the proof fails, and in no other way than by Forged."""
    with pytest.raises(Forged):
        adapter.verify(request)
    return True


def check_forgeries(adapter, script: ScriptedCall) -> None:
    """Law: a proof by another secret is not taken, nor any where there is no secret at all, or an
    empty one: everybody knows that."""
    stranger, nobody, empty = (
        make(adapter.kind, adapter.settings, **dict.fromkeys(adapter.secrets, values))
        for values in (["other"], [], [""])
    )
    for sent in requests_of(adapter, script):
        genuine = as_request(sent)
        adapter.verify(genuine)
        assert all(refused(other, genuine) for other in (stranger, nobody, empty))
    for sent in requests_of(empty, script):
        forged = as_request(sent)
        assert all(refused(other, forged) for other in (adapter, nobody, empty))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def spoiled_request(adapter, draw) -> Payload:
    """What is kept of a genuine request in which some values are anything at all."""
    script = draw(scripts())
    builder = builders()[adapter.kind]
    odd = builder.unknown(builder.as_reported(script), target_of(adapter))
    requests = [*requests_of(adapter, script), odd]
    kept = adapter.kept(as_request(draw(st.sampled_from(requests))))
    body, query = kept.body, urlencode(_texts(spoiled(dict(parse_qsl(kept.query)), draw)))
    if body.startswith(b"{"):
        body = json.dumps(spoiled(json.loads(body), draw)).encode()
    elif body:
        body = urlencode(_texts(spoiled(_fields(body), draw))).encode()
    return replace(kept, body=body, query=query)


def _fields(body: bytes) -> dict:
    """The fields of a form, one of which may be JSON itself."""
    pairs = parse_qsl(body.decode(), keep_blank_values=True)
    return {name: json.loads(one) if one.startswith("{") else one for name, one in pairs}


def _texts(fields) -> dict:
    """`fields` as a form or an address can hold them."""
    pairs = fields.items() if isinstance(fields, dict) else [("", fields)]
    return {
        name.encode(errors="ignore"): (
            value if isinstance(value, str) else json.dumps(value)
        ).encode(errors="ignore")
        for name, value in pairs
    }


def spoiled(sample, draw):
    """A copy of the JSON value `sample` in which some values are anything at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(JUNK)
    if isinstance(sample, dict):
        return {name: spoiled(value, draw) for name, value in sample.items()}
    if isinstance(sample, list):
        return [spoiled(value, draw) for value in sample]
    return sample
