"""Webhooks at a real receiver: signed, in order, tried again, never twice."""

import datetime as dt
import json
import threading

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from calls import services
from calls.models import CallEvent, CallLog
from calls.services import ReportedTime
from common.instants import now, to_ms
from notifications.models import (
    Alert,
    Notification,
    SendState,
    WebhookDelivery,
    WebhookEndpoint,
)
from notifications.rules import standard
from notifications.webhooks import endpoints, queue, sending
from notifications.webhooks.signals import endpoint_switched_off
from notifications.words import link_of, sentence_of
from tests.support.beside import beside
from tests.support.patience import PATIENCE, await_that
from tests.support.people import make_call
from tests.support.processes import closed_port
from tests.support.receiver import Receiver, receiving, saying, silent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]


@pytest.fixture(autouse=True)
def local_addresses(settings):
    settings.OUTGOING_PRIVATE_ADDRESSES = True


@pytest.fixture
def receiver():
    with receiving() as one:
        yield one


def endpoint_for(receiver: Receiver, **fields) -> tuple[WebhookEndpoint, str]:
    endpoint = WebhookEndpoint(name="CRM", url=receiver.url("/hook"), **fields)
    return endpoint, endpoints.add(endpoint)


def at_rest() -> bool:
    return not sending._running.total()


def ticks(times: int = 1) -> None:
    """What the worker does, and all that it has begun by it."""
    for _ in range(times):
        sending.tick()
        await_that(at_rest)


def at_a_later_time() -> None:
    """Whatever waits for its time is due."""
    WebhookDelivery.objects.filter(state="waiting").update(due_at=now(), claimed_until=None)
    WebhookEndpoint.objects.update(resting_until=None)


def later(by: dt.timedelta) -> None:
    """As if all that has happened had happened earlier by so much."""
    for delivery in WebhookDelivery.objects.all():
        delivery.queued_at -= by
        delivery.save()
    for endpoint in WebhookEndpoint.objects.exclude(failing_since=None):
        endpoint.failing_since -= by
        endpoint.save()
    at_a_later_time()


def told(receiver: Receiver) -> list[tuple[str, str]]:
    """(call, type) of what came, in order."""
    bodies = [json.loads(one.body) for one in receiver.received]
    return [(body["data"]["call"]["call_id"], body["type"]) for body in bodies]


def states() -> list[str]:
    return list(WebhookDelivery.objects.order_by("entry").values_list("state", flat=True))


def held_call(user) -> CallLog:
    call, _ = services.start_call(user)
    services.step(call.call_id, user, "answer", reported=ReportedTime(now()))
    services.step(call.call_id, user, "hold", reported=ReportedTime(now()))
    return call


def test_what_happens_is_sent_and_the_oracle_takes_it(live_people, receiver):
    make_call(live_people.alice)  # before anybody listened
    endpoint, secret = endpoint_for(receiver)
    call = held_call(live_people.alice)
    ticks()
    assert told(receiver) == [
        (str(call.call_id), f"call.{step}") for step in ("started", "answered", "held")
    ]
    for one in receiver.received:
        Webhook(secret).verify(one.body, one.headers)
        assert one.headers["content-type"] == "application/json"
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 3
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(receiver.received[0].body + b" ", receiver.received[0].headers)
    ticks()
    assert len(receiver.received) == 3 and states() == ["sent"] * 3
    sent = WebhookDelivery.objects.first()
    assert (sent.attempts, sent.status_code, sent.endpoint) == (1, 200, endpoint)


def test_only_the_events_that_are_wanted_are_sent(live_people, receiver):
    endpoint_for(receiver, kinds=["call.held"])
    held_call(live_people.alice)
    ticks()
    assert [kind for _call, kind in told(receiver)] == ["call.held"]


def test_without_a_webhook_a_tick_only_looks(live_people, django_assert_num_queries):
    make_call(live_people.alice)
    with django_assert_num_queries(2):
        sending.tick()


def refusing_ends(handler) -> None:
    """Takes everything but the end of a call."""
    is_end = b'"call.ended"' in handler.server.receiver.received[-1].body
    saying(500 if is_end else 200)(handler)


