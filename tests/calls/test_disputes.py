"""An agent disputes a call of their own; a supervisor decides; the ledger keeps both sentences."""

import datetime as dt
import json
import re
from html import unescape
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from calls import services, timeline
from calls.errors import BadCallData, CallConflict, CallNotFound
from calls.models import CallDispute, CallEvent, CallLog
from calls.services.disputes import decide, dispute
from common.instants import now
from metrics.rollups.daily import totals_of
from metrics.rollups.rebuild import differences
from notifications.bell.unread import Bell
from notifications.models import Alert, Notification
from notifications.words import sentence_of
from tests.calls.test_concurrency import at_once
from tests.support.api import Api, error_of
from tests.support.people import make_call

pytestmark = pytest.mark.engines
SAID = "I talked for ten minutes, the clock says one"


def page_of(user: User) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client


def text(answer: Any) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


def told(user: User) -> list[str]:
    found = Notification.objects.filter(person=user).order_by("pk").select_related("alert__agent")
    return [sentence_of(one.alert, user) for one in found]


@pytest.fixture(autouse=True)
def in_english(settings):
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def call(people) -> CallLog:
    return make_call(people.alice, 60, contact_phone="8765 4321")


@pytest.fixture
def disputed(people, call) -> CallDispute:
    return dispute(call, people.alice, SAID)


def decision(call: CallLog, word: str, **changes: Any) -> dict[str, str]:
    """What the supervisor's form sends."""
    shown = {"start": call.start_time, "end": call.end_time} | changes
    times = {n: f"{timezone.localtime(at):%Y-%m-%dT%H:%M:%S}" for n, at in shown.items()}
    return times | {"status": call.status, "reason": "The phone says ten", "decision": word}


def test_a_dispute_changes_no_time_and_is_told_to_the_supervisors(people, call):
    before = CallLog.objects.values().get(pk=call.pk)
    answer = page_of(people.alice).post(f"/calls/{call.call_id}/dispute/", {"reason": SAID})
    assert answer.status_code == 302
    assert CallLog.objects.values().get(pk=call.pk) == before and differences() == []
    line = call.events.get(kind=timeline.NOTED)
    assert (line.data["said"], line.source, line.actor) == (SAID, "agent", people.alice)
    assert told(people.sue) == ["Alice disputes what is recorded of a call."]
    assert [Bell.of(user).unread for user in (people.alice, people.sam, people.ada)] == [0, 0, 0]
    assert SAID in text(page_of(people.sue).get(f"/calls/{call.call_id}/"))
    assert SAID in text(page_of(people.sue).get("/disputes/"))
    assert SAID not in text(page_of(people.sam).get("/disputes/"))


def test_where_nobody_leads_the_team_the_administrators_decide(people):
    people.red.supervisors.clear()
    dispute(make_call(people.alice), people.alice, SAID)
    assert (Bell.of(people.ada).unread, Bell.of(people.sue).unread) == (1, 0)


def test_upholding_corrects_the_times_in_the_same_step(people, disputed):
    call = disputed.call
    end = call.end_time + dt.timedelta(minutes=9)
    sent = decision(call, "upheld", end=end)
    assert page_of(people.sue).post(f"/calls/{call.call_id}/decide/", sent).status_code == 302
    call.refresh_from_db()
    disputed.refresh_from_db()
    assert call.duration_seconds == totals_of(people.alice.pk).total_talk_time
    assert call.duration_seconds in (599, 600)  # a form has whole seconds
    assert (disputed.state, disputed.decided_by) == ("upheld", people.sue)
    assert [line.kind for line in call.events.order_by("pk")][-3:] == [
        *(timeline.NOTED, timeline.CORRECTED, timeline.NOTED),
    ]
    assert told(people.alice) == ["Your dispute of a call was upheld."]
    assert not Alert.objects.open().exists() and differences() == []
    shown = text(page_of(people.alice).get(f"/calls/{call.call_id}/"))
    assert SAID in shown and "The phone says ten" in shown and "Dispute upheld" in shown


def test_a_rejection_leaves_everything_and_reads_no_times(people, disputed):
    call = disputed.call
    sent = decision(call, "rejected") | {"start": "nonsense", "end": ""}
    assert page_of(people.ada).post(f"/calls/{call.call_id}/decide/", sent).status_code == 302
    disputed.refresh_from_db()
    assert disputed.state == "rejected" and not call.events.filter(kind="corrected").exists()
    assert told(people.alice) == ["Your dispute was rejected."]
    dispute(call, people.alice, "But it was so")  # one may try again
    assert list(call.disputes.values_list("state", flat=True)) == ["open", "rejected"]


def test_what_a_decision_lacks_is_said_and_nothing_is_changed(people, disputed):
    call, sue = disputed.call, page_of(people.sue)
    url = f"/calls/{call.call_id}/decide/"
    for sent in (
        decision(call, "rejected") | {"reason": " "},
        decision(call, "upheld") | {"end": "nonsense"},
        decision(call, "upheld", end=call.start_time - dt.timedelta(hours=1)),
        decision(call, "upheld", end=now() + dt.timedelta(hours=1)),
        decision(call, "perhaps"),
        {},
    ):
        assert sue.post(url, sent).status_code == 400
    assert CallDispute.objects.open().count() == 1 and call.events.count() == 3


