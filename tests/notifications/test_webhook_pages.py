"""The pages of webhooks, as an administrator uses them."""

import re

import pytest
from standardwebhooks import Webhook

from calls import services
from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.webhooks import endpoints, queue, sending, sequencer, signing
from tests.support.doors import client_of
from tests.support.people import make_call
from tests.support.receiver import receiving, saying

pytestmark = [pytest.mark.django_db, pytest.mark.once]
EVERYTHING = [
    "call.started",
    "call.answered",
    "call.held",
    "call.resumed",
    "call.ended",
    "call.corrected",
    "call.noted",
    "alert.fired",
]


@pytest.fixture
def receiver(settings):
    settings.OUTGOING_PRIVATE_ADDRESSES = True
    with receiving() as one:
        yield one


@pytest.fixture
def ada(people):
    client = client_of(people.ada)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def shown(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def secret_in(answer) -> str:
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", answer.content.decode())
    return secret


def added(ada, receiver, **fields) -> tuple[str, str]:
    """The page of a new webhook, and its secret."""
    body = {"name": "CRM", "url": receiver.url("/hook"), "kinds": EVERYTHING} | fields
    answer = ada.post("/webhooks/", body)
    assert answer.status_code == 200, shown(answer)
    return f"/webhooks/{WebhookEndpoint.objects.latest('pk').pk}/", secret_in(answer)


def test_a_webhook_is_added_and_its_secret_shown_once(ada, receiver, people):
    make_call(people.alice)
    page, secret = added(ada, receiver)
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.kinds, endpoint.cursor, endpoint.enabled) == ([], 2, True)
    assert secret not in endpoint.sealed
    assert "whsec_" not in ada.get(page).content.decode()
    assert "CRM" in shown(ada.get("/webhooks/"))


def test_a_test_says_what_was_answered(ada, receiver):
    page, secret = added(ada, receiver)
    said = shown(ada.post(f"{page}test/", follow=True))
    assert "The test was taken: HTTP 200." in said
    (one,) = receiver.received
    Webhook(secret).verify(one.body, one.headers)
    receiver.answers = [saying(418)]
    assert "The test was not taken: HTTP 418" in shown(ada.post(f"{page}test/", follow=True))
    assert WebhookDelivery.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("url", "", "This field is required"),
        ("url", "ftp://example.com/", "https://"),
        ("url", "javascript:alert(1)", "valid URL"),
        ("url", "http://127.0.0.1/", "private network"),
        ("url", "http://[::1]/", "private network"),
        ("url", "http://169.254.169.254/latest", "private network"),
        ("url", "https://" + "x" * 500, "500"),
        ("name", "", "This field is required"),
        ("name", "x" * 81, "80"),
        ("kinds", [], "Choose at least one event."),
        ("kinds", ["call.lost"], "call.lost"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_is_kept(ada, field, value, said):
    body = {"name": "CRM", "url": "https://192.0.2.7/", "kinds": EVERYTHING} | {field: value}
    answer = ada.post("/webhooks/", body)
    assert answer.status_code == 400 and said in shown(answer)
    assert WebhookEndpoint.objects.count() == 0


def test_there_is_a_most(ada, receiver, monkeypatch):
    monkeypatch.setattr("notifications.views.webhook_forms.MOST_WEBHOOKS", 1)
    page, _ = added(ada, receiver)
    body = {"name": "Two", "url": receiver.url(), "kinds": EVERYTHING}
    assert "which is the most" in shown(ada.post("/webhooks/", body))
    assert ada.post(page, body | {"kinds": ["call.ended"]}).status_code == 302
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.name, endpoint.kinds) == ("Two", ["call.ended"])


def test_a_wrong_change_changes_nothing(ada, receiver):
    page, _ = added(ada, receiver)
    answer = ada.post(page, {"name": "", "url": "nonsense", "kinds": EVERYTHING})
    assert answer.status_code == 400
    assert "CRM" in shown(answer) and WebhookEndpoint.objects.get().name == "CRM"


def test_secrets_take_turns(ada, receiver):
    page, old = added(ada, receiver)
    answer = ada.post(f"{page}secret/")
    new = secret_in(answer)
    assert new != old and "the old one until" in shown(answer)
    assert "the old one until" not in shown(ada.post(f"{page}old-secret/", follow=True))
    ada.post(f"{page}test/")
    (one,) = receiver.received
    assert len(one.headers["webhook-signature"].split()) == 1
    Webhook(new).verify(one.body, one.headers)


def test_secrets_of_another_key_are_said_and_can_be_made_anew(ada, receiver, settings):
    page, _ = added(ada, receiver)
    settings.FIELD_ENCRYPTION_KEYS = ["A" * 43 + "="]
    assert "FIELD_ENCRYPTION_KEY" in shown(ada.get(page))
    assert "FIELD_ENCRYPTION_KEY" in shown(ada.post(f"{page}test/", follow=True))
    assert ada.post(f"{page}old-secret/").status_code == 302
    new = secret_in(ada.post(f"{page}secret/"))
    ada.post(f"{page}test/")
    Webhook(new).verify(receiver.received[-1].body, receiver.received[-1].headers)


