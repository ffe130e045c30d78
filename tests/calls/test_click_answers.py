"""Every answer to a click says what becomes of it: recorded, never to be, or to be sent again."""

import datetime as dt
import uuid

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts import roles
from accounts.models import User
from calls import services, timeline
from calls.models import CallEvent, CallLog
from common.htmx import DONE, LATER, REFUSED
from common.instants import now, to_ms
from metrics.models import UserMetrics

pytestmark = pytest.mark.engines

HTMX = {"headers": {"HX-Request": "true", "Accept-Language": "en"}}


@pytest.fixture
def alice(client, people) -> User:
    client.force_login(people.alice)
    client.raise_request_exception = False
    return people.alice


@pytest.fixture
def call(alice) -> CallLog:
    begun = services.ReportedTime(now() - dt.timedelta(seconds=60), explicit=True)
    return services.start_call(alice, contact_phone="8888 7777", reported=begun)[0]


def hold(client: Client, call_id: uuid.UUID, **fields: object) -> tuple[int, str]:
    answer = client.post(reverse("call_step", args=[call_id, "hold"]), fields, **HTMX)
    return answer.status_code, answer.headers["X-Click"]


def test_what_is_recorded_and_what_contradicts_it(client, alice, call):
    assert hold(client, call.call_id) == (200, DONE)
    assert hold(client, uuid.uuid4()) == (404, REFUSED)
    assert hold(client, call.call_id, clicked_at="yesterday") == (400, REFUSED)
    services.end_call(call.call_id, alice)
    assert hold(client, call.call_id) == (409, REFUSED)


def test_what_is_no_click_of_ours(client, alice, call):
    unknown = client.post(reverse("call_step", args=[call.call_id, "juggle"]), **HTMX)
    nowhere = client.post("/calls/nowhere/", **HTMX)
    assert [(a.status_code, a.headers["X-Click"]) for a in (unknown, nowhere)] == [
        (404, REFUSED)
    ] * 2
    assert hold(client, call.call_id, notes="x" * 3_000_000) == (400, REFUSED)


def test_a_right_that_was_taken_away(client, alice, call):
    Group.objects.get(name=roles.AGENT).user_set.remove(alice)
    assert hold(client, call.call_id) == (403, REFUSED)


def test_a_page_without_its_token_is_given_one(people, call):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(people.alice)
    assert hold(strict, call.call_id) == (403, LATER)
    token = strict.cookies["csrftoken"].value
    headers = HTMX["headers"] | {"X-CSRFToken": token}
    again = strict.post(reverse("call_step", args=[call.call_id, "hold"]), headers=headers)
    assert (again.status_code, again.headers["X-Click"]) == (200, DONE)


def test_a_fault_of_ours_is_to_be_tried_again(client, call):
    CallEvent.objects.create(  # a line that the fold cannot read
        call=call,
        key="broken",
        kind=timeline.CORRECTED,
        occurred_at=call.start_time,
        received_at=call.start_time,
        source="admin",
        data={"start": "noon"},
    )
    assert hold(client, call.call_id) == (500, LATER)


def test_a_click_that_is_sent_again_is_one_though_it_seems_to_be_made_at_another_instant(
    client, alice, call
):
    """The answer was lost; the clocks are compared anew, a few milliseconds otherwise."""
    clicked, name = to_ms(now()), str(uuid.uuid4())
    for waited in (10, 3_000, 3_017):
        sent = {"click_id": name, "clicked_at": clicked, "sent_at": clicked + waited}
        assert hold(client, call.call_id, **sent) == (200, DONE)
    assert call.events.filter(kind=timeline.HELD).count() == 1
    services.end_call(call.call_id, alice)
    assert hold(client, call.call_id, **sent) == (200, DONE)
    assert UserMetrics.objects.get(user=alice).calls_made == 1
