"""The fold: hand-worked examples to the millisecond, and the laws that hold for any events."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls import timeline
from calls.timeline import Event, fold

PBX = "provider:pbx"
T = 1_767_607_200_000  # 2026-01-05 10:00:00.000 UTC


def said(kind, seconds, source="agent", key="", **data):
    at = T + round(seconds * 1000)
    return Event(key or f"{kind}:{at}:{source}", kind, at, source, data)


def started(seconds=0, **more):
    return said("started", seconds, **more)


def ended(seconds, status="COMPLETED", **more):
    return said("ended", seconds, status=status, **more)


def numbered(number, event):
    return replace(event, number=number)


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
    first = said("corrected", 100, key="b", start=T + 1_000, status="DROPPED", end=T, reason="r")
    second = said("corrected", 200, key="a", end=T + 50_000, answered=None, reason="r")
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


# --- Which word is the last ---

WORDS = {
    # what people may say several times -> (kind, what is said, what the fold makes of it)
    "notes": ("noted", lambda text: {"notes": text}, lambda state: state.notes),
    "outcome": ("noted", lambda text: {"disposition": text}, lambda state: state.disposition),
    "correction": ("corrected", lambda text: {"status": text}, lambda state: state.status),
}


@pytest.mark.parametrize("what", WORDS)
def test_of_words_the_last_that_was_taken_down_counts(what):
    kind, data, shown = WORDS[what]

    def last_of(*words):
        call = [numbered(1, started()), numbered(2, ended(10))]
        call += [
            numbered(number, said(kind, at, source, key=key, **data(text), **more))
            for number, at, text, key, source, more in words
        ]
        return shown(fold(call))

    def word(number, at, text, key="", source="agent", **more):
        return number, at, text, key or text, source, more

    # In one millisecond, whatever their keys are.
    assert last_of(word(4, 20, "one", "b"), word(5, 20, "two", "a")) == "two"
    # After the clock was set back, and back again.
    assert last_of(word(4, 90, "one"), word(5, 20, "two")) == "two"
    assert last_of(word(4, 90, "one"), word(5, 20, "two"), word(6, 30, "three")) == "three"
    # What was kept offline is as late as its own clock says, and of one instant the later line.
    assert last_of(word(4, 20, "one"), word(5, 19, "two", offline=True)) == "one"
    assert last_of(word(4, 20, "one"), word(5, 20, "two", offline=True)) == "two"
    assert last_of(word(4, 20, "one"), word(5, 21, "two", offline=True)) == "two"
    late = word(6, 50, "three", offline=True)
    assert last_of(word(4, 90, "one"), word(5, 20, "two"), late) == "two"
    # It moves nothing that was taken down at once.
    assert last_of(word(4, 99, "one", offline=True), word(5, 30, "two")) == "one"
    assert last_of(word(4, 99, "x", offline=True), word(5, 100, "y"), word(6, 98, "z")) == "z"
    # A phone system's words come in any order.
    assert last_of(word(4, 22, "one", source=PBX), word(5, 21, "two", source=PBX)) == "one"
    # Without numbers the instants are all there is, then the keys.
    assert last_of(word(0, 22, "one"), word(0, 21, "two")) == "one"
    assert last_of(word(0, 22, "one", "a"), word(0, 22, "two", "b")) == "two"


def test_a_note_goes_by_the_end_that_brings_one():
    call = [numbered(1, started()), numbered(5, ended(10, notes="with the end"))]
    assert fold([*call, numbered(4, said("noted", 10, notes="x"))]).notes == "with the end"
    assert fold([*call, numbered(6, said("noted", 10, notes="x"))]).notes == "x"


def test_of_steps_in_one_instant_the_last_says_what_is_so():
    """People's steps in their order; those of a phone system, of which it tells none, as pairs."""
    call = [numbered(1, started()), numbered(2, said("answered", 0))]

    def steps(*kinds, at=5, source="agent"):
        return [
            numbered(3 + place, said(kind, at, source, key=f"{place}"))
            for place, kind in enumerate(kinds)
        ]

    assert fold(call + steps("held", "resumed")).held_since is None
    assert fold(call + steps("held", "resumed", "held")).held_since == T + 5_000
    earlier = numbered(3, said("held", 2, key="earlier"))
    again = fold(
        [*call, earlier, *(replace(e, number=e.number + 1) for e in steps("resumed", "held"))]
    )
    assert (again.holds, again.held_since) == (((T + 2_000, T + 5_000),), T + 5_000)
    told = steps("resumed", "held", source=PBX)
    assert fold([*call, replace(earlier, source=PBX), *told]).held_since is None
    by_agent = numbered(1, said("held", 5, key="agent"))
    assert fold([*call, by_agent, *steps("resumed", source=PBX)]).held_since == T + 5_000
    paused = fold(call + steps("unpaused", "paused"))
    assert paused.paused_since == T + 5_000


