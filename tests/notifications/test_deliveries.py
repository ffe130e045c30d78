"""Messages on their way: sent after the commit, at least once, tried for a day, sent again."""

import datetime as dt
import threading

import pytest
import time_machine
from django.db import connection, transaction

from common.instants import now
from notifications.deliveries import outbox, sending
from notifications.deliveries.messages import message_of
from notifications.models import Alert, Channel, Delivery
from tests.support.people import make_call
from tests.support.receiver import receiving, saying

pytestmark = pytest.mark.engines


@pytest.fixture(autouse=True)
def here_too(settings, tmp_path):
    settings.OUTGOING_PRIVATE_ADDRESSES = True
    settings.PUBLIC_BASE_URL = "https://calls.example.org"


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


def made_channel(receiver, **fields):
    channel = Channel(name="Chat", kind="webhook", **fields)
    channel.secrets = {"url": receiver.url("/in")}
    channel.save()
    return channel


def made_alert(person, occasion="1"):
    call = make_call(person, 700, ago=800, contact_phone="8765 4321")
    return Alert.objects.create(
        kind="long_call",
        occasion=occasion,
        call=call,
        agent=person,
        reached_at=now(),
        facts={"seconds": 600},
    )


def waiting(channel, alert=None):
    moment = now()
    return Delivery.objects.create(
        channel=channel, alert=alert, due_at=moment, give_up_at=moment + dt.timedelta(days=1)
    )


def send_what_is_due():
    for pk in sending.due():
        sending.attempt(pk)


def test_an_alert_goes_to_channels_and_to_peoples_own_once(people, receiver):
    shared = made_channel(receiver)
    own = made_channel(receiver, owner=people.sue)
    made_channel(receiver, owner=people.bob)  # is not told
    made_channel(receiver, owner=people.sue, enabled=False)
    alert = made_alert(people.alice)

    for _time in range(2):
        outbox.send_alert(alert, [people.sue], [shared])
    assert {d.channel for d in Delivery.objects.all()} == {shared, own}

    send_what_is_due()
    send_what_is_due()
    assert len(receiver.received) == 2
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_a_message_is_in_its_readers_language_and_names_no_number(people):
    people.sue.language = "en"
    people.sue.save()
    alert = made_alert(people.alice)
    own = Channel.objects.create(name="Hers", kind="email", owner=people.sue)
    shared = Channel.objects.create(name="All", kind="email")
    english, spanish = (message_of(waiting(channel, alert)) for channel in (own, shared))
    assert (english.title, english.link_label) == ("Long call", "Open the call")
    assert (spanish.language, spanish.link_label) == ("es", "Abrir la llamada")
    assert english.link == f"https://calls.example.org/calls/{alert.call.call_id}/"
    assert ("Agent", "Alice") in english.facts
    for said in (english, spanish):
        assert "8765" not in f"{said}".replace(" ", "")


def test_what_fails_for_a_day_is_given_up_and_can_be_sent_again(people, receiver):
    receiver.answers = [saying(500)]
    delivery = waiting(made_channel(receiver))
    begun = delivery.due_at
    waits = []
    while delivery.state == "waiting" and len(waits) < 100:
        waits.append(delivery.due_at - begun)
        with time_machine.travel(delivery.due_at, tick=False):
            sending.attempt(delivery.pk)
        delivery.refresh_from_db()
    attempts = len(receiver.received)
    assert attempts == len(waits) == delivery.attempts
    assert 28 <= attempts <= 32  # doubled up to an hour, and a quarter more by chance
    assert dt.timedelta(hours=22) < waits[-1] < dt.timedelta(days=1)
    assert (delivery.state, delivery.error) == (
        "dead",
        "El servicio respondió 500: está ocupado o tiene una falla.",
    )

    receiver.answers = [saying(200)]
    assert outbox.send_again(delivery)
    send_what_is_due()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == ("sent", "")
    assert not outbox.send_again(delivery)
    assert len({got.headers["idempotency-key"] for got in receiver.received}) == 1


def test_what_is_refused_is_given_up_at_once(people, receiver):
    receiver.answers = [saying(410)]
    delivery = waiting(made_channel(receiver))
    assert sending.attempt(delivery.pk) is None
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("dead", 1)


def test_a_service_is_left_alone_for_as_long_as_it_asks(people, receiver):
    receiver.answers = [saying(429, Retry_After="1800")]
    delivery = waiting(made_channel(receiver))
    assert sending.attempt(delivery.pk) == dt.timedelta(minutes=30)
    assert sending.due() == []
    assert sending.attempt(delivery.pk) is None  # not before
    assert len(receiver.received) == 1


def test_nobody_answers(people, settings):
    with receiving() as gone:
        channel = made_channel(gone)
    delivery = waiting(channel)
    assert sending.attempt(delivery.pk) is not None
    delivery.refresh_from_db()
    assert delivery.state == "waiting"
    assert delivery.error == "No se pudo establecer una conexión con 127.0.0.1."


def test_what_a_worker_left_that_died_is_taken_again(people, receiver):
    delivery = waiting(made_channel(receiver))
    assert sending._taken(delivery.pk) is not None  # and no more is heard of it
    assert sending.attempt(delivery.pk) is None and receiver.received == []
    with time_machine.travel(now() + sending.LOST_AFTER, tick=False):
        send_what_is_due()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, len(receiver.received)) == ("sent", 2, 1)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"enabled": False}, "El canal está apagado."),
        ({"sealed": "gAAAAA"}, "Lo que abre este canal se cifró con otra clave"),
    ],
)
def test_what_cannot_be_sent_says_why(people, receiver, change, sentence):
    channel = made_channel(receiver)
    delivery = waiting(channel, made_alert(people.alice))
    Channel.objects.filter(pk=channel.pk).update(**change)
    sending.attempt(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.state == "dead" and delivery.error.startswith(sentence)
    assert receiver.received == []


def test_somebody_who_left_is_told_nothing(people, receiver):
    delivery = waiting(made_channel(receiver, owner=people.bob))
    people.bob.is_active = False
    people.bob.save()
    sending.attempt(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.error == "La persona de este canal ya no está activa."


def test_what_ended_long_ago_is_removed(people, receiver):
    channel = made_channel(receiver)
    old, new, still = (waiting(channel) for _ in range(3))
    long_ago = now() - sending.KEPT_FOR - dt.timedelta(days=1)
    Delivery.objects.filter(pk=old.pk).update(state="sent", due_at=long_ago)
    Delivery.objects.filter(pk=new.pk).update(state="sent")
    Delivery.objects.filter(pk=still.pk).update(due_at=long_ago)
    sending.tidy()
    assert set(Delivery.objects.all()) == {new, still}


def test_nothing_is_sent_of_what_is_rolled_back(live_people, receiver):
    channel = made_channel(receiver)
    with transaction.atomic():
        outbox.send_alert(made_alert(live_people.alice), [], [channel])
        transaction.set_rollback(True)
    assert sending.due() == []


def test_many_workers_send_it_once(live_people, receiver):
    delivery = waiting(made_channel(receiver))
    together = threading.Barrier(6)

    def work():
        together.wait()
        sending.attempt(delivery.pk)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    delivery.refresh_from_db()
    assert (len(receiver.received), delivery.state, delivery.attempts) == (1, "sent", 1)
