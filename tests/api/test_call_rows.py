"""Lists of calls as programs get them: the same bytes as CallBody and DRF's JSON would make."""

import datetime as dt
from typing import Any

import pytest
from rest_framework.renderers import JSONRenderer

from accounts.models import User
from api.serializers import CallBody
from calls import timeline
from calls.models import CallLog, CallQuerySet, Contact, readers
from common.instants import UTC
from tests.support.api import Api
from tests.support.people import People

pytestmark = pytest.mark.engines

START = dt.datetime(2026, 3, 8, 5, 59, 58, tzinfo=UTC)
MICROSECONDS = (0, 1, 999, 1000, 120_000, 123_456, 999_999)
# All that JSON writes apart, what scripts take for the end of a line, and other alphabets.
NOTES = "Ñandú – „ß“ 😀 <b>&'\"\\/\b\f\n\r\t\x01\x1f\x7f\x85\u2028\u2029\ufeff\ufffd 日本"


def ended(user: User | None, start: dt.datetime, **fields: Any) -> CallLog:
    values = {
        "answered_time": start + dt.timedelta(microseconds=1_500_001),
        "end_time": start + dt.timedelta(seconds=9),
        "status": timeline.COMPLETED,
        "duration_seconds": 9,
        "talk_seconds": 7,
        "ring_seconds": 1,
    }
    return CallLog.objects.create(user=user, start_time=start, **(values | fields))


@pytest.fixture
def every_kind(people) -> None:
    for number, microsecond in enumerate(MICROSECONDS):
        start = START + dt.timedelta(seconds=number, microseconds=microsecond)
        ended(people.alice, start)
        CallLog.objects.create(user=people.bob, start_time=start)
    hers = {"owner": people.alice, "phone": "+50651234567"}
    plain = Contact.objects.create(name="Ana", **hers)
    other = Contact.objects.create(name="Bo", external_id="crm-ñ", **hers)
    ended(people.alice, START, contact=plain, contact_phone="5123-4567")
    ended(people.alice, START, contact=other, disposition="sold", wrap_up_seconds=3)
    ended(people.alice, START, contact=other, contact_ref="17", provider="pbx", evidence="R")
    ended(None, START, notes=NOTES, direction="inbound", end_reason="busy", hold_seconds=2)
    unanswered = {"status": timeline.NO_ANSWER, "talk_seconds": 0, "notes": NOTES}
    ended(people.bob, START, answered_time=None, paused_seconds=4, evidence="E", **unanswered)


def as_described(calls: CallQuerySet) -> bytes:
    body = CallBody(calls.select_related("user", "contact"), many=True).data
    text: bytes = JSONRenderer().render(body)
    return text


@pytest.mark.parametrize("viewer", ["alice", "sue", "ada"])
def test_a_list_is_what_the_body_describes(people: People, every_kind, viewer):
    person: User = getattr(people, viewer)
    seen = CallLog.objects.visible_to(person).newest_first()
    assert seen.count() >= 10
    api = Api(person)
    assert api.get("calls/log").content == as_described(seen)
    assert api.get("calls/log", status="COMPLETED").content == as_described(
        seen.filter(status="COMPLETED")
    )
    assert api.get("calls/active").content == as_described(seen.active())
    assert api.get("calls/log", agent="nobody").content == b"[]"


@pytest.mark.parametrize("field", ["notes", "end_reason", "ring_seconds"])
def test_what_the_reader_may_not_read_is_blank(people, every_kind, monkeypatch, field):
    agents = frozenset({people.alice.pk, None})
    monkeypatch.setitem(readers.RULES, field, lambda viewer: agents)
    seen = CallLog.objects.visible_to(people.ada).newest_first()
    assert Api(people.ada).get("calls/log").content == as_described(seen)
    hers = {"status": timeline.COMPLETED, "agent": "alice"}
    assert Api(people.ada).get("calls/log", **hers).content == as_described(
        seen.filter(user=people.alice, status=timeline.COMPLETED)
    )
