"""One person's turns in a call, and whom it is with: worked by hand, and the laws."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.timeline import Event, fold, own_turn
from calls.timeline.turns import openings
from tests.calls.test_timeline import T, events_of_a_call

PBX = "provider:pbx"


def said(kind, seconds, source=PBX, key="", **data):
    at = T + round(seconds * 1000)
    return Event(key or f"{kind}:{at}:{sorted(data.items())}", kind, at, source, data)


def started(seconds):
    return said("started", seconds, turn=True)


def reported(start, end, kind="ended", **data):
    return said(kind, end, start=T + start * 1000, turn=True, status="COMPLETED", **data)


def turn(number):
    return said("noted", 0, key="turn", turn=number)


TURNS = {
    # name: (events, the openings of the later turns in s)
    "one turn": ([started(0), said("ended", 60)], []),
    "a start while the call goes on": ([started(0), started(30), said("ended", 60)], []),
    "the call comes back": ([started(0), said("ended", 60), started(100)], [100]),
    "it comes back twice": (
        [started(0), said("ended", 60), started(100), said("ended", 120), started(200)],
        [100, 200],
    ),
    "a start that says nothing of turns": (
        [started(0), said("ended", 60), said("started", 100)],
        [],
    ),
    "a record that tells of no end": (
        [started(0), said("summary", 10, turn=True), started(20), said("ended", 60)],
        [],
    ),
    "a call that lasted no time": ([started(0), said("ended", 0)], []),
    "a report of a call that lasted no time": ([reported(0, 0)], []),
    "a second one of no time": ([reported(0, 60), reported(100, 100)], [100]),
    "the second turn's start is lost": ([reported(0, 60), reported(100, 150)], [100]),
    "the first turn's start is lost": ([said("ended", 60), started(100)], [100]),
    "it comes back in the second in which it went": (
        [started(0), said("ended", 60), started(60)],
        [60],
    ),
    "two reports of one start, a second apart": (
        [
            *(started(0), said("ended", 60), reported(0, 61, "summary"), started(60)),
            *(said("ended", 150), reported(61, 150, "summary")),
        ],
        [60],
    ),
    "an answer as the call ends": (
        [started(0), said("answered", 60, turn=True), said("ended", 60)],
        [],
    ),
    "who parked it fetches it": (
        [
            started(0),
            said("answered", 5, turn=True),
            said("ended", 60),
            said("answered", 90, turn=True),
        ],
        [90],
    ),
    "what a person says opens nothing": (
        [started(0), said("ended", 60), said("started", 100, source="agent", turn=True)],
        [],
    ),
}


@pytest.mark.parametrize("name", TURNS)
def test_turns_worked_by_hand(name):
    events, expected = TURNS[name]
    for order in itertools.islice(itertools.permutations(events), 120):
        assert openings(order) == [T + at * 1000 for at in expected]


def test_each_turn_folds_to_its_own_lengths():
    events = [
        *(started(0), said("answered", 5), said("held", 10), said("resumed", 20)),
        *(said("ended", 60), started(100), said("answered", 110), reported(100, 150)),
    ]
    first, second = fold(events), fold([*events, turn(2)])
    assert (first.ring, first.hold, first.talk, first.turns) == (5_000, 10_000, 45_000, 2)
    assert (second.ring, second.hold, second.talk, second.turns) == (10_000, 0, 40_000, 2)
    assert (first.missing, second.missing) == ((), ())
    assert fold([*events, turn(9)]).start == second.start  # there are no more than two


def test_what_people_say_is_about_the_call_they_said_it_of():
    events = [started(0), said("ended", 60), started(100), said("ended", 150)]
    note = said("noted", 70, source="agent", notes="first")
    assert fold([*events, note]).notes == "first"
    assert fold([*events, turn(2), note]).notes == "first"


@settings(max_examples=300)
@given(events_of_a_call())
def test_whatever_a_provider_says_is_about_one_turn(events):
    told = [
        e
        for e in {e.key: e for e in events}.values()
        if "turn" not in e.data or e.data["turn"] is True
    ]
    turns = own_turn(told).of
    mark = {
        number: Event("mark", "noted", T, PBX, {"turn": number}) for number in range(1, turns + 1)
    }
    own = [
        [
            e.key
            for e in own_turn([*told, mark[number]]).events
            if e.source == PBX and e.key != "mark"
        ]
        for number in mark
    ]
    assert sorted(itertools.chain(*own)) == sorted(e.key for e in told if e.source == PBX)


@settings(max_examples=200)
@given(events_of_a_call(), st.data())
def test_the_turns_are_the_same_in_any_order(events, data):
    shuffled = data.draw(st.permutations(events))
    assert openings(shuffled) == openings(events)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (["11101", "+17205550194"], "11101"),
        (["8", "88", "8888", "88887777"], "88887777"),
        (["88887777", "+50688887777"], "+50688887777"),
        (["+50688887777", "88887777"], "+50688887777"),
        (["anonymous", "+50688887777"], "+50688887777"),
        (["anonymous"], "anonymous"),
        ([], ""),
    ],
)
def test_of_numbers_the_one_that_became_longer(numbers, expected):
    events = [said("ringing", place, number=one) for place, one in enumerate(numbers)]
    assert fold([started(0), *events]).number == expected


def test_internal_is_knowledge_whenever_it_is_said():
    told = [said("ringing", 1, direction="outbound"), said("ringing", 2, direction="internal")]
    assert fold([started(0), *told]).direction == "internal"
    assert (
        fold([started(0), told[0], said("ringing", 3, direction="inbound")]).direction == "outbound"
    )


def test_what_could_not_be_read_or_contradicts_itself_is_marked_at_the_end():
    call = [started(0), said("answered", 5), said("ended", 60, status="COMPLETED")]
    unread = said("ringing", 1, unread={"hold": "x"})
    conflict = said("ringing", 2, conflict={"agent": "802"})
    assert fold([*call, unread]).missing == ("unread",)
    assert fold([*call, unread, conflict]).missing == ("unread", "conflict")
    assert fold([call[0], unread]).missing == ()
