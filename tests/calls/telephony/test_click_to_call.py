"""A phone system that dials: the click asks it beside the page, and it may refuse."""

import threading
import uuid

import pytest

from calls import services
from calls.models import CallLog, Contact, DialLink, ProviderAccount, ProviderIdentity
from calls.providers import adapters
from calls.providers.base import Adapter, ProviderEvent, Unreachable
from calls.telephony import click_to_call, intake
from calls.telephony.setup import hook_address
from common.instants import now, to_ms
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.once

NUMBER = "+50651234567"


class Exchange(Adapter):
    """A phone system as this test plays it: it writes down what it is asked, and may refuse."""

    can_dial = True
    title = "Exchange"
    asked: list[tuple[str, str, str]] = []
    answer: str | Exception = ""

    def place_call(self, agent: str, number: str, hook: str = "") -> str:
        self.asked.append((agent, number, hook))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def exchange(monkeypatch):
    monkeypatch.setitem(adapters(), "exchange", Exchange)
    monkeypatch.setattr(Exchange, "asked", [])
    monkeypatch.setattr(Exchange, "answer", "")
    return Exchange


@pytest.fixture
def pbx(live_people, exchange, client):
    account = ProviderAccount.objects.create(kind="exchange", name="pbx")
    ProviderIdentity.objects.create(account=account, identity="1001", user=live_people.alice)
    DialLink.objects.create(kind="server", account=account, is_default=True)
    client.force_login(live_people.alice)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return account


def all_carried_out() -> None:
    """Until no order to dial waits or is under way: the threads meet, each behind what it did."""
    threads = click_to_call._pool._max_workers
    meeting = threading.Barrier(threads + 1)
    for _ in range(threads):
        click_to_call._pool.submit(meeting.wait)
    meeting.wait(PATIENCE)


def click(client, **more):
    return client.post("/calls/start/", {"phone": NUMBER, **more}, headers={"hx-request": "true"})


def failed():
    return CallLog.objects.filter(status="FAILED", end_reason="not_dialled").exists()


def test_a_click_has_the_phone_system_dial_and_opens_no_link(client, pbx, exchange):
    Contact.objects.create(name="Ana", phone=NUMBER)
    assert 'data-dial=""' in client.get("/").content.decode()
    exchange.answer = "CA-77"
    assert "pbx is asked to call" in click(client).content.decode()
    all_carried_out()
    assert CallLog.objects.get().provider_call_id == "CA-77"
    assert exchange.asked == [("1001", NUMBER, hook_address(pbx))]
    call = CallLog.objects.get()
    assert (call.account, call.end_time, call.activity) == (pbx, None, "calling")
    at = to_ms(now()) + 1000
    intake.record(pbx, [ProviderEvent("answered", "CA-77", at)], received=now())
    assert CallLog.objects.get().answered_time is not None


def test_a_click_that_is_sent_twice_dials_once(client, pbx, exchange):
    own = str(uuid.uuid4())
    for _ in range(3):
        click(client, call_id=own)
    all_carried_out()
    assert CallLog.objects.count() == 1
    assert len(exchange.asked) == 1


def test_a_call_that_the_phone_system_told_of_first_is_not_dialled_again(
    client, live_people, pbx, exchange
):
    event = ProviderEvent("started", "c1", to_ms(now()), agents=("1001",), number=NUMBER)
    intake.record(pbx, [event], received=now())
    click(client)
    all_carried_out()
    assert CallLog.objects.count() == 1
    assert exchange.asked == []


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Unreachable("Extension 1001 is not registered."), "Extension 1001 is not registered."),
        (OSError("connection refused"), "pbx could not be asked to dial."),
    ],
)
def test_a_refusal_ends_the_call_as_failed_and_the_desk_says_why(
    client, live_people, pbx, exchange, answer, sentence
):
    exchange.answer = answer
    click(client)
    all_carried_out()
    assert failed()
    page = client.get("/calls/current/").content.decode()
    assert "Not dialled" in page and sentence in page
    call = CallLog.objects.get()
    assert sentence in client.get(f"/calls/{call.call_id}/").content.decode()
    assert call.ended_by == services.DIALLER


def test_who_has_no_phone_there_is_told_so(client, live_people, pbx, exchange):
    client.force_login(live_people.bob)
    click(client)
    all_carried_out()
    assert failed()
    assert "does not know your phone" in client.get("/calls/current/").content.decode()
    assert exchange.asked == []


def test_a_click_that_waited_for_the_network_rings_no_phone(client, pbx, exchange):
    present = to_ms(now())
    click(client, clicked_at=present - 600_000, sent_at=present)
    all_carried_out()
    assert failed()
    assert exchange.asked == []


def test_what_the_phone_system_tells_goes_before_its_refusal(client, live_people, pbx, exchange):
    call = services.start_call(live_people.alice, contact_phone=NUMBER)[0]
    common = {"call": "c1", "agents": ("1001",), "number": NUMBER}
    intake.record(pbx, [ProviderEvent("started", at=to_ms(now()), **common)], received=now())
    services.not_dialled(call.call_id, live_people.alice, "no answer within 5 s")
    assert CallLog.objects.get().end_time is None