def test_off_and_on(ada, receiver):
    page, _ = added(ada, receiver)
    assert "Switch on" in shown(ada.post(f"{page}switch/", {"on": "0"}, follow=True))
    assert not WebhookEndpoint.objects.get().enabled
    endpoint = WebhookEndpoint.objects.get()
    endpoints.switch_off_by_itself(endpoint, "It answered 410: gone for good.")
    said = shown(ada.get(page))
    assert "Switched off by itself" in said and "410" in said
    assert "switched off by itself" in shown(ada.get("/webhooks/"))
    assert "Switched off by itself" not in shown(
        ada.post(f"{page}switch/", {"on": "1"}, follow=True)
    )


def sent_to(endpoint: WebhookEndpoint) -> None:
    """Sends what is due, here and now."""
    sequencer.catch_up(5)
    queue.fan_out(endpoint)
    sending.send_due(endpoint.pk)


def test_the_log_is_read_filtered_and_sent_again(ada, receiver, people):
    page, _ = added(ada, receiver)
    endpoint = WebhookEndpoint.objects.get()
    call, _ = services.start_call(people.alice)
    receiver.answers = [saying(200), saying(500)]
    services.end_call(call.call_id, people.alice)
    sent_to(endpoint)
    log = shown(ada.get(page)).split(" Log ")[1]
    assert (
        "HTTP 200" in log
        and "HTTP 500" in log
        and f"/calls/{call.call_id}/" in str(ada.get(page).content)
    )
    only = shown(ada.get(page, {"state": "sent"})).split(" Log ")[1]
    assert "HTTP 200" in only and "HTTP 500" not in only
    only = shown(ada.get(page, {"kind": "call.ended"})).split(" Log ")[1]
    assert "HTTP 500" in only and "HTTP 200" not in only
    for odd in ({"state": "x", "kind": "y", "before": "z"}, {"before": "-1"}, {"before": "9" * 30}):
        assert ada.get(page, odd).status_code == 200
    receiver.answers = [saying(200)]
    line = WebhookDelivery.objects.get(state="sent")
    ada.post(f"{page}again/", {"delivery": line.pk})
    sent_to(endpoint)
    ids = [one.headers["webhook-id"] for one in receiver.received]
    assert len(ids) == 3 and ids[0] == ids[2]
    assert ada.post(f"{page}again/", {"number": "1"}).status_code == 302
    sent_to(endpoint)
    assert len(receiver.received) == 5
    for odd in ("", "0", "x", "9" * 30):
        assert ada.post(f"{page}again/", {"number": odd}).status_code == 400
    for odd in ("0", "x", "9" * 30, "²"):
        assert ada.post(f"{page}again/", {"delivery": odd}).status_code == 404


def test_pages_of_the_log(ada, receiver, monkeypatch):
    monkeypatch.setattr("notifications.views.webhooks.LOG_LINES", 2)
    page, _ = added(ada, receiver)
    for _ in range(3):
        ada.post(f"{page}test/")
    ada.get("/")  # which tells what became of them
    first = ada.get(page).content.decode()
    (older,) = re.findall(r'href="([^"]*before=[^"]*)#log"', first)
    rest = ada.get(older.replace("&amp;", "&")).content.decode()
    assert first.count("HTTP 200") == 2 and rest.count("HTTP 200") == 1 and "before=" not in rest


def test_a_webhook_is_deleted_with_its_log(ada, receiver):
    page, _ = added(ada, receiver)
    ada.post(f"{page}test/")
    assert "is deleted" in shown(ada.post(f"{page}delete/", follow=True))
    assert WebhookEndpoint.objects.count() == WebhookDelivery.objects.count() == 0
    assert ada.get(page).status_code == 404


def test_a_ledger_that_is_not_numbered_yet_is_waited_for(ada, receiver, people, monkeypatch):
    monkeypatch.setattr(sequencer, "BATCH", 1)
    monkeypatch.setattr(endpoints, "_PASSES", 2)
    for _ in range(2):
        make_call(people.alice)
    body = {"name": "CRM", "url": receiver.url(), "kinds": EVERYTHING}
    answer = ada.post("/webhooks/", body)
    assert answer.status_code == 503 and "still being numbered" in shown(answer)
    sequencer.catch_up(5)
    assert ada.post("/webhooks/", body).status_code == 200


def test_a_secret_is_of_the_kind_that_libraries_take():
    one, other = signing.new_secret(), signing.new_secret()
    assert one != other and one.startswith("whsec_")
    Webhook(one)
