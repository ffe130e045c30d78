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


def test_the_last_outcome_stays_and_takes_no_note_with_it():
    first = said("noted", 12, disposition="sale", key="a")
    second = said("noted", 15, disposition="later", key="b")
    state = fold([started(), ended(10, notes="first"), second, first])
    assert (state.disposition, state.notes) == ("later", "first")


def test_wrap_up_runs_from_the_end_to_the_first_word_that_it_is_over():
    call = [started(), ended(10), said("noted", 10, wrap_up="started", key="a")]
    assert (fold(call).wrap_up, fold(call).wrap_up_since) == (0, T + 10_000)
    cap = said("noted", 130, source="watchdog", wrap_up="ended", key="b")
    ready = said("noted", 31.5, wrap_up="ended", key="c")  # clicked offline, told after the cap
    assert (fold([*call, cap]).wrap_up, fold([*call, cap]).wrap_up_since) == (120_000, None)
    assert fold([*call, cap, ready]).wrap_up == 21_500
    assert lengths(fold([*call, cap])) == lengths(fold(call))


def test_wrap_up_never_overlaps_with_the_call():
    agent = [started(), ended(10), said("noted", 10, wrap_up="started", key="a")]
    over = said("noted", 40, wrap_up="ended", key="b")
    record = said("summary", 60, source="provider:pbx", end=T + 25_000, status="COMPLETED")
    assert fold([*agent, over, record]).wrap_up == 15_000
    earlier = said("corrected", 90, end=T + 4_000, reason="r")
    assert fold([*agent, over, earlier]).wrap_up == 30_000  # what was measured, not the gap
    later = said("corrected", 90, end=T + 50_000, reason="r")
    assert fold([*agent, over, later]).wrap_up == 0


def test_without_a_word_of_it_there_is_no_wrap_up():
    state = fold([started(), ended(10), said("noted", 20, wrap_up="ended")])
    assert (state.wrap_up, state.wrap_up_since) == (0, None)


def test_a_record_of_the_end_alone_is_a_call_whose_start_is_missing():
    state = fold([said("summary", 9, "provider:pbx", end=T + 9_000, status="COMPLETED")])
    assert (state.start, state.end, state.duration) == (T + 9_000, T + 9_000, 0)
    assert state.missing == ("start", "answer")


def test_an_answer_may_also_take_the_call_off_hold():
    again = said("answered", 20, "provider:pbx", resumes=True)
    events = [started(), said("answered", 5, "provider:pbx"), said("held", 12), again, ended(30)]
    assert (fold(events).hold, fold(events).answered) == (8_000, T + 5_000)
    assert fold([*events, said("held", 25)]).hold == 13_000


def test_a_provider_that_may_have_missed_the_answer_is_not_silent_about_it():
    data = {"status": "COMPLETED", "unanswered": "NO_ANSWER"}
    start = started(source="provider:pbx")
    sure, unsure = (
        said("ended", 9, "provider:pbx", key="e", **data, **more) for more in ({}, {"unsure": True})
    )
    assert [fold([start, end]).status for end in (sure, unsure)] == ["NO_ANSWER", "NO_ANSWER"]
    assert [fold([start, end]).missing for end in (sure, unsure)] == [(), ("answer",)]
    assert fold([start, unsure, said("answered", 4, "provider:pbx")]).missing == ()


LOSSES = {
    # name: (what a provider tells between start and end, whether something must be lost)
    "numbers from 0": ([("ringing", 1, {"seq": 0}), ("answered", 2, {"seq": 1})], False),
    "a number left out": ([("ringing", 1, {"seq": 0}), ("answered", 2, {"seq": 2})], True),
    "the first number left out": ([("answered", 2, {"seq": 1})], True),
    "numbers of two legs": (
        [("ringing", 1, {"seq": 0, "leg": "a"}), ("answered", 2, {"seq": 0, "leg": "b"})],
        False,
    ),
    "an awaited leg": ([("answered", 2, {"leg": "a", "awaits": "a"})], True),
    "an awaited leg that rang until then": (
        [("ringing", 2, {"awaits": "a"}), ("ringing", 9, {"leg": "a", "over": True})],
        False,
    ),
    "a hold and its end": (
        [("resumed", 5, {"paired": True}), ("held", 3, {"paired": True})],
        False,
    ),
    "a hold without its end": ([("held", 3, {"paired": True})], True),
    "an end without its hold": ([("resumed", 3, {"paired": True})], True),
    "a hold without its end where that is not told": ([("held", 3, {})], False),
    "one party's hold, another's end": (
        [("held", 3, {"paired": True, "party": "a"}), ("resumed", 4, {"paired": True})],
        True,
    ),
    "an answer that ends a hold": (
        [
            ("answered", 2, {"paired": True, "resumes": True}),
            ("held", 3, {"paired": True}),
            ("answered", 4, {"paired": True, "resumes": True}),
        ],
        False,
    ),
    "a hold before anybody had answered": (
        [("held", 3, {"paired": True}), ("answered", 4, {"paired": True, "resumes": True})],
        True,
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_what_a_lost_event_leaves_behind_shows(name):
    told, lost = LOSSES[name]
    call = [started(source="provider:pbx"), ended(30, source="provider:pbx", key="end")]
    call.append(said("answered", 2, "provider:pbx", key="plain"))
    call += [said(kind, at, "provider:pbx", **data) for kind, at, data in told]
    assert fold(call).missing == (("events",) if lost else ())


def test_nothing_at_all_is_no_call():
    with pytest.raises(ValueError, match="at least one event"):
        fold([])


# --- Laws ---

SOURCES = ("agent", "client", "watchdog", "provider:pbx", "admin")
NOTED = (
    {},
    {"disposition": "sale"},
    {"disposition": "later"},
    {"wrap_up": "started"},
    {"wrap_up": "ended"},
)
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
        if kind == "noted":
            data |= draw(st.sampled_from(NOTED))
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
    assert min(state.hold, state.paused, state.wrap_up) >= 0
    if state.wrap_up_since is not None:
        assert state.wrap_up == 0
        assert state.end is not None and state.wrap_up_since >= state.end
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