def test_twins_that_differ_in_nothing_but_their_number_are_settled():
    one, other = (numbered(n, said("noted", 9, key="twin", notes="twin")) for n in (3, 5))
    between = numbered(4, said("noted", 9, key="between", notes="between"))
    for twins in ([one, other], [other, one]):
        assert fold([started(), between, *twins]).notes == "between"


def test_wrap_up_runs_from_the_end_to_the_first_word_that_it_is_over():
    call = [started(), ended(10), said("noted", 10, wrap_up="started", key="a")]
    assert (fold(call).wrap_up, fold(call).wrap_up_since) == (0, T + 10_000)
    cap = said("noted", 130, source="watchdog", wrap_up="ended", key="b")
    ready = said("noted", 31.5, wrap_up="ended", key="c")  # clicked offline, reported after the cap
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


def test_an_end_that_tells_the_answer_is_of_a_call_that_had_begun_by_then():
    end = ended(60, source="provider:pbx", answered=T + 10_000)
    state = fold([end])
    assert (state.start, state.missing) == (T + 10_000, ("start",))
    assert lengths(state) == (0, 0, 0, 50_000, 50_000)
    rang = said("ringing", 4, source="provider:pbx")
    assert lengths(fold([end, rang])) == (6_000, 0, 0, 56_000, 50_000)


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
    answered = fold([start, unsure, said("answered", 4, "provider:pbx")])
    assert (answered.missing, answered.status) == ((), "COMPLETED")


