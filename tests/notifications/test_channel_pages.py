"""The pages of channels: set up, tried, switched off, deleted; nothing secret comes back."""

import pytest
from django.test import Client
from django.urls import reverse

from common.instants import now
from notifications.models import Channel, Delivery
from tests.support.mailbox import receiving_mail
from tests.support.receiver import receiving, saying

pytestmark = pytest.mark.once
SECRET = "Secret-7f3a9b"


@pytest.fixture(autouse=True)
def here_too(settings):
    settings.OUTGOING_PRIVATE_ADDRESSES = True


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


def signed_in(person):
    person.language = "en"
    person.save()
    client = Client()
    client.force_login(person)
    return client


def text_of(answer):
    return " ".join(answer.content.decode().split())


def make_channel(receiver, owner=None, kind="slack"):
    channel = Channel(name="Sales", kind=kind, owner=owner)
    channel.secrets = {"url": receiver.url(f"/services/{SECRET}")}
    channel.save()
    return channel


def test_an_administrator_sets_up_slack_and_tries_it(people, receiver):
    ada = signed_in(people.ada)
    new = reverse("channel_new", args=["organisation", "slack"])
    assert "Incoming Webhooks" in text_of(ada.get(new))
    answer = ada.post(
        new, {"name": "Sales", "url": receiver.url(f"/services/{SECRET}"), "language": "es"}
    )
    assert answer.status_code == 302
    channel = Channel.objects.get()
    assert (channel.owner, channel.language) == (None, "es")
    assert SECRET not in channel.sealed and SECRET in channel.secrets["url"]

    said = text_of(ada.post(reverse("channel_test", args=[channel.pk]), follow=True))
    assert "The test was sent to “Sales” and taken." in said
    assert "Funciona" in receiver.received[0].body.decode()  # in the channel's language


def test_what_is_secret_is_never_shown_again_and_stays(people, receiver):
    channel = make_channel(receiver)
    receiver.answers = [saying(403, f"bad {SECRET}".encode())]
    ada = signed_in(people.ada)
    ada.post(reverse("channel_test", args=[channel.pk]))
    page = reverse("channel", args=[channel.pk])
    for address in (page, reverse("channels"), reverse("deliveries")):
        assert SECRET not in text_of(ada.get(address))
    assert ada.post(page, {"name": "Sales and more", "url": "", "language": ""}).status_code == 302
    channel.refresh_from_db()
    assert channel.name == "Sales and more" and SECRET in channel.secrets["url"]


@pytest.mark.parametrize(
    ("kind", "typed", "sentence"),
    [
        ("slack", {"url": "http://127.0.0.1/"}, "is an address of a private network"),
        ("teams", {"url": "https://[::1]/"}, "is an address of a private network"),
        ("slack", {"url": "nonsense"}, "The address has to begin with https://"),
        ("email", {"address": "a@example.org\nBcc: b@example.org"}, "cannot have a line break"),
        ("email", {"address": "nobody"}, "That is no e-mail address"),
        ("telegram", {"token": "1:x", "chat": "1"}, "That is no token of a bot"),
        ("telegram", {"token": f"123456789:{'A' * 35}", "chat": "my chat"}, "That is no chat"),
        ("apprise", {"url": "syslog://"}, "That is no address of a service that can be told"),
        ("webhook", {"url": "http://10.0.0.1/"}, "is an address of a private network"),
        (
            "webhook",
            {"url": "http://8.8.8.8/", "authorization": "a\nX: y"},
            "A header has only letters",
        ),
    ],
)
def test_what_cannot_be_is_said(people, settings, kind, typed, sentence):
    settings.OUTGOING_PRIVATE_ADDRESSES = False
    ada = signed_in(people.ada)
    answer = ada.post(reverse("channel_new", args=["organisation", kind]), {"name": "X", **typed})
    assert answer.status_code == 400
    assert sentence in text_of(answer)
    assert not Channel.objects.exists()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (saying(404, b"no_service"), "The service refused the message (404): no_service"),
        (saying(500), "The service answered 500: it is busy or has a fault."),
        (saying(302, Location="http://10.0.0.1/"), "leads on to another one (302)"),
    ],
)
def test_a_test_that_fails_says_why_and_is_not_tried_again(people, receiver, answer, sentence):
    receiver.answers = [answer]
    channel = make_channel(receiver)
    ada = signed_in(people.ada)
    said = text_of(ada.post(reverse("channel_test", args=[channel.pk]), follow=True))
    assert f"The test did not arrive at “Sales”: {sentence}" in said or sentence in said
    assert Delivery.objects.get().state == "dead"


def test_tests_are_limited(people, receiver):
    channel = make_channel(receiver)
    ada = signed_in(people.ada)
    for _time in range(11):
        answer = ada.post(reverse("channel_test", args=[channel.pk]), follow=True)
    assert "That were many tests" in text_of(answer)
    assert len(receiver.received) == 10


def test_a_person_has_an_own_mail_and_sees_no_other_channel(people, receiver, settings):
    make_channel(receiver)
    alice = signed_in(people.alice)
    new = reverse("channel_new", args=["mine", "email"])
    alice.post(new, {"name": "Mail", "address": "alice@example.org"})
    channel = Channel.objects.get(owner=people.alice)
    page = text_of(alice.get(reverse("channels")))
    assert "Mail" in page and "Sales" not in page
    with receiving_mail(settings) as box:
        alice.post(reverse("channel_test", args=[channel.pk]))
    assert box.mails[0]["Subject"] == "This is a test: alerts of CallManager will come here."


def test_a_channel_is_switched_off_on_and_deleted(people, receiver):
    channel = make_channel(receiver)
    ada = signed_in(people.ada)
    for sent, enabled in (({}, False), ({"on": "1"}, True)):
        ada.post(reverse("channel_switch", args=[channel.pk]), sent)
        channel.refresh_from_db()
        assert channel.enabled is enabled
    page = reverse("channel_delete", args=[channel.pk])
    assert "Delete Sales?" in text_of(ada.get(page))
    ada.post(page)
    assert not Channel.objects.exists()


def test_what_was_given_up_is_listed_and_sent_again(people, receiver):
    moment = now()
    fault = {"message": "No connection to %(host)s could be made.", "values": {"host": "here"}}
    delivery = Delivery.objects.create(
        channel=make_channel(receiver),
        state="dead",
        due_at=moment,
        give_up_at=moment,
        attempts=9,
        fault=fault,
    )
    ada = signed_in(people.ada)
    page = text_of(ada.get(reverse("deliveries") + "?state=dead"))
    assert "No connection to here could be made." in page and "9 attempts" in page
    assert "Nothing here" in text_of(ada.get(reverse("deliveries") + "?state=sent"))
    said = text_of(ada.post(reverse("delivery_again", args=[delivery.pk]), follow=True))
    assert "It is on its way again." in said
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("waiting", 0)
    said = text_of(ada.post(reverse("delivery_again", args=[delivery.pk]), follow=True))
    assert "It was not given up" in said


def test_many_channels_cost_no_more_queries(people, receiver, django_assert_max_num_queries):
    ada = signed_in(people.ada)
    for _number in range(5):
        make_channel(receiver)
    ada.get(reverse("channels"))
    with django_assert_max_num_queries(12):
        ada.get(reverse("channels"))
