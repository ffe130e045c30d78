"""The bell: who is told what, how much of it is unread, and what a page is told of it."""

import asyncio

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from calls import services
from common.instants import now
from metrics.live.rooms import rooms_of, rooms_of_pages
from notifications.bell import tell
from notifications.bell.unread import MOST, Bell
from notifications.models import Alert, Notification
from notifications.models.rules import Kind
from tests.support.bells import ring
from tests.support.doors import client_of
from tests.support.lines import Caller, all_heard, listening, next_events
from tests.support.people import key_of, make_call

pytestmark = pytest.mark.engines
HTMX = {"HTTP_HX_REQUEST": "true"}


def test_each_person_is_told_once_however_often_it_is_said(people):
    alert = ring(people.alice, people.sue)
    tell(alert, [people.alice, people.alice, people.ada])
    told = Notification.objects.filter(alert=alert).values_list("person__username", flat=True)
    assert sorted(told) == ["ada", "alice", "sue"]


def test_telling_nobody_is_nothing(people):
    assert ring() == Alert.objects.get()
    assert Notification.objects.count() == 0


def test_one_sees_and_reads_ones_own_only(people):
    alert = ring(people.alice, people.sue)
    alice, bob = client_of(people.alice), client_of(people.bob)
    assert (
        "1 unread" in alice.get("/notifications/bell/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    )
    assert bob.post(f"/notifications/{alert.pk}/read/").status_code == 404
    assert alice.post(f"/notifications/{alert.pk}/read/").status_code == 302
    assert (Bell.of(people.alice).unread, Bell.of(people.sue).unread) == (0, 1)


def test_all_are_read_up_to_the_newest_that_was_seen(people):
    seen = Notification.objects.get(alert=ring(people.alice))
    other = Notification.objects.get(alert=ring(people.bob))
    since = Notification.objects.get(alert=ring(people.alice))
    alice = client_of(people.alice)
    answer = alice.post("/notifications/read/", {"until": seen.pk}, **HTMX)
    assert (answer.status_code, answer["HX-Trigger"]) == (204, "bell")
    unread = Notification.objects.filter(read_at=None)
    assert set(unread.values_list("pk", flat=True)) == {other.pk, since.pk}


@pytest.mark.parametrize("number", ["", "x", "-1", "1.5", "²", "9" * 30, "9" * 5000])
def test_a_place_that_is_none_is_a_bad_request(people, number):
    alice = client_of(people.alice)
    assert alice.post("/notifications/read/", {"until": number}).status_code == 400
    if number:
        assert alice.get("/notifications/", {"before": number}).status_code == 400


def test_an_alert_with_a_number_beyond_all_numbers_is_not_found(people):
    alice, beyond = client_of(people.alice), "9" * 30
    assert alice.get(f"/notifications/{beyond}/words/").status_code == 404
    assert alice.post(f"/notifications/{beyond}/read/").status_code == 404


def test_the_page_has_pages(people):
    for _ in range(52):
        ring(people.alice)
    ring(people.bob)
    alice = client_of(people.alice)
    first = alice.get("/notifications/")
    assert len(first.context["notifications"]) == 50
    older = alice.get("/notifications/", {"before": first.context["older"]})
    assert len(older.context["notifications"]) == 2 and older.context["older"] is None
    empty = alice.get("/notifications/", {"before": "1"}, HTTP_ACCEPT_LANGUAGE="en")
    assert "There are no older notifications." in empty.content.decode()


def test_more_than_a_bell_can_show_is_said_with_a_plus(people):
    alerts = [
        Alert(kind=Kind.NO_CALLS, occasion=f"no calls {place}", reached_at=now())
        for place in range(MOST + 2)
    ]
    Alert.objects.bulk_create(alerts)
    rows = [Notification(person=people.alice, alert=alert) for alert in Alert.objects.all()]
    Notification.objects.bulk_create(rows)
    assert Bell.of(people.alice).shown == "99+"
    assert "99+" in client_of(people.alice).get("/calls/").content.decode()


def test_a_reminder_goes_when_what_it_reminds_of_is_over(people):
    call, _ = services.start_call(people.alice)
    ring(people.alice, people.sue, call=call)
    on_hold = ring(people.alice, call=call, kind=Kind.LONG_HOLD)
    ring(people.alice, kind=Kind.PROVIDER_SILENT)
    assert [told.alert.kind for told in Bell.of(people.alice).reminders] == [Kind.LONG_CALL]
    assert Bell.of(people.sue).reminders == []
    services.step(call.call_id, people.alice, "hold")
    shown = Bell.of(people.alice)
    assert shown.reminders[0].alert_id == on_hold.pk
    assert len(shown.reminders) == 2
    services.end_call(call.call_id, people.alice)
    over = Bell.of(people.alice)
    assert (over.unread, over.reminders) == (3, [])


def test_a_page_costs_one_query_more_and_a_program_none(people, django_assert_num_queries):
    for _ in range(5):
        ring(people.alice, call=make_call(people.alice))
    alice = client_of(people.alice)
    alice.get(reverse("bell"))
    with django_assert_num_queries(3):  # session, person, unread
        alice.get(reverse("bell"))
    with CaptureQueriesContext(connection) as asked:
        alice.get("/api/calls/active", HTTP_X_API_KEY=key_of(people.alice))
    assert asked.captured_queries
    assert not any("notifications_" in one["sql"] for one in asked.captured_queries)


def test_programs_sit_in_no_room_of_a_person(people):
    assert rooms_of_pages(people.ada) == [*rooms_of(people.ada), f"person:{people.ada.pk}"]
    assert not any(room.startswith("person:") for room in rooms_of(people.ada))


@pytest.mark.server
def test_it_is_heard_by_the_persons_own_pages_whatever_else_they_hear(live_people, server):
    people = live_people

    async def scene() -> None:
        async with (
            listening(server, people.alice) as alice,
            listening(server, people.bob) as bob,
            listening(server, people.sue) as sue,
            listening(server, people.ada) as ada,
        ):
            alert = await asyncio.to_thread(ring, people.alice, people.sue, people.ada)
            for line in (alice, sue, ada):
                (event,) = await next_events(line, 1)
                assert (
                    event.items()
                    >= {
                        "type": "notification",
                        "alert_id": alert.pk,
                        "kind": "long_call",
                    }.items()
                )
            assert await all_heard(bob, Caller(server, people.bob)) == []

    asyncio.run(scene())


@pytest.mark.server
def test_what_is_rolled_back_is_not_told(live_people, server):
    people = live_people

    async def scene() -> None:
        async with listening(server, people.alice) as alice:
            await asyncio.to_thread(rolled_back)
            alert = await asyncio.to_thread(ring, people.alice)
            (event,) = await next_events(alice, 1)
            assert event["alert_id"] == alert.pk

    def rolled_back() -> None:
        with transaction.atomic():
            ring(people.alice)
            transaction.set_rollback(True)

    asyncio.run(scene())


def test_a_reminder_that_came_before_the_page_stands_on_it(people):
    call, _ = services.start_call(people.alice)
    alert = ring(people.alice, call=call)
    page = client_of(people.alice).get("/").content.decode()
    assert f'action="/notifications/{alert.pk}/read/"' in page
    assert f'data-reads="/notifications/{alert.pk}/read/"' in page


@pytest.mark.parametrize(
    ("who", "missing"),
    [("alice", {"rules", "webhooks"}), ("sue", {"webhooks"}), ("ada", set())],
)
def test_the_menu_leads_everybody_to_what_they_may_open(people, who, missing):
    client = client_of(getattr(people, who))
    page = client.get("/calls/").content.decode()
    names = {"alerts", "rules", "channels", "report_schedules", "webhooks"}
    linked = {name for name in names if f'<a href="{reverse(name)}">' in page}
    assert linked == names - missing
    assert {client.get(reverse(name)).status_code for name in linked} == {200}
    assert {client.get(reverse(name)).status_code for name in missing} <= {403}