def test_the_second_decision_is_a_conflict_that_names_the_first(people, disputed):
    call = disputed.call
    url, sent = f"/calls/{call.call_id}/decide/", decision(call, "rejected")
    assert page_of(people.sue).post(url, sent).status_code == 302
    late = page_of(people.ada).post(url, decision(call, "upheld", end=call.start_time))
    assert late.status_code == 409
    assert "Sue has rejected this dispute before you." in text(late)
    call.refresh_from_db()
    assert call.duration_seconds == 60


@pytest.mark.django_db(transaction=True)
def test_of_two_who_decide_at_once_one_wins_whole(live_people):
    call = make_call(live_people.alice, 60)
    opened = dispute(call, live_people.alice, SAID)
    end = call.end_time + dt.timedelta(seconds=30)
    results = at_once(
        lambda: decide(opened, live_people.sue, upheld=True, said="so it is", end=end),
        lambda: decide(opened, live_people.ada, upheld=False, said="it is not"),
    )
    assert sum(isinstance(one, CallConflict) for one in results) == 1
    call.refresh_from_db()
    opened.refresh_from_db()
    assert call.duration_seconds == (90 if opened.state == "upheld" else 60)
    assert call.events.filter(key__startswith="dispute:").count() == 2
    assert Notification.objects.filter(person=live_people.alice).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_call_disputed_at_once_is_disputed_once(live_people):
    call = make_call(live_people.alice, 60)
    results = at_once(*[lambda: dispute(call, live_people.alice, SAID)] * 2)
    assert sum(isinstance(one, CallConflict) for one in results) == 1
    assert call.disputes.count() == 1


def test_only_an_ended_call_of_ones_own_is_disputed_once(people, disputed):
    with pytest.raises(CallConflict, match="disputed already"):
        dispute(disputed.call, people.alice, SAID)
    with pytest.raises(CallNotFound):
        dispute(disputed.call, people.sue, SAID)
    running, _ = services.start_call(people.alice)
    with pytest.raises(CallConflict, match="still running"):
        dispute(running, people.alice, SAID)
    for wrong in ("", " \n", "x" * 501):
        with pytest.raises(BadCallData):
            dispute(make_call(people.alice), people.alice, wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        CallDispute.objects.create(call=disputed.call, opened_by=people.bob, opened_at=now())


def test_a_program_disputes_and_reads_what_came_of_it(people, call):
    alice = Api(people.alice)
    path = f"calls/{call.call_id}/dispute"
    assert "dispute" not in alice.get(f"calls/{call.call_id}").json()["events"][-1]["data"]
    for body in ({}, {"reason": ""}, {"reason": 5}, {"reason": " "}, {"reason": "x" * 501}):
        error_of(alice.post(path, body), 400, "reason")
    answer = alice.post(path, {"reason": SAID})
    assert (answer.status_code, answer.json()) == (
        *(201, {"message": "Call disputed", "call_id": str(call.call_id), "state": "open"}),
    )
    error_of(alice.post(path, {"reason": SAID}), 409)
    error_of(Api(people.bob).post(path, {"reason": SAID}), 404)
    error_of(Api(people.sue).post(path, {"reason": SAID}), 404)
    decide(call.disputes.get(), people.sue, upheld=False, said="No trace")
    body = alice.get(f"calls/{call.call_id}").json()
    (one,) = body["disputes"]
    assert (one["state"], one["opened_by"], one["decided_by"]) == ("rejected", "alice", "sue")
    assert [e["data"] for e in body["events"] if e["kind"] == "noted"] == [
        {"dispute": {"number": one["number"], "state": "open"}, "said": SAID},
        {"dispute": {"number": one["number"], "state": "rejected"}, "said": "No trace"},
    ]


def test_the_history_marks_and_finds_them(people, disputed):
    other = make_call(people.alice)
    sue = page_of(people.sue)
    assert sue.get("/calls/").content.decode().count(">Disputed</span>") == 1
    for value, found in (("open", 1), ("upheld", 0), ("rejected", 0)):
        page = sue.get(f"/calls/?disputed={value}").content.decode()
        assert page.count(f"/calls/{disputed.call.call_id}/") == found
        assert str(other.call_id) not in page
    assert sue.get("/calls/?disputed=never").status_code == 400
    logged = Api(people.sue).get("calls/log", disputed="open").json()
    assert [one["call_id"] for one in logged] == [str(disputed.call.call_id)]


def test_the_fold_passes_over_a_dispute(people, disputed):
    facts = CallEvent.facts_of(disputed.call)
    assert timeline.fold(facts) == timeline.fold(f for f in facts if "dispute" not in f.data)


def test_its_sentences_are_taken_out_and_removed_with_the_person(people, disputed):
    decide(disputed, people.sue, upheld=True, said="Zoraida says so, too")
    out = StringIO()
    call_command("export_person", "--phone", "8765 4321", stdout=out)
    (call,) = json.loads(out.getvalue())["calls"]
    assert call["disputes"][0]["state"] == "upheld" and SAID in out.getvalue()
    call_command("forget", "--phone", "8765 4321", "--yes", stdout=StringIO())
    left = json.dumps(list(disputed.call.events.values_list("data", flat=True)))
    assert SAID not in left and "Zoraida" not in left and left.count("dispute") == 2
    page = text(page_of(people.sue).get("/disputes/"))
    assert page.count("The sentence was removed.") == 2
    call_command("rebuild_metrics", "--check", stdout=StringIO())
