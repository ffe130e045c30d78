"""GET /api/calls/log, /api/calls/active and /api/calls/{call_id}."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pytest

from api.serializers import CallBody
from calls import services
from calls.models import CallLog, Contact
from common.instants import isoformat, now
from tests.support.api import Api, error_of
from tests.support.people import make_call

pytestmark = pytest.mark.engines

FIELDS = [
    "call_id",
    "user_id",
    "username",
    "contact_id",
    "contact_phone",
    "start_time",
    "end_time",
    "duration_seconds",
    "status",
    "notes",
    "answered_time",
    "ring_seconds",
    "talk_seconds",
    "hold_seconds",
    "paused_seconds",
    "direction",
    "provider",
    "evidence",
    "end_reason",
    "disposition",
    "wrap_up_seconds",
]


def ids(response) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["call_id"] for row in response.json()]


def test_a_row_has_exactly_the_agreed_fields(people):
    call = make_call(people.alice, 61, contact_ref="contact_123", contact_phone="5123-4567")
    (row,) = Api(people.alice).get("calls/log").json()
    assert list(row) == FIELDS == list(CallBody().fields)
    assert row == {
        "call_id": str(call.call_id),
        "user_id": str(people.alice.pk),
        "username": "alice",
        "contact_id": "contact_123",
        "contact_phone": "5123-4567",
        "start_time": isoformat(call.start_time),
        "end_time": isoformat(call.end_time),
        "duration_seconds": 61,
        "status": "COMPLETED",
        "notes": "",
        "answered_time": None,
        "ring_seconds": 0,
        "talk_seconds": 61,
        "hold_seconds": 0,
        "paused_seconds": 0,
        "direction": "outbound",
        "provider": "",
        "evidence": "C",
        "end_reason": "",
        "disposition": "",
        "wrap_up_seconds": 0,
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row["start_time"])


def test_a_running_call_has_no_end_and_a_duration_of_0(people):
    call, _ = services.start_call(people.alice)
    api = Api(people.alice)
    rows = [*api.get("calls/log").json(), *api.get("calls/active").json()]
    for row in [*rows, api.get(f"calls/{call.call_id}").json()]:
        assert (row["status"], row["end_time"], row["duration_seconds"]) == ("IN_PROGRESS", None, 0)


def test_programs_may_cut_ids_and_divide_lengths_of_every_call(people):
    """As windows do that show the log without asking what is null."""
    services.start_call(people.alice)
    make_call(people.alice, contact_phone="5123-4567")
    CallLog.objects.create(start_time=now())  # nobody's
    for row in Api(people.ada).get("calls/log").json():
        assert len(row["user_id"][:20] + row["contact_id"][:20] + row["contact_phone"]) < 50
        assert row["duration_seconds"] // 60 in (0, 1)


def test_a_contact_of_ours_has_our_id(people):
    ours = Contact.objects.create(name="Ana", phone="+50688887777", owner=people.alice)
    theirs = Contact.objects.create(name="Bo", phone="+50688887778", external_id="crm-1")
    make_call(people.alice, contact=ours, ago=100)
    make_call(people.alice, contact=theirs, ago=200)
    rows = Api(people.alice).get("calls/log").json()
    assert [row["contact_id"] for row in rows] == [str(ours.pk), "crm-1"]


class TestAudience:
    @pytest.fixture(autouse=True)
    def calls(self, people):
        self.of = {
            name: str(make_call(getattr(people, name), ago=ago).call_id)
            for name, ago in [("alice", 400), ("bob", 300), ("carol", 200), ("sue", 100)]
        }

    @pytest.mark.parametrize(
        ("viewer", "seen"),
        [
            ("alice", ["alice"]),
            ("sue", ["sue", "bob", "alice"]),
            ("sam", ["carol"]),
            ("ada", ["sue", "carol", "bob", "alice"]),
        ],
    )
    def test_one_sees_ones_own(self, people, viewer, seen):
        api = Api(getattr(people, viewer))
        assert ids(api.get("calls/log")) == [self.of[name] for name in seen]
        for name, call_id in self.of.items():
            detail = api.get(f"calls/{call_id}")
            assert detail.status_code == (200 if name in seen else 404)

    def test_a_person_is_named_by_username_or_id(self, people):
        api = Api(people.sue)
        bobs = [self.of["bob"]]
        assert ids(api.get("calls/log", user_id="bob")) == bobs
        assert ids(api.get("calls/log", user_id=people.bob.pk)) == bobs
        assert ids(api.get("calls/log", agent="bob")) == bobs

    def test_somebody_out_of_sight_has_no_calls(self, people):
        api = Api(people.sue)
        assert ids(api.get("calls/log", user_id="carol")) == []
        assert ids(api.get("calls/log", user_id=people.carol.pk)) == []
        assert ids(api.get("calls/log", user_id="nobody")) == []

    def test_a_team_is_named_by_its_id(self, people):
        assert ids(Api(people.ada).get("calls/log", team=people.blue.pk)) == [self.of["carol"]]
        assert ids(Api(people.sue).get("calls/log", team=people.blue.pk)) == []

    def test_active_are_the_calls_that_run(self, people):
        running, _ = services.start_call(people.bob)
        assert ids(Api(people.sue).get("calls/active")) == [str(running.call_id)]
        assert ids(Api(people.sam).get("calls/active")) == []


def test_days_are_local_and_inclusive(people, settings):
    settings.TIME_ZONE = "America/Costa_Rica"
    zone = ZoneInfo("America/Costa_Rica")
    day = (now().astimezone(zone) - dt.timedelta(days=1)).date()
    moments = [dt.time(0, 0), dt.time(23, 59, 59)]
    inside = [dt.datetime.combine(day, moment, zone) for moment in moments]
    outside = [inside[0] - dt.timedelta(seconds=1), inside[1] + dt.timedelta(seconds=1)]
    for start in [*inside, *outside]:
        services.start_call(people.alice, reported=services.ReportedTime(start, explicit=True))
    api = Api(people.alice)
    rows = api.get("calls/log", start_date=day, end_date=day).json()
    assert [row["start_time"] for row in rows] == [isoformat(at) for at in reversed(inside)]
    assert len(api.get("calls/log", start_date=day).json()) == 3
    assert len(api.get("calls/log", end_date=day).json()) == 3


def test_the_status_filters(people):
    dropped = make_call(people.alice, status="DROPPED")
    make_call(people.alice)
    running, _ = services.start_call(people.alice)
    api = Api(people.alice)
    assert ids(api.get("calls/log", status="DROPPED")) == [str(dropped.call_id)]
    assert ids(api.get("calls/log", status="IN_PROGRESS")) == [str(running.call_id)]


def test_empty_filters_are_no_filters(people):
    call = make_call(people.alice)
    path = "calls/log?user_id=&start_date=&end_date=&status=&limit=&cursor="
    assert ids(Api(people.alice).get(path)) == [str(call.call_id)]


MALFORMED = [
    ("limit=0", "limit"),
    ("limit=-1", "limit"),
    ("limit=ten", "limit"),
    ("limit=1.5", "limit"),
    ("limit=" + "9" * 5000, "limit"),
    ("status=completed", "status"),
    ("status=ENDED", "status"),
    ("start_date=2026-13-01", "start_date"),
    ("start_date=2026-02-30", "start_date"),
    ("start_date=yesterday", "start_date"),
    ("start_date=0001-01-01", "start_date"),
    ("end_date=9999-12-31", "end_date"),
    ("start_date=2026-02-02&end_date=2026-02-01", "start_date"),
    ("user_id=a%00b", "user_id"),
    ("user_id=" + "a" * 151, "user_id"),
    ("team=red", "team"),
    ("team=0", "team"),
    ("team=99999999999999999999", "team"),
    ("cursor=abc", "cursor"),
    ("cursor=%00", "cursor"),
    ("agnet=alice", "agnet"),
    ("status=DROPPED&status=FAILED", "status"),
    ("%FF=%FE", "\ufffd"),
]


def test_a_malformed_filter_is_bad(people):
    make_call(people.alice)
    api = Api(people.alice)
    for query, field in MALFORMED:
        error_of(api.get(f"calls/log?{query}"), 400, field)


def test_more_than_a_thousand_is_cut(people):
    start = now() - dt.timedelta(hours=1)
    CallLog.objects.bulk_create(CallLog(user=people.alice, start_time=start) for _ in range(1001))
    api = Api(people.alice)
    assert len(ids(api.get("calls/log"))) == 100
    assert len(ids(api.get("calls/log", limit=5000))) == 1000


class TestPages:
    @pytest.fixture(autouse=True)
    def calls(self, people):
        """Five calls, three of them at the same instant."""
        start = now() - dt.timedelta(hours=1)
        starts = [start + dt.timedelta(seconds=s) for s in (0, 1, 1, 1, 2)]
        for at in starts:
            services.start_call(people.alice, reported=services.ReportedTime(at, explicit=True))
        self.api = Api(people.alice)

    def follow(self, response) -> str:
        match = re.fullmatch(r'<http://testserver/api/(.+)>; rel="next"', response["Link"])
        return match.group(1)

    def test_the_links_lead_through_all_calls_once(self):
        everything = ids(self.api.get("calls/log"))
        response = self.api.get("calls/log", limit=2, status="IN_PROGRESS")
        found = ids(response)
        while "Link" in response:
            response = self.api.get(self.follow(response))
            found += ids(response)
        assert found == everything
        assert len(found) == 5

    def test_a_full_last_page_has_no_link(self):
        assert "Link" not in self.api.get("calls/log", limit=5)
        assert "Link" in self.api.get("calls/log", limit=4)

    def test_a_new_call_does_not_move_the_pages(self, people):
        everything = ids(self.api.get("calls/log"))
        first = self.api.get("calls/log", limit=3)
        services.start_call(people.alice)
        assert ids(first) + ids(self.api.get(self.follow(first))) == everything

    def test_a_tampered_cursor_is_bad(self):
        link = self.follow(self.api.get("calls/log", limit=2))
        last = "a" if link[-1] != "a" else "b"
        error_of(self.api.get(link[:-1] + last), 400, "cursor")


def test_a_call_is_shown_with_its_events(people):
    call = make_call(people.alice, 60)
    body = Api(people.sue).get(f"calls/{call.call_id}").json()
    assert list(body) == [*FIELDS, "activity", "missing", "events", "disputes"]
    assert body["missing"] == []
    assert body["activity"] == "ended"
    assert [event["kind"] for event in body["events"]] == ["started", "ended"]
    assert body["events"][1] == {
        "kind": "ended",
        "occurred_at": isoformat(call.end_time),
        "received_at": isoformat(call.events.last().received_at),
        "source": "agent",
        "actor": "alice",
        "precision_ms": 1,
        "data": {"status": "COMPLETED"},
    }


@pytest.mark.parametrize("call_id", ["x", "%00", "018f0000-0000-7000-8000-000000000000", "%ff"])
def test_an_unknown_call_is_not_found(people, call_id):
    error_of(Api(people.ada).get(f"calls/{call_id}"), 404)


def test_the_same_filters_give_a_csv_file(people):
    make_call(people.alice, 61, contact_phone="+50651234567")
    make_call(people.alice, 5, status="FAILED")
    make_call(people.bob, 7)
    answer = Api(people.alice).get("calls/export.csv?status=COMPLETED")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(rows) == 2 and "Alice" in rows[1] and ",61," in rows[1]
    error_of(Api(people.alice).get("calls/export.csv?status=nonsense"), 400, "status")
    error_of(Api(people.alice).get("calls/export.csv?limit=1"), 400, "limit")
