"""Stale calls whose phone system can be asked, and phone systems that fall silent themselves."""

import datetime as dt
import logging
import threading

import pytest
from django.core.management import call_command

from calls import services
from calls.models import CallLog, ProviderAccount, ProviderIdentity
from calls.providers import adapters
from calls.providers.base import Adapter, Gone, ProviderEvent
from calls.telephony import hooks, intake, stale_calls
from common.instants import now, to_ms

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

NUMBER = "+50651234567"
HOUR = dt.timedelta(hours=1)


class Exchange(Adapter):
    """A phone system as this test plays it: it answers what the test says of a call's id."""

    title = "Exchange"
    asked: list[str] = []
    answers: dict = {}

    def ask(self, call_id):
        self.asked.append(call_id)
        answer = self.answers.get(call_id)
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer


@pytest.fixture
def exchange(monkeypatch):
    monkeypatch.setitem(adapters(), "exchange", Exchange)
    monkeypatch.setattr(Exchange, "asked", [])
    monkeypatch.setattr(Exchange, "answers", {})
    return Exchange


@pytest.fixture
def pbx(people, exchange):
    account = ProviderAccount.objects.create(kind="exchange", name="pbx", silence_minutes=60)
    ProviderIdentity.objects.create(account=account, identity="1001", user=people.alice)
    return account


def stale_call(pbx, call_id="c1", begun=HOUR, heard=HOUR, present=None):
    """A call that began `begun` ago and of which nobody has said anything for `heard`."""
    at = to_ms((present or now()) - begun)
    event = ProviderEvent("started", call_id, at, agents=("1001",), number=NUMBER)
    (call,) = intake.record(pbx, [event], received=now())
    CallLog.objects.filter(pk=call.pk).update(last_seen_at=now() - heard)
    return call


def test_the_end_that_the_phone_system_knows_is_recorded(people, pbx, exchange):
    call = stale_call(pbx)
    ended = call.start_time + dt.timedelta(seconds=90)
    data = {"status": "COMPLETED", "answered": to_ms(call.start_time) + 10_000}
    exchange.answers["c1"] = [ProviderEvent("ended", "c1", to_ms(ended), data=data)]
    assert stale_calls.ask_and_close() == 0
    call.refresh_from_db()
    assert (call.end_time, call.status, call.evidence) == (ended, "COMPLETED", "B")
    assert call.talk_seconds == 80


def test_a_call_that_goes_on_is_left_and_asked_about_again_after_a_while(pbx, exchange, settings):
    call = stale_call(pbx)
    exchange.answers["c1"] = []
    before = now()
    assert stale_calls.ask_and_close() == 0
    call.refresh_from_db()
    assert call.end_time is None
    assert before <= call.last_seen_at <= now()
    stale_calls.ask_and_close()
    assert exchange.asked == ["c1"]
    CallLog.objects.update(start_time=now() - 9 * HOUR)
    settings.MAX_CALL_SECONDS = 3600
    assert stale_calls.ask_and_close() == 1  # it was not asked again so soon


def test_however_long_a_call_that_its_phone_system_knows_goes_on(pbx, exchange, settings):
    settings.MAX_CALL_SECONDS = 3600
    stale_call(pbx, begun=5 * HOUR, heard=dt.timedelta(seconds=1))
    exchange.answers["c1"] = []
    assert stale_calls.ask_and_close() == 0
    assert exchange.asked == ["c1"]


def test_a_call_that_its_phone_system_does_not_know_is_closed_by_estimate(pbx, exchange):
    call = stale_call(pbx, heard=HOUR / 2)
    exchange.answers["c1"] = Gone("404")
    assert stale_calls.ask_and_close() == 1
    call.refresh_from_db()
    assert (call.status, call.evidence, call.ended_by) == ("DROPPED", "E", "watchdog")
    assert call.end_time == call.last_seen_at


@pytest.mark.parametrize("answer", [None, OSError("unreachable"), ValueError("not ours")])
def test_who_cannot_tell_leaves_the_call_until_the_hard_limit(pbx, exchange, settings, answer):
    call = stale_call(pbx)
    exchange.answers["c1"] = answer
    assert stale_calls.ask_and_close() == 0
    settings.MAX_CALL_SECONDS = 600
    assert stale_calls.ask_and_close() == 1
    call.refresh_from_db()
    assert call.evidence == "E"


def test_a_phone_system_that_does_not_answer_holds_up_nobody(people, pbx, exchange, monkeypatch):
    monkeypatch.setattr(stale_calls, "ASK_SECONDS", 0.05)
    stale_call(pbx)
    reported = services.ReportedTime(now() - HOUR, explicit=True)
    clicked = services.start_call(people.bob, reported=reported)[0]
    asked, over, answered = threading.Event(), threading.Event(), threading.Event()

    def hangs():
        asked.set()
        over.wait(30)
        answered.set()

    exchange.answers["c1"] = hangs
    assert stale_calls.ask_and_close() == 1
    assert not answered.is_set()  # nobody waited for it
    assert asked.wait(30)
    over.set()
    clicked.refresh_from_db()
    assert clicked.evidence == "E"
    assert CallLog.objects.get(provider_call_id="c1").end_time is None


def test_all_questions_together_have_their_time(pbx, exchange, monkeypatch):
    for number in range(3):
        stale_call(pbx, f"c{number}", heard=HOUR * (number + 1))
    monkeypatch.setattr(stale_calls, "ALL_SECONDS", -1)
    stale_calls.ask_and_close()
    assert exchange.asked == []
    monkeypatch.setattr(stale_calls, "ALL_SECONDS", 30)
    stale_calls.ask_and_close()
    assert exchange.asked == ["c2", "c1", "c0"]  # the longest silent first


# --- Phone systems that fall silent --------------------------------------------------------------


@pytest.fixture
def silent(pbx):
    """It reported a call every ten minutes until two hours ago."""
    present = now()
    for number in range(8):
        stale_call(pbx, f"c{number}", begun=2 * HOUR + number * HOUR / 6, present=present)
    pbx.last_heard_at = present - 2 * HOUR
    pbx.save()
    return pbx


def texts(client, user):
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return [client.get(path).content.decode() for path in ("/organization/", "/admin/")]


def test_administrators_are_told_until_it_speaks_again(people, silent, client, caplog):
    assert all("has said nothing" not in page for page in texts(client, people.ada))
    with caplog.at_level(logging.WARNING):
        assert hooks.watch_silence() == [silent]
    assert "silence account=pbx kind=exchange since=" in caplog.text
    for page in texts(client, people.ada):
        assert "pbx has said nothing for 2\xa0h\xa000\xa0min." in page
        assert "It usually tells of a call every 10\xa0min\xa000\xa0s." in page
    assert hooks.watch_silence() == []
    silent.refresh_from_db()
    hooks.heard(silent)
    assert all("has said nothing" not in page for page in texts(client, people.ada))


def test_the_list_of_accounts_says_who_is_silent(silent, capsys):
    hooks.watch_silence()
    call_command("provider_account", "list")
    assert "silent since" in capsys.readouterr().out


def test_nobody_else_sees_the_alarm(people, silent, client):
    hooks.watch_silence()
    client.force_login(people.sue)
    page = client.get("/team/")
    assert page.status_code == 200
    assert "pbx" not in page.content.decode()


def test_an_account_may_be_added_with_its_alarm(db, exchange):
    call_command("provider_account", "add", "exchange", "branch", "--silence", "90")
    assert ProviderAccount.objects.get(name="branch").silence_minutes == 90
