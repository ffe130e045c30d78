"""The feed: all that was committed, once, in order, whoever writes meanwhile."""

import threading
from collections import defaultdict

import jsonschema_rs
import pytest
from django.db import connection, transaction

from calls import services, timeline
from calls.models import CallEvent, CallLog, ProviderAccount, ProviderIdentity
from calls.providers.base import ProviderEvent
from calls.services import ReportedTime
from calls.telephony import intake
from common.instants import now, to_ms
from notifications.models import Alert, FeedEntry, FeedSource
from notifications.webhooks import sequencer
from tests.api.test_queries import Statements
from tests.support.api import Api, error_of
from tests.support.beside import beside
from tests.support.patience import PATIENCE
from tests.support.people import make_call

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]
POSTGRESQL = connection.vendor == "postgresql"
only_postgresql = pytest.mark.skipif(not POSTGRESQL, reason="SQLite has one writer at a time")


def events_after(api: Api, cursor: int = 0, **query) -> dict:
    answer = api.get("events", after=cursor, **query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def followed(api: Api, cursor: int = 0, **query) -> list[dict]:
    """All that the feed has after the cursor, page by page."""
    found = []
    while True:
        page = events_after(api, cursor, **query)
        found += page["events"]
        cursor = page["next"]
        if not page["more"]:
            return found


def types(events: list[dict]) -> list[str]:
    return [event["type"] for event in events]


def a_whole_call(user) -> CallLog:
    call, _ = services.start_call(user, contact_phone="8765 4321")
    for step in ("answer", "hold", "resume"):
        services.step(call.call_id, user, step, reported=ReportedTime(now()))
    call = services.end_call(call.call_id, user)
    services.add_note(call, user, "Will call back")
    return services.correct_call(call, user, reason="A test", status="DROPPED")


def test_a_call_is_told_from_start_to_correction(live_people):
    call = a_whole_call(live_people.alice)
    events = followed(Api(live_people.alice))
    steps = ("started", "answered", "held", "resumed", "ended", "noted", "corrected")
    assert types(events) == [f"call.{step}" for step in steps]
    assert [event["number"] for event in events] == list(range(1, 8))
    assert len({event["id"] for event in events}) == 7
    for event in events:
        assert event["data"]["call"]["call_id"] == str(call.call_id)
        assert event["data"]["call"]["status"] == "DROPPED"  # as it now stands
        assert event["timestamp"] == event["data"]["event"]["occurred_at"]
    assert events[5]["data"]["event"]["data"] == {"notes": "Will call back"}


def test_signs_of_life_and_ringing_are_nothing_to_tell(live_people):
    call, _ = services.start_call(live_people.alice)
    services.heartbeat(call.call_id, live_people.alice)
    services.step(call.call_id, live_people.alice, "pause", reported=ReportedTime(now()))
    assert types(followed(Api(live_people.alice))) == ["call.started"]


def test_the_end_is_told_once_whoever_tells_it(live_people):
    pbx = ProviderAccount.objects.create(kind="generic", name="pbx")
    ProviderIdentity.objects.create(account=pbx, identity="1001", user=live_people.alice)
    begun = to_ms(now()) - 60_000
    says = [
        ProviderEvent("started", "c1", begun, agents=("1001",), number="+50687654321"),
        ProviderEvent("ended", "c1", begun + 9000, data={"status": "COMPLETED"}),
        ProviderEvent("summary", "c1", begun + 9500, data={"end": begun + 8000}),
    ]
    for event in says:
        intake.record(pbx, [event], received=now())
    told = types(followed(Api(live_people.ada)))
    assert told == ["call.started", "call.ended", "call.corrected"]


def test_a_click_and_its_phone_system_are_told_once_and_kept(live_people):
    """The line that moves into the other call's ledger takes its number along."""
    pbx = ProviderAccount.objects.create(kind="generic", name="pbx")
    begun = now()
    rings = ProviderEvent(
        "started", "c1", to_ms(begun), agents=("1001",), number="87654321", direction="outbound"
    )
    intake.record(pbx, [rings], received=begun)
    api = Api(live_people.ada)
    (rung,) = followed(api)
    click, _ = services.start_call(live_people.alice, contact_phone="8765 4321")
    ProviderIdentity.objects.create(account=pbx, identity="1001", user=live_people.alice)
    answers = ProviderEvent("answered", "c1", to_ms(begun) + 10, agents=("1001",))
    intake.record(pbx, [answers], received=now())
    assert CallLog.objects.count() == 1
    assert types(followed(api, rung["number"])) == ["call.started", "call.answered"]
    again = followed(api)
    assert again[0]["id"] == rung["id"]
    assert len(again) == 3 == len({event["data"]["event"]["occurred_at"] for event in again})
    for event in again:
        assert event["data"]["call"]["call_id"] == str(click.call_id)
        assert event["data"]["aliases"] == [rung["data"]["call"]["call_id"]]


def test_who_may_not_see_a_call_is_passed_over(live_people):
    for agent in (live_people.alice, live_people.carol, live_people.alice):
        make_call(agent)
    of_carol = events_after(Api(live_people.carol))
    assert [event["number"] for event in of_carol["events"]] == [3, 4]
    assert of_carol["next"] == 6 and not of_carol["more"]
    assert len(followed(Api(live_people.sue))) == 4
    assert len(followed(Api(live_people.ada), limit=1)) == 6
    assert len(followed(Api(live_people.alice), limit=3)) == 4
    assert events_after(Api(live_people.bob), limit=1) == {"events": [], "next": 6, "more": False}


def test_alerts_are_told_to_those_whom_they_concern(live_people):
    call = make_call(live_people.alice)
    for occasion, about in (
        ("call", {"call": call, "agent": live_people.alice}),
        ("agent", {"agent": live_people.bob}),
        ("team", {"team": live_people.blue}),
        ("site", {"subject": "disk"}),
    ):
        Alert.objects.create(kind="long_call", occasion=occasion, reached_at=now(), **about)
    seen = {
        name: [
            event["data"]["alert"]["id"]
            for event in followed(Api(getattr(live_people, name)))
            if event["type"] == "alert.fired"
        ]
        for name in ("alice", "bob", "carol", "sue", "sam", "ada")
    }
    one, two, three, four = Alert.objects.order_by("pk").values_list("pk", flat=True)
    assert seen["ada"] == [one, two, three, four]
    assert (seen["alice"], seen["bob"], seen["carol"]) == ([one], [two], [])
    assert (seen["sue"], seen["sam"]) == ([one, two], [three])


def test_an_answer_is_as_it_is_described(live_people):
    call = a_whole_call(live_people.alice)
    Alert.objects.create(kind="long_call", occasion="1", reached_at=now(), call=call)
    Alert.objects.create(kind="disk_full", occasion="2", reached_at=now())
    api = Api(live_people.ada)
    schema = api.get("schema").json()
    shape = {"$ref": "#/components/schemas/FeedBody", "components": schema["components"]}
    answer = events_after(api)
    assert len(answer["events"]) == 9
    jsonschema_rs.validator_for(shape, validate_formats=True).validate(answer)


def test_a_deleted_call_leaves_its_numbers(live_people):
    gone, kept = make_call(live_people.alice), make_call(live_people.alice)
    api = Api(live_people.ada)
    assert len(followed(api)) == 4
    CallLog.objects.filter(pk=gone.pk).delete()
    left = events_after(api)
    assert [event["number"] for event in left["events"]] == [3, 4] and left["next"] == 4
    kept.delete()
    assert events_after(api) == {"events": [], "next": 4, "more": False}
    make_call(live_people.alice)
    assert [event["number"] for event in followed(api, 4)] == [5, 6]


def test_cursors(live_people):
    make_call(live_people.alice)
    api = Api(live_people.alice)
    for bad in ("-1", "x", "1.5", str(2**63), "١x"):
        error_of(api.get("events", after=bad), 400, "after")
    for bad in ("0", "-1", "many"):
        error_of(api.get("events", limit=bad), 400, "limit")
    error_of(api.get("events", before=1), 400, "before")
    assert events_after(api, 99) == {"events": [], "next": 99, "more": False}
    latest = events_after(api, "latest")
    assert latest == {"events": [], "next": 2, "more": False}
    make_call(live_people.alice)
    assert len(followed(api, latest["next"])) == 2
    assert len(api.get("events").json()["events"]) == 4


def test_a_batch_after_the_other(live_people, monkeypatch):
    """A ledger that was there before is numbered as it is read."""
    monkeypatch.setattr(sequencer, "BATCH", 3)
    calls = [make_call(live_people.alice) for _ in range(5)]
    Alert.objects.create(kind="long_call", occasion="1", reached_at=now(), call=calls[0])
    lines = CallEvent.objects.order_by("pk")
    assert len(followed(Api(live_people.ada))) == 11
    numbered = FeedEntry.objects.filter(event__isnull=False).order_by("number")
    assert list(numbered.values_list("event", flat=True)) == [line.pk for line in lines]
    assert FeedEntry.objects.get(alert__isnull=False).number == 11


def test_reading_when_nothing_is_new_takes_few_and_no_lock(live_people):
    api = Api(live_people.ada)
    calls = [make_call(live_people.alice) for _ in range(12)]
    assert calls and len(followed(api)) == 24
    with Statements(connection) as seen:
        assert len(events_after(api)["events"]) == 24
    assert len(seen.sql) == 8, "\n".join(seen.sql)
    assert not [sql for sql in seen.sql if not sql.startswith("SELECT") or "FOR UPDATE" in sql]
    with Statements(connection) as seen:
        assert events_after(api, 24)["events"] == []
    assert len(seen.sql) == 5


# --- Many at once ---------------------------------------------------------------------------------


@only_postgresql
def test_what_commits_late_comes_late_and_is_not_missed(live_people):
    api, first = Api(live_people.ada), threading.Event()
    may_commit, older = threading.Event(), []

    def slow() -> None:
        with transaction.atomic():
            older.append(services.start_call(live_people.alice)[0])
            first.set()
            assert may_commit.wait(PATIENCE)

    with beside(slow):
        assert first.wait(PATIENCE)
        newer, _ = services.start_call(live_people.bob)
        (told,) = followed(api)
        assert told["data"]["call"]["call_id"] == str(newer.call_id)
        for _ in range(3):  # however often is asked
            make_call(live_people.bob)
            followed(api)
        watermark = FeedSource.objects.get(name="calls").watermark
        may_commit.set()
    (late,) = followed(api, 7)
    assert late["data"]["call"]["call_id"] == str(older[0].call_id)
    line = CallEvent.objects.get(call=older[0])
    assert watermark < line.pk < CallEvent.objects.filter(call=newer).get().pk
    followed(api)
    assert FeedSource.objects.get(name="calls").watermark > line.pk


@only_postgresql
def test_a_key_that_was_taken_before_its_transaction_has_a_number_is_waited_for(live_people):
    """Between taking a key and writing the row, PostgreSQL knows of no transaction to wait for."""
    api, call = Api(live_people.ada), make_call(live_people.alice)
    taken, may_go_on = threading.Event(), threading.Event()
    table = CallEvent._meta.db_table

    def slow() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE")  # as INSERT does first
            cursor.execute(f"SELECT nextval(pg_get_serial_sequence('{table}', 'id'))")
            (key,) = cursor.fetchone()
            taken.set()
            assert may_go_on.wait(PATIENCE)
            line = CallEvent.of_fact(
                call, timeline.Event("late", "noted", to_ms(now())), received_at=now()
            )
            line.id = key
            CallEvent.objects.bulk_create([line])

    with beside(slow):
        assert taken.wait(PATIENCE)
        for _ in range(3):
            make_call(live_people.bob)
            followed(api)
        may_go_on.set()
    assert types(followed(api, 8)) == ["call.noted"]


def test_a_rollback_leaves_no_hole_and_holds_up_nothing(live_people):
    api = Api(live_people.ada)
    make_call(live_people.alice)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        make_call(live_people.alice)
        raise ZeroDivisionError
    make_call(live_people.alice)
    assert [event["number"] for event in followed(api)] == [1, 2, 3, 4]
    source = FeedSource.objects.get(name="calls")
    assert source.watermark == source.horizon == CallEvent.objects.latest("pk").pk


def test_a_reader_who_follows_gets_what_many_write_once_and_in_order(live_people):
    """Four write, one of them in long transactions of which every other is taken back."""
    people, rounds = live_people, 8
    done = threading.Event()

    def writes(user) -> None:
        for _ in range(rounds):
            a_whole_call(user)

    def writes_slowly() -> None:
        for number in range(rounds):
            with transaction.atomic():
                for _ in range(3):
                    a_whole_call(people.sue)
                transaction.set_rollback(number % 2 == 0)

    got: list[dict] = []

    def follows() -> None:
        api, cursor = Api(), 0
        api.client.force_login(people.ada)  # a key would soon have asked too often
        while True:
            is_last = done.is_set()
            page = events_after(api, cursor, limit=50)
            got.extend(page["events"])
            cursor = page["next"]
            if is_last and not page["more"]:
                return

    with beside(follows):
        try:
            with beside(writes_slowly), beside(lambda: writes(people.alice)):
                with beside(lambda: writes(people.bob)), beside(lambda: writes(people.carol)):
                    pass
        finally:
            done.set()
    assert_is_the_ledger(got)
    assert [event["id"] for event in followed(Api(people.ada))] == [event["id"] for event in got]


def assert_is_the_ledger(got: list[dict]) -> None:
    """The events are the ledger's lines, each once; those of a call in their order."""
    numbers = [event["number"] for event in got]
    assert numbers == list(range(1, len(got) + 1))
    told = defaultdict(list)
    for event in got:
        line = event["data"]["event"]
        told[event["data"]["call"]["call_id"]].append((line["kind"], line["received_at"]))
    stored = defaultdict(list)
    for line in CallEvent.objects.filter(kind__in=sequencer.FED).order_by("pk").select_related():
        received = line.received_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        stored[str(line.call.call_id)].append((line.kind, received))
    assert told == stored