def test_what_fails_holds_back_its_own_call_alone(live_people, receiver):
    endpoint, _ = endpoint_for(receiver, kinds=["call.held", "call.ended", "call.noted"])
    receiver.answers = [refusing_ends]
    first = held_call(live_people.alice)
    services.end_call(first.call_id, live_people.alice)
    ticks()
    services.add_note(CallLog.objects.get(pk=first.pk), live_people.alice, "One more")
    second = held_call(live_people.bob)
    ticks(2)  # it is not time yet for the end
    one, other = str(first.call_id), str(second.call_id)
    assert told(receiver) == [(one, "call.held"), (one, "call.ended"), (other, "call.held")]
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None  # it has taken something since
    receiver.answers = [saying(200)]
    at_a_later_time()
    ticks()
    assert told(receiver)[3:] == [(one, "call.ended"), (one, "call.noted")]
    failed, again = (receiver.received[place].headers for place in (1, 3))
    assert failed["webhook-id"] == again["webhook-id"]


def test_pauses_grow_until_the_day_is_over(live_people, receiver):
    endpoint_for(receiver, kinds=["call.ended"])
    receiver.answers = [saying(500)]
    make_call(live_people.alice)
    pauses = []
    for _ in range(8):
        ticks()
        (delivery,) = WebhookDelivery.objects.all()
        pauses.append((delivery.due_at - delivery.tried_at).total_seconds())
        at_a_later_time()
    assert 3.9 < pauses[0] < 6.1 and 15 < pauses[1] < 25
    assert pauses[:6] == sorted(pauses[:6]) and all(8000 < pause < 13000 for pause in pauses[6:])
    assert len(receiver.received) == 8
    later(dt.timedelta(hours=23, minutes=59))
    ticks()
    delivery.refresh_from_db()
    assert delivery.state == SendState.WAITING and delivery.due_at - now() < dt.timedelta(minutes=2)
    later(dt.timedelta(minutes=2))
    ticks()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.status_code) == ("failed", 10, 500)
    ticks()
    assert len(receiver.received) == 10


def test_retry_after_is_kept_for_all_of_the_endpoint(live_people, receiver):
    endpoint, _ = endpoint_for(receiver, kinds=["call.ended"])
    receiver.answers = [saying(503, Retry_After="3600")]
    make_call(live_people.alice)
    ticks()
    make_call(live_people.bob)
    ticks()
    endpoint.refresh_from_db()
    assert len(receiver.received) == 1
    assert dt.timedelta(minutes=59) < endpoint.resting_until - now() < dt.timedelta(minutes=61)
    receiver.answers = [saying(200)]
    at_a_later_time()
    ticks()
    endpoint.refresh_from_db()
    assert len(receiver.received) == 3
    assert (endpoint.resting_until, endpoint.failing_since) == (None, None)


