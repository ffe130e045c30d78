"""The fold: hand-worked examples to the millisecond, and the laws that hold for any events."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls import timeline
from calls.timeline import Event, fold

T = 1_767_607_200_000  # 2026-01-05 10:00:00.000 UTC


def said(kind, seconds, source="agent", key="", **data):
    at = T + round(seconds * 1000)
    return Event(key or f"{kind}:{at}:{source}", kind, at, source, data)


def started(seconds=0, **more):
    return said("started", seconds, **more)


def ended(seconds, status="COMPLETED", **more):
    return said("ended", seconds, status=status, **more)


def lengths(state):
    return state.ring, state.hold, state.paused, state.duration, state.talk


EXAMPLES = {
    # name: (events, status, (ring, hold, paused, duration, talk) in ms)
    "a click and a click, nobody told the answer": (
        [started(), ended(101.999)],
        "COMPLETED",
        (0, 0, 0, 101_999, 101_999),
    ),
    "rang 9 s, then 101.4 s with 12.5 s of hold (as a real PBX told it)": (
        [started(), said("answered", 9), said("held", 40), said("resumed", 52.5), ended(110.4)],
        "COMPLETED",
        (9_000, 12_500, 0, 110_400, 88_900),
    ),
    "paused twice: tracked time leaves the pauses out": (
        [
            started(),
            said("paused", 10),
            said("unpaused", 15.25),
            said("paused", 20),
            said("unpaused", 21),
            ended(30),
        ],
        "COMPLETED",
        (0, 0, 6_250, 23_750, 23_750),
    ),
    "hold and pause overlap: the overlap is left out of talk once": (
        [
            started(),
            said("answered", 2),
            said("held", 10),
            said("paused", 15),
            said("resumed", 20),
            said("unpaused", 25),
            ended(40),
        ],
        "COMPLETED",
        (2_000, 10_000, 10_000, 30_000, 23_000),
    ),
    "ended while on hold and paused: both close with the call": (
        [started(), said("answered", 1), said("held", 5), said("paused", 8), ended(10, "DROPPED")],
        "DROPPED",
        (1_000, 5_000, 2_000, 8_000, 4_000),
    ),
    "nobody answered: the time is ring": (
        [started(), ended(25.5, "NO_ANSWER")],
        "NO_ANSWER",
        (25_500, 0, 0, 25_500, 0),
    ),
    "failed: the time is ring": (
        [started(), ended(3, "FAILED")],
        "FAILED",
        (3_000, 0, 0, 3_000, 0),
    ),
    "dropped without a known answer: the time is talk": (
        [started(), ended(7, "DROPPED")],
        "DROPPED",
        (0, 0, 0, 7_000, 7_000),
    ),
    "a pause while it rang is neither ring nor tracked": (
        [started(), said("paused", 2), said("unpaused", 4), said("answered", 10), ended(20)],
        "COMPLETED",
        (8_000, 0, 2_000, 18_000, 10_000),
    ),
    "hold said twice, resume said twice": (
        [
            started(),
            said("answered", 0),
            said("held", 5),
            said("held", 6),
            said("resumed", 8),
            said("resumed", 9),
            ended(10),
        ],
        "COMPLETED",
        (0, 3_000, 0, 10_000, 7_000),
    ),
    "two parties hold at once: their union counts": (
        [
            started(),
            said("answered", 0),
            said("held", 2, party="a"),
            said("held", 4, party="b"),
            said("resumed", 6, party="a"),
            said("resumed", 8, party="b"),
            ended(10),
        ],
        "COMPLETED",
        (0, 6_000, 0, 10_000, 4_000),
    ),
    "a resume without a hold, a hold after the end": (
        [started(), said("answered", 1), said("resumed", 3), ended(10), said("held", 12)],
        "COMPLETED",
        (1_000, 0, 0, 10_000, 9_000),
    ),
    "an end told before its start is the start": (
        [started(5), ended(3)],
        "COMPLETED",
        (0, 0, 0, 0, 0),
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_hand_worked_examples(name):
    events, status, expected = EXAMPLES[name]
    state = fold(events)
    assert state.status == status
    assert lengths(state) == expected


def test_a_running_call_knows_its_pause_and_hold():
    state = fold([started(), said("paused", 4), said("unpaused", 6), said("paused", 9)])
    assert (state.status, state.end, state.duration, state.talk) == (
        "IN_PROGRESS",
        None,
        None,
        None,
    )
    assert (state.paused, state.paused_since) == (2_000, T + 9_000)
    assert fold([started(), said("held", 3)]).held_since == T + 3_000


def test_the_provider_is_believed_before_the_agent_and_its_record_before_its_events():
    click = [started(0.4), ended(100)]
    live = [
        started(0, source="provider:pbx"),
        said("answered", 9, source="provider:pbx"),
        ended(99, source="provider:pbx"),
    ]
    assert (fold(click).evidence, fold(click + live).evidence) == ("C", "B")
    assert (fold(click + live).start, fold(click + live).end) == (T, T + 99_000)
    record = said(
        "summary",
        130,
        source="provider:pbx",
        answered=T + 9_500,
        end=T + 98_000,
        status="COMPLETED",
    )
    state = fold([*click, *live, record])
    assert (state.evidence, state.answered, state.end) == ("A", T + 9_500, T + 98_000)


def test_a_persons_end_replaces_the_watchdogs_estimate_and_never_the_reverse():
    guess = ended(300, "DROPPED", source="watchdog", reason="watchdog")
    assert fold([started(), guess]).evidence == "E"
    state = fold([started(), guess, ended(720)])
    assert (state.evidence, state.status, state.duration) == ("C", "COMPLETED", 720_000)


def test_of_two_ends_by_people_the_first_instant_counts():
    state = fold([started(), ended(20, "DROPPED", key="a"), ended(10, "FAILED", key="b")])
    assert (state.status, state.duration) == ("FAILED", 10_000)


def test_corrections_lie_on_top_and_the_last_word_wins():
    call = [started(), said("answered", 5), ended(60)]
    first = said("corrected", 100, start=T + 1_000, status="DROPPED", reason="r")
    second = said("corrected", 200, end=T + 50_000, answered=None, reason="r")
    state = fold([*call, second, first])
    assert (state.start, state.end, state.answered) == (T + 1_000, T + 50_000, None)
    assert (state.status, state.duration, state.talk) == ("DROPPED", 49_000, 49_000)


def test_a_confirmed_estimate_counts_as_a_persons_word():
    guess = ended(300, "DROPPED", source="watchdog")
    assert fold([started(), guess, said("corrected", 400, reason="yes")]).evidence == "C"


def test_what_was_recorded_offline_says_so():
    assert fold([started(), ended(9, offline=True)]).evidence == "D"


def test_no_correction_reopens_a_call():
    state = fold([started(), ended(10), said("corrected", 20, status="DROPPED")])
    assert state.end == T + 10_000


def test_the_last_note_stays():
    state = fold([started(), ended(10, notes="first"), said("noted", 20, notes="second")])
    assert state.notes == "second"


def test_nothing_at_all_is_no_call():
    with pytest.raises(ValueError, match="at least one event"):
        fold([])


# --- Laws ---

SOURCES = ("agent", "client", "watchdog", "provider:pbx", "admin")
instants = st.integers(min_value=T - 5_000, max_value=T + 60_000)


@st.composite
def events_of_a_call(draw):
    events = []
    for number in range(draw(st.integers(min_value=0, max_value=12))):
        kind = draw(st.sampled_from([k for k in timeline.KINDS if k != "started"]))
        data = {}
        if kind in ("ended", "summary", "corrected"):
            data["status"] = draw(st.sampled_from(timeline.TERMINAL))
        if kind in ("summary", "corrected"):
            for name in ("start", "answered", "end"):
                if draw(st.booleans()):
                    data[name] = draw(instants)
        if kind in ("ended", "noted") and draw(st.booleans()):
            data["notes"] = draw(st.sampled_from(["x", "y"]))
        if kind in ("held", "resumed"):
            data["party"] = draw(st.sampled_from(["", "a", "b"]))
        # Keys collide on purpose: a provider may use one id for two different statements.
        key = f"{kind}{draw(st.integers(min_value=0, max_value=3))}"
        at, source = draw(instants), draw(st.sampled_from(SOURCES))
        events.append(Event(key if draw(st.booleans()) else f"n{number}", kind, at, source, data))
    events.append(Event("started", "started", T, draw(st.sampled_from(SOURCES))))
    return events


@settings(max_examples=400, deadline=None)
@given(events_of_a_call(), st.data())
def test_any_order_and_any_repetition_folds_to_the_same_state(events, data):
    again = data.draw(st.lists(st.sampled_from(events), max_size=10))
    shuffled = data.draw(st.permutations(events + again))
    assert fold(shuffled) == fold(events)


@settings(max_examples=400, deadline=None)
@given(events_of_a_call())
def test_the_parts_always_add_up(events):
    state = fold(events)
    assert (state.status == "IN_PROGRESS") == (state.end is None)
    assert min(state.hold, state.paused) >= 0
    if state.end is None:
        assert state.duration is None
        return
    assert state.status in timeline.TERMINAL
    assert state.end >= state.start
    assert state.duration == state.end - state.start - state.paused >= 0
    assert 0 <= state.talk <= state.duration
    assert state.ring >= 0
    if state.answered is not None:
        assert state.start <= state.answered <= state.end
        # Ring, talk and what was held or paused after the answer fill the call exactly.
        assert state.ring + state.talk + state.hold >= state.duration - state.paused
        assert state.ring + state.talk <= state.duration


@settings(max_examples=200, deadline=None)
@given(events_of_a_call(), events_of_a_call())
def test_more_events_never_reopen_a_call(events, more):
    # The ledger holds a key once, so what comes later has keys of its own.
    later = [replace(event, key=f"later {event.key}") for event in more]
    if fold(events).end is not None:
        assert fold(events + later).end is not None