LOSSES = {
    # name: (what a provider tells between start and end, whether something must be lost)
    "numbers from 0": ([("ringing", 1, {"seq": 0}), ("answered", 2, {"seq": 1})], False),
    "a number left out": ([("ringing", 1, {"seq": 0}), ("answered", 2, {"seq": 2})], True),
    "the first number left out": ([("answered", 2, {"seq": 1})], True),
    "numbers of two legs": (
        [("ringing", 1, {"seq": 0, "leg": "a"}), ("answered", 2, {"seq": 0, "leg": "b"})],
        False,
    ),
    "a number left out of one of two legs": (
        [("ringing", 1, {"seq": 0, "leg": "a"}), ("answered", 2, {"seq": 1, "leg": "b"})],
        True,
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
    events, lost = LOSSES[name]
    call = [started(source="provider:pbx"), ended(30, source="provider:pbx", key="end")]
    call.append(said("answered", 2, "provider:pbx", key="plain"))
    call += [said(kind, at, "provider:pbx", **data) for kind, at, data in events]
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
    {"turn": 2},
    {"turn": 3},
)
OTHER_SIDES = (
    *({}, {"direction": "internal"}, {"direction": "outbound", "number": "8888"}),
    *({"number": "+50688881111"}, {"number": "anonymous"}),
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
        if kind in ("answered", "ended", "summary") and draw(st.booleans()):
            data["turn"] = True
        data |= draw(st.sampled_from(OTHER_SIDES))
        if kind in ("held", "resumed"):
            data["party"] = draw(st.sampled_from(["", "a", "b"]))
        # Keys collide on purpose: a provider may use one id for two different statements.
        key = f"{kind}{draw(st.integers(min_value=0, max_value=3))}"
        at, source = draw(instants), draw(st.sampled_from(SOURCES))
        if kind in ("noted", "corrected", "ended") and draw(st.booleans()):
            data["offline"] = True
        key = key if draw(st.booleans()) else f"n{number}"
        place = draw(st.integers(min_value=0, max_value=4))
        events.append(Event(key, kind, at, source, data, place))
    events.append(Event("started", "started", T, draw(st.sampled_from(SOURCES))))
    events += [
        Event(f"started:{at}", "started", at, "provider:pbx", {"turn": True})
        for at in draw(st.lists(instants, max_size=2))
    ]
    return events


@settings(max_examples=400)
@given(events_of_a_call(), st.data())
def test_any_order_and_any_repetition_folds_to_the_same_state(events, data):
    again = data.draw(st.lists(st.sampled_from(events), max_size=10))
    shuffled = data.draw(st.permutations(events + again))
    assert fold(shuffled) == fold(events)


@settings(max_examples=400)
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


@settings(max_examples=200)
@given(events_of_a_call(), events_of_a_call())
def test_more_events_never_reopen_a_call(events, more):
    # The ledger holds a key once, so what comes later has keys of its own.
    later = [replace(event, key=f"later {event.key}") for event in more]
    # Which turn a ledger is about is written once, with the ledger itself: nothing moves it later.
    events, later = (
        [e for e in some if not (e.kind == "noted" and "turn" in e.data)]
        for some in (events, later)
    )
    if fold(events).end is not None:
        assert fold(events + later).end is not None


# --- Who is believed, and what else the fold says ---


def test_a_provisional_event_is_replaced_by_a_better_one_even_if_it_was_earlier():
    guess = said("answered", 3, PBX, provisional=True)
    call = [started(source=PBX), guess, ended(30, source=PBX)]
    assert fold(call).answered == T + 3_000
    assert fold([*call, said("answered", 5, PBX)]).answered == T + 5_000
    # Yet a provisional word of the phone system is believed before a person's.
    assert fold([*call, said("answered", 1)]).answered == T + 3_000


def test_what_the_report_of_the_end_says_is_believed_before_live_events():
    call = [started(source=PBX), said("answered", 5, PBX)]
    report = ended(30, source=PBX, start=T + 1_000, answered=T + 6_000)
    assert (fold([*call, report]).start, fold([*call, report]).answered) == (T + 1_000, T + 6_000)
    # A final record is believed before that, whichever is reported first.
    record = said("summary", 40, PBX, start=T + 2_000, answered=T + 7_000, end=T + 31_000)
    state = fold([*call, report, record])
    assert (state.start, state.answered, state.end) == (T + 2_000, T + 7_000, T + 31_000)


def test_a_report_that_nobody_answered_is_believed_before_a_live_answer():
    call = [started(source=PBX), said("answered", 5, PBX)]
    report = ended(30, source=PBX, answered=None, unanswered="NO_ANSWER")
    state = fold([*call, report])
    assert (state.answered, state.status, state.missing) == (None, "NO_ANSWER", ())
    assert lengths(state) == (30_000, 0, 0, 30_000, 0)


def test_a_person_cannot_report_other_instants_by_ending_the_call():
    state = fold([started(), ended(30, start=T + 1_000, answered=T + 6_000, hold=2_000)])
    assert (state.start, state.answered, state.hold) == (T, None, 0)


def test_a_record_may_say_that_an_instant_is_the_epoch_itself():
    """Zero is an instant like any other; only None means never."""
    record = Event("r", "summary", 9_000, PBX, {"start": 0, "answered": 0, "end": 9_000})
    state = fold([record])
    assert (state.start, state.answered, state.end) == (0, 0, 9_000)


def test_a_phone_that_was_only_reached_has_not_answered():
    call = [started(source=PBX), said("answered", 2, PBX, reached=True), ended(30, source=PBX)]
    assert fold(call).answered is None
    assert fold([*call, said("answered", 8, PBX)]).answered == T + 8_000


def test_of_two_ends_at_one_instant_the_happier_counts():
    ends = [ended(20, status, key=status) for status in timeline.TERMINAL]
    for number, end in enumerate(ends):
        assert fold([started(), *ends[number:]]).status == end.data["status"]
    assert fold([started(), ended(20, "UNHEARD OF", key="a"), ends[-1]]).status == "FAILED"
    # An end without a status is that of a completed call.
    bare = said("ended", 20, key="z")
    assert fold([started(), ended(20, "DROPPED", source="client"), bare]).ended_by == "agent"


def test_the_end_says_who_ended_the_call_and_why():
    state = fold([started(), ended(20, "FAILED", source="dialler", reason="not_dialled")])
    assert (state.ended_by, state.end_reason) == ("dialler", "not_dialled")
    assert (fold([started()]).ended_by, fold([started()]).end_reason) == ("", "")
    assert fold([started(), ended(20)]).end_reason == ""


def test_an_end_without_a_status_takes_it_from_the_next_that_is_believed():
    bare = said("ended", 20, PBX, reason="bye")
    assert fold([started(), bare]).status == "COMPLETED"
    assert fold([started(), bare]).end_reason == "bye"
    state = fold([started(), bare, ended(22, "DROPPED", source="client", reason="line lost")])
    assert (state.end, state.status) == (T + 20_000, "DROPPED")
    assert (state.ended_by, state.end_reason) == (PBX, "line lost")


def test_the_hold_that_a_provider_states_replaces_the_hold_that_was_heard():
    call = [started(source=PBX), said("answered", 10, PBX), said("held", 20, PBX)]
    call += [said("resumed", 22, PBX), said("paused", 30), said("unpaused", 34)]
    report = ended(50, source=PBX, hold=6_000)
    assert lengths(fold([*call, report])) == (10_000, 6_000, 4_000, 46_000, 30_000)
    # The record's hold goes before the report's, and no hold is longer than the talk.
    record = said("summary", 60, PBX, hold=7_000, end=T + 50_000, status="COMPLETED")
    assert lengths(fold([*call, report, record])) == (10_000, 7_000, 4_000, 46_000, 29_000)
    endless = said("summary", 60, PBX, hold=900_000, end=T + 50_000, status="COMPLETED")
    assert lengths(fold([*call, endless])) == (10_000, 36_000, 4_000, 46_000, 0)
    none = said("summary", 60, PBX, hold=0, end=T + 50_000, status="COMPLETED")
    assert lengths(fold([*call, none])) == (10_000, 0, 4_000, 46_000, 36_000)


def test_of_two_records_that_state_the_hold_the_first_counts():
    first, second = (
        said("summary", at, PBX, hold=hold, end=T + 50_000, status="COMPLETED")
        for at, hold in ((60, 5_000), (61, 3_000))
    )
    call = [started(source=PBX), said("answered", 10, PBX), second, first]
    assert fold(call).hold == 5_000


def test_the_holds_and_pauses_themselves_are_told():
    call = [started(), said("answered", 2), said("held", 5), said("resumed", 7)]
    call += [said("held", 7, party="b"), said("resumed", 9, party="b")]
    call += [said("held", 12), said("resumed", 13), said("paused", 20), said("unpaused", 21)]
    state = fold(call)
    assert state.holds == ((T + 5_000, T + 9_000), (T + 12_000, T + 13_000))
    assert state.pauses == ((T + 20_000, T + 21_000),)


def test_a_hold_counts_from_the_answer_and_a_pause_from_the_start():
    early = [said("held", -4), said("resumed", 6), said("paused", -3), said("unpaused", 1)]
    state = fold([started(), *early, said("answered", 4), ended(10)])
    assert (state.holds, state.pauses) == (((T + 4_000, T + 6_000),), ((T, T + 1_000),))
    open_one = [said("held", 1), said("paused", -3)]
    state = fold([started(), *open_one, said("answered", 4)])
    assert (state.held_since, state.paused_since) == (T + 4_000, T)


def test_a_hold_of_no_length_or_outside_the_call_is_none():
    call = [started(), said("answered", 2), said("held", 5), said("resumed", 5), ended(10)]
    early = [said("held", -9, party="a"), said("resumed", -4, party="a")]
    late = [said("held", 12, party="b"), said("resumed", 14, party="b")]
    assert fold([*call, *early, *late]).holds == ()
    assert fold([*call, said("held", -9, party="c"), said("resumed", 2, party="c")]).holds == ()


def test_of_two_parties_that_still_hold_the_first_says_since_when():
    call = [started(), said("answered", 1), said("held", 5, party="b"), said("held", 8, party="a")]
    assert fold(call).held_since == T + 5_000
    assert fold([*call, ended(9)]).held_since is None


def test_an_answer_ends_a_hold_and_no_pause():
    call = [started(), said("answered", 1), said("paused", 3)]
    state = fold([*call, said("answered", 5, resumes=True), ended(9)])
    assert (state.paused, state.hold) == (6_000, 0)


def test_an_answer_told_before_the_start_or_after_the_end_lies_within_the_call():
    assert fold([started(5), said("answered", 3)]).answered == T + 5_000
    assert fold([started(5), said("answered", 3), ended(9)]).answered == T + 5_000
    assert fold([started(5), said("answered", 12), ended(9)]).answered == T + 9_000


def test_a_running_call_knows_how_long_it_rang_and_not_how_long_it_takes():
    state = fold([started(), said("paused", 1), said("unpaused", 3), said("answered", 8)])
    assert lengths(state) == (6_000, 0, 2_000, None, None)


def test_a_correction_does_not_end_a_running_call():
    state = fold([started(), said("corrected", 9, end=T + 5_000, status="DROPPED", reason="r")])
    assert (state.end, state.status, state.duration) == (None, "IN_PROGRESS", None)


def test_a_correction_may_give_the_answer():
    state = fold([started(), ended(60), said("corrected", 90, answered=T + 12_000, reason="r")])
    assert lengths(state) == (12_000, 0, 0, 60_000, 48_000)


def test_the_first_that_names_the_other_side_names_it():
    call = [said("ringing", 1, PBX, number="+2", direction="inbound"), started(source=PBX)]
    call.append(said("answered", 2, PBX, number="+3", direction="outbound"))
    call.append(said("ringing", 0.5, PBX, number="", direction=""))
    assert (fold(call).number, fold(call).direction) == ("+2", "inbound")
    assert (fold([started()]).number, fold([started()]).direction) == ("", "")


def test_the_last_note_is_the_last_written_and_may_be_empty():
    call = [started(), ended(10, notes="first")]
    assert fold([*call, said("noted", 5, notes="earlier")]).notes == "first"
    assert fold([*call, said("noted", 20, notes="")]).notes == ""
    # An end without notes does not wipe out what was written before.
    assert fold([started(), said("noted", 5, notes="kept"), ended(10, notes="")]).notes == "kept"
    assert (fold([started()]).notes, fold([started()]).disposition) == ("", "")


def test_the_evidence_of_a_running_call_is_who_told_of_it():
    assert fold([started()]).evidence == "C"
    assert fold([started(), said("ringing", 1, PBX)]).evidence == "B"
    assert fold([started(offline=True)]).evidence == "D"


def test_the_evidence_of_an_ended_call_is_who_told_the_end():
    assert fold([started(source=PBX), ended(10)]).evidence == "C"
    assert fold([started(), ended(10, source=PBX)]).evidence == "B"
    # Only a start or an end that was kept offline makes the lengths less sure.
    assert fold([started(), said("held", 5, offline=True), ended(10)]).evidence == "C"
    assert fold([started(offline=True), ended(10)]).evidence == "D"


def test_a_call_told_only_by_people_lacks_nothing():
    assert fold([started(), ended(10)]).missing == ()
    assert fold([said("answered", 2), ended(10)]).missing == ()


def test_a_completed_call_of_a_phone_system_lacks_its_answer_and_another_does_not():
    call = [started(source=PBX)]
    assert fold([*call, ended(10, source=PBX)]).missing == ("answer",)
    assert fold([*call, ended(10, "NO_ANSWER", source=PBX)]).missing == ()
    assert fold([*call, ended(10, "NO_ANSWER", source=PBX), said("noted", 11)]).missing == ()
    # While it runs nothing is missing yet, not even its start.
    assert fold([said("ringing", 1, PBX)]).missing == ()


def test_a_promised_record_is_missing_until_it_comes():
    call = [started(source=PBX), said("answered", 2, PBX), ended(10, source=PBX, record=True)]
    assert fold(call).missing == ("record",)
    record = said("summary", 12, PBX, end=T + 10_000, status="COMPLETED")
    assert fold([*call, record]).missing == ()


@pytest.mark.parametrize(
    ("since", "until", "lacks"),
    [
        (-5, 0, False),
        (-5, 0.001, True),
        (3, 4, True),
        (9.999, 20, True),
        (10, 20, False),
        (-9, 99, True),
    ],
)
def test_a_gap_in_listening_matters_to_the_calls_that_it_touches(since, until, lacks):
    call = [started(source=PBX), said("answered", 2, PBX), ended(10, source=PBX)]
    gap = [T + round(since * 1000), T + round(until * 1000)]
    state = fold([*call, said("noted", until, PBX, gap=gap)])
    assert state.missing == (("gap",) if lacks else ())


@pytest.mark.parametrize(
    ("numbers", "lost"),
    [((), False), ((5,), False), ((7, 5, 6), False), ((5, 7), True), ((5, 5, 6), False)],
)
def test_a_gap_in_the_numbers_of_a_conversation_is_a_loss(numbers, lost):
    call = [started(source=PBX), said("answered", 2, PBX), ended(30, source=PBX)]
    for place, number in enumerate(numbers):
        call.append(said("ringing", 3 + place, PBX, conversation_seq=number))
    assert fold(call).missing == (("events",) if lost else ())


def test_the_end_of_the_only_leg_completes_it():
    call = [started(source=PBX), said("answered", 2, PBX, awaits="a", leg="a")]
    assert fold([*call, ended(30, source=PBX, leg="a")]).missing == ()
    assert fold([*call, ended(30, source=PBX, leg="b")]).missing == ("events",)


def test_a_record_that_tells_the_end_of_an_awaited_leg_completes_it():
    call = [started(source=PBX), said("answered", 2, PBX, awaits="a"), ended(30, source=PBX)]
    assert fold(call).missing == ("events",)
    record = said("summary", 31, PBX, leg="a", end=T + 30_000)
    assert fold([*call, record]).missing == ()


@pytest.mark.parametrize(
    "other",
    [
        Event("e", "ended", T + 10_000, "agent", {"status": "FAILED"}),
        Event("e", "ended", T + 9_000, "agent", {"status": "DROPPED"}),
        Event("e", "ended", T + 10_000, PBX, {"status": "DROPPED"}),
        Event("e", "held", T + 10_000, "agent", {"status": "DROPPED"}),
    ],
)
def test_twins_that_disagree_are_settled_by_what_they_say_and_not_by_their_order(other):
    one = Event("e", "ended", T + 10_000, "agent", {"status": "DROPPED"})
    assert fold([started(), one]) != fold([started(), other])
    assert fold([started(), one, other]) == fold([started(), other, one])


def test_what_has_no_fact_of_its_own_begins_with_the_first_fact():
    assert fold([said("ringing", 3, PBX), said("answered", 5, PBX)]).start == T + 3_000
    record = said("summary", 1, PBX, end=T + 9_000)
    assert fold([said("ringing", 3, PBX), record]).start == T + 3_000
    never = said("summary", 30, PBX, start=None, end=T + 9_000)
    assert fold([said("ringing", 3, PBX), never]).start == T + 3_000
    with pytest.raises(
        ValueError, match=r"^a call needs at least one event that says when it was$"
    ):
        fold([said("noted", 3, notes="about nothing")])


# --- Words and places that others rely on ---------------------------------------------------------


def test_the_words_of_the_ledger_are_those_that_programs_know():
    facts = ["started", "ringing", "answered", "held", "resumed", "paused", "unpaused", "ended"]
    assert list(timeline.KINDS) == [*facts, "corrected", "noted", "summary"]
    assert timeline.TERMINAL == ("COMPLETED", "DROPPED", "NO_ANSWER", "FAILED")


@pytest.mark.parametrize("kind", timeline.KINDS[:8])
def test_any_fact_says_when_a_call_was_before_a_later_record_does(kind):
    """A record that names no start is believed only where it is all that was heard."""
    fact = timeline.Event("a", kind, T + 5000)
    record = timeline.Event("b", timeline.SUMMARY, T + 9000, "provider:pbx", {"status": "FAILED"})
    assert timeline.fold([fact, record]).start == T + 5000
    assert timeline.fold([record]).start == T + 9000


def test_who_is_not_named_is_the_agent():
    assert timeline.fold([timeline.Event("a", timeline.ENDED, T)]).ended_by == "agent"