def test_a_date_of_retry_after_and_nonsense(live_people, receiver):
    endpoint, _ = endpoint_for(receiver, kinds=["call.ended"])
    make_call(live_people.alice)
    receiver.answers = [saying(429, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"), saying(429)]
    ticks()
    endpoint.refresh_from_db()
    assert endpoint.resting_until < now() + dt.timedelta(seconds=2)
    no_date = f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT"
    for said in ("soon", "-5", "9" * 500, "٣", no_date):
        receiver.answers = [saying(429, Retry_After=said) if said.isascii() else saying(429)]
        at_a_later_time()
        ticks()
    (delivery,) = WebhookDelivery.objects.all()
    assert delivery.state == SendState.WAITING and delivery.attempts == 6


def test_whoever_does_not_answer_is_left_alone_for_a_while(live_people, receiver, monkeypatch):
    monkeypatch.setattr(sending, "SECONDS", 0.3)
    endpoint, _ = endpoint_for(receiver, kinds=["call.ended"])
    receiver.answers = [silent]
    for _ in range(5):
        make_call(live_people.alice)
    ticks(3)
    endpoint.refresh_from_db()
    assert len(receiver.received) <= 3 and endpoint.resting_until > now()
    assert "127.0.0.1" in WebhookDelivery.objects.exclude(error="").first().error
    endpoint.url = f"http://127.0.0.1:{closed_port()}/"
    endpoint.save()
    at_a_later_time()
    ticks()
    assert set(states()) == {"waiting"}
    endpoint.url = receiver.url()
    endpoint.save()
    receiver.answers = [saying(200)]
    at_a_later_time()
    ticks()
    assert states() == ["sent"] * 5


def test_a_private_address_is_not_asked(live_people, receiver, settings):
    endpoint_for(receiver, kinds=["call.ended"])
    settings.OUTGOING_PRIVATE_ADDRESSES = False
    make_call(live_people.alice)
    ticks()
    assert receiver.received == [] and states() == ["waiting"]
    assert "OUTGOING_PRIVATE_ADDRESSES" in WebhookDelivery.objects.get().error


def test_a_redirect_is_no_answer_to_follow(live_people, receiver):
    endpoint_for(receiver, kinds=["call.ended"])
    receiver.answers = [saying(302, Location=receiver.url("/elsewhere"))]
    make_call(live_people.alice)
    ticks()
    assert [one.path for one in receiver.received] == ["/hook"] and states() == ["waiting"]


@pytest.fixture
def switched_off():
    heard = []

    def hear(endpoint, **_more):
        heard.append(endpoint.name)

    endpoint_switched_off.connect(hear)
    yield heard
    endpoint_switched_off.disconnect(hear)


def test_410_switches_off_at_once_and_nothing_is_lost(live_people, receiver, switched_off):
    endpoint, _ = endpoint_for(receiver, kinds=["call.ended"])
    receiver.answers = [saying(410), saying(200)]
    make_call(live_people.alice)
    ticks()
    make_call(live_people.bob)
    ticks()
    endpoint.refresh_from_db()
    assert not endpoint.enabled and endpoint.switched_off_at and "410" in endpoint.off_reason
    assert switched_off == ["CRM"] and len(receiver.received) == 1
    endpoints.switch(endpoint, on=True)
    ticks()
    assert len(receiver.received) == 3 and states() == ["sent"] * 2


def test_days_without_a_success_switch_off(live_people, receiver, switched_off):
    endpoint, _ = endpoint_for(receiver, kinds=["call.ended"])
    receiver.answers = [saying(500)]
    make_call(live_people.alice)
    ticks()
    later(dt.timedelta(days=2))
    make_call(live_people.alice)
    ticks()
    assert switched_off == [] and states() == ["failed", "waiting"]
    later(dt.timedelta(days=1))
    ticks()
    endpoint.refresh_from_db()
    assert not endpoint.enabled and switched_off == ["CRM"] and "500" in endpoint.off_reason


def test_administrators_are_told_until_it_is_on_again(live_people, receiver):
    standard.lay("default")
    endpoint, _ = endpoint_for(receiver, kinds=["call.ended"])
    receiver.answers = [saying(410)]
    make_call(live_people.alice)
    ticks()
    alert = Alert.objects.get()
    assert "CRM" in sentence_of(alert) and link_of(alert) == "/webhooks/"
    assert [told.person for told in Notification.objects.all()] == [live_people.ada]
    endpoints.switch(endpoint, on=True)
    alert.refresh_from_db()
    assert alert.over_at is not None


def test_a_success_between_failures_keeps_it_on(live_people, receiver, switched_off):
    endpoint, _ = endpoint_for(receiver, kinds=["call.ended"])
    receiver.answers = [saying(500), saying(200), saying(500)]
    make_call(live_people.alice)
    ticks()
    later(dt.timedelta(days=2))
    ticks()
    make_call(live_people.bob)
    ticks()
    later(dt.timedelta(days=2))
    ticks()
    endpoint.refresh_from_db()
    assert endpoint.enabled and switched_off == []


def test_two_secrets_are_valid_while_one_takes_over(live_people, receiver):
    endpoint, old = endpoint_for(receiver, kinds=["call.ended"])
    new = endpoints.rotate(endpoint)
    endpoint.refresh_from_db()
    assert new != old and new not in endpoint.sealed
    assert endpoints.old_secret_until(endpoint) > now() + dt.timedelta(hours=23)
    make_call(live_people.alice)
    ticks()
    (one,) = receiver.received
    assert len(one.headers["webhook-signature"].split()) == 2
    for secret in (old, new):
        Webhook(secret).verify(one.body, one.headers)
    endpoints.end_old_secret(endpoint)
    make_call(live_people.alice)
    ticks()
    last = receiver.received[-1]
    Webhook(new).verify(last.body, last.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(last.body, last.headers)


def test_an_old_secret_ends_by_itself(live_people, receiver):
    endpoint, _old = endpoint_for(receiver, kinds=["call.ended"])
    endpoints.rotate(endpoint)
    newest = endpoints.rotate(endpoint)
    endpoint.refresh_from_db()
    assert len(endpoint.secrets) == 2  # the first is no longer needed to rotate once more
    secrets = endpoint.secrets
    secrets[1]["until"] = to_ms(now()) - 1
    endpoint.secrets = secrets
    endpoint.save()
    make_call(live_people.alice)
    ticks()
    assert len(receiver.received[0].headers["webhook-signature"].split()) == 1
    Webhook(newest).verify(receiver.received[0].body, receiver.received[0].headers)
    assert endpoints.old_secret_until(endpoint) is None


def test_sent_again_from_a_cursor(live_people, receiver):
    first = held_call(live_people.alice)
    endpoint, _ = endpoint_for(receiver)
    second = held_call(live_people.bob)
    ticks()
    calls = [str(first.call_id), str(second.call_id)]
    told_of_second = [kind for _call, kind in told(receiver)]
    assert told_of_second == ["call.started", "call.answered", "call.held"]
    ids = [one.headers["webhook-id"] for one in receiver.received]
    endpoints.send_again_after(endpoint, 1)
    ticks()
    again = receiver.received[3:]
    steps = {call: [kind for one, kind in told(receiver)[3:] if one == call] for call in calls}
    assert list(steps.values()) == [["call.answered", "call.held"], told_of_second]
    assert [one.headers["webhook-id"] for one in again if one.headers["webhook-id"] in ids] == ids
    endpoints.send_again_after(endpoint, 10**9)
    ticks()
    assert len(receiver.received) == 8
    make_call(live_people.alice)
    ticks()
    assert len(receiver.received) == 10


def test_a_deleted_call_is_nothing_to_send(live_people, receiver):
    endpoint_for(receiver)
    gone, kept = held_call(live_people.alice), held_call(live_people.bob)
    receiver.answers = [saying(500)]
    ticks()
    gone.delete()
    receiver.answers = [saying(200)]
    at_a_later_time()
    ticks()
    assert states() == ["gone"] * 3 + ["sent"] * 3
    assert told(receiver)[-1] == (str(kept.call_id), "call.held")


def test_several_workers_send_nothing_twice(live_people, receiver):
    endpoint, _ = endpoint_for(receiver)
    calls = [make_call(live_people.alice) for _ in range(10)]
    both = threading.Barrier(3)

    def works() -> None:
        both.wait(PATIENCE)
        sending.send_due(endpoint.pk)

    queue.fan_out(WebhookEndpoint.objects.get())
    sending.tick()
    await_that(at_rest)
    for _ in range(10):
        make_call(live_people.bob)
    sending.sequencer.catch_up(5)
    queue.fan_out(WebhookEndpoint.objects.get())
    with beside(works), beside(works), beside(works):
        pass
    ticks()
    ids = [one.headers["webhook-id"] for one in receiver.received]
    assert len(ids) == len(set(ids)) == 40
    for call in (*calls, *CallLog.objects.filter(user=live_people.bob)):
        steps = [kind for one, kind in told(receiver) if one == str(call.call_id)]
        assert steps == ["call.started", "call.ended"]


def test_a_worker_that_dies_leaves_it_to_the_next(live_people, receiver):
    endpoint, _ = endpoint_for(receiver, kinds=["call.ended"])
    make_call(live_people.alice)
    sending.sequencer.catch_up(5)
    queue.fan_out(endpoint)
    claimed = queue.claim(endpoint)
    assert claimed is not None and queue.claim(endpoint) is None
    ticks()
    assert receiver.received == []
    WebhookDelivery.objects.update(claimed_until=now())
    ticks()
    assert len(receiver.received) == 1 and states() == ["sent"]


def test_a_test_is_sent_now_and_logged(live_people, receiver):
    endpoint, secret = endpoint_for(receiver, kinds=["call.ended"])
    line = sending.send_test(endpoint)
    (one,) = receiver.received
    assert Webhook(secret).verify(one.body, one.headers)["type"] == "webhook.test"
    assert (line.state, line.status_code, line.entry) == ("sent", 200, None)
    receiver.answers = [saying(404)]
    line = sending.send_test(endpoint)
    assert (line.state, line.status_code, line.error) == ("failed", 404, "HTTP 404")


def test_what_was_removed_from_the_ledger_is_not_sent(live_people, receiver):
    """Nothing is kept of a message: it is made when it is sent."""
    endpoint_for(receiver)
    call, _ = services.start_call(live_people.alice, contact_phone="8765 4321")
    sending.sequencer.catch_up(5)
    queue.fan_out(WebhookEndpoint.objects.get())
    CallLog.objects.filter(pk=call.pk).update(contact_phone="", phone_e164="", phone_line="")
    ticks()
    assert b"8765" not in receiver.received[0].body
    stored = [str(row) for row in WebhookDelivery.objects.values()]
    assert stored and not [row for row in stored if "8765" in row]


def test_the_log_is_kept_for_a_month(live_people, receiver):
    endpoint_for(receiver, kinds=["call.ended"])
    make_call(live_people.alice)
    ticks()
    later(dt.timedelta(days=29))
    queue.drop_old()
    assert WebhookDelivery.objects.count() == 1
    later(dt.timedelta(days=2))
    queue.drop_old()
    assert WebhookDelivery.objects.count() == 0
    assert CallEvent.objects.count() == 2
