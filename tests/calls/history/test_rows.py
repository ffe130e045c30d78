"""Calls as columns of plain values: the same on both engines."""

import datetime as dt

import pytest

from calls import services
from calls.history import lists
from calls.models import CallLog, readers
from common.instants import UTC, isoformat
from tests.calls.test_readers import no_calls
from tests.support.people import make_call

pytestmark = pytest.mark.engines

INSTANTS = [
    dt.datetime(2026, 1, 31, 13, 45, 0, microsecond, UTC)
    for microsecond in (0, 1, 999, 1000, 1001, 100_000, 123_456, 500_000, 999_999)
]
EDGES = [
    dt.datetime(2000, 2, 29, 23, 59, 59, 999_999, UTC),
    dt.datetime(2099, 12, 31, 0, 0, tzinfo=UTC),
    dt.datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
]


def test_instants_and_ids_are_text_as_the_api_writes_them(people):
    for start in (*INSTANTS, *EDGES):
        CallLog.objects.create(user=people.alice, start_time=start)
    calls = CallLog.objects.order_by("pk")
    rows = calls.rows(["call_id", "start_time", "end_time"])
    assert list(rows["start_time"]) == [isoformat(start) for start in (*INSTANTS, *EDGES)]
    assert list(rows["call_id"]) == [str(call.call_id) for call in calls]
    assert set(rows["end_time"]) == {None}
    assert rows.last == (EDGES[-1], calls.last().pk)


def test_so_many_are_read_and_it_is_known_whether_others_follow(people):
    for start in INSTANTS[:3]:
        CallLog.objects.create(user=people.alice, start_time=start)
    found = [CallLog.objects.rows(["status"], most) for most in (1, 2, 3, 4, None)]
    assert [(len(rows), rows.more) for rows in found] == [
        *((1, True), (2, True), (3, False), (3, False), (3, False)),
    ]
    nothing = CallLog.objects.none().rows(["status", "notes"], 2)
    assert (len(nothing), nothing.more, list(nothing["notes"])) == (0, False, [])


@pytest.mark.parametrize("fields", [["notes"], ["notes", "user_id"], ["status"]])
def test_a_field_with_a_rule_is_blank_whatever_else_is_asked_for(people, monkeypatch, fields):
    monkeypatch.setitem(readers.RULES, "notes", no_calls)
    make_call(people.alice)
    CallLog.objects.update(notes="secret")
    rows = CallLog.objects.visible_to(people.alice).rows(fields)
    assert len(rows) == 1
    if "notes" in fields:
        assert list(rows["notes"]) == [""]
    assert "secret" not in str([list(rows[field]) for field in fields])


@pytest.mark.parametrize("who", ["alice", "sue", "ada"])
@pytest.mark.parametrize("narrow", [lists.running, lists.newest])
def test_compiled_lists_are_what_the_gate_lets_through(people, who, narrow):
    for ago, user in enumerate((people.alice, people.bob, people.carol)):
        make_call(user, 60, ago=600 + ago)
        services.start_call(user)
    viewer = getattr(people, who)
    for most in (None, 1, 2):
        rows = lists.visible_rows(viewer, narrow, ["call_id", "notes"], most)
        expected = narrow(CallLog.objects.visible_to(viewer)).rows(["call_id", "notes"], most)
        assert (rows["call_id"], rows.more) == (expected["call_id"], expected.more)
        assert len(rows) == len(expected) > 0
