"""The worker anchors the ledger each night and verifies it each week, and says what it found."""

from datetime import datetime, timedelta

import pytest
from django.utils import translation

from callmanager.doctor.ledger import ledger
from calls.models import Anchor
from common.instants import now, today
from tests.support.attacks import attack
from tests.support.doors import client_of
from tests.support.people import make_call
from upkeep import tasks
from upkeep.models import JobRun
from upkeep.verification import JOB, LedgerFault, proof_is_due, verify_all

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]


@pytest.fixture
def people(live_people, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return live_people


def has_run(**fields):
    fields = {"due": now()} | fields
    JobRun.objects.create(name=JOB, started_at=now(), ended_at=now(), **fields)


def sentences():
    with translation.override("en"):
        return [finding.sentence for finding in ledger()]


def page_of(user):
    answer = client_of(user).get("/admin/upkeep/workerbeat/", headers={"Accept-Language": "en"})
    return answer.content.decode()


def test_the_night_makes_one_anchor_a_day_whose_root_is_shown(people):
    assert "There is no root yet" in page_of(people.ada)
    make_call(people.alice)
    said = tasks.make_anchor.call_local()
    anchor = Anchor.objects.get()
    assert (anchor.day, anchor.calls) == (today() - timedelta(days=1), 1)
    assert said == anchor.as_line() and anchor.root in page_of(people.ada)
    assert tasks.make_anchor.call_local() is None and Anchor.objects.count() == 1
    assert anchor.root in tasks.verify_ledger.call_local()


def test_what_is_wrong_is_named_and_looked_at_again_until_it_is_told(people):
    call = make_call(people.alice)
    tasks.make_anchor.call_local()
    attack("UPDATE calls_calllog SET talk_seconds = 1 WHERE id = %s", call.pk)
    with pytest.raises(LedgerFault, match=f"call {call.call_id}: its row was changed") as fault:
        tasks.verify_ledger.call_local()
    next_time = (now() + timedelta(hours=1)).replace(minute=10, second=0, tzinfo=None)
    if next_time - now().replace(tzinfo=None) >= timedelta(hours=1):
        next_time -= timedelta(hours=1)
    assert not proof_is_due(next_time)
    JobRun.objects.all().delete()
    for hour in range(3):
        has_run(failed=True, result=str(fault.value), due=now() - timedelta(hours=3 - hour))
        assert proof_is_due(next_time) == (hour < 2)  # at the third time the rules tell
    assert any(str(call.call_id) in sentence for sentence in sentences())
    assert str(call.call_id) in page_of(people.ada)
    attack("UPDATE calls_calllog SET talk_seconds = 60 WHERE id = %s", call.pk)
    with translation.override("en"):
        assert "1 call with 2 lines is what was written." in verify_all()


def test_a_proof_is_due_once_a_week():
    sunday = datetime(2026, 11, 29)
    week = [sunday + timedelta(minutes=n) for n in range(7 * 24 * 60)]
    assert [at for at in week if proof_is_due(at)] == [sunday.replace(hour=4, minute=10)]


def test_the_doctor_asks_for_an_anchor_a_night_and_a_proof_a_week(people):
    assert sentences() == ["The ledger is anchored each night, and verified each week."]
    make_call(people.alice)
    assert "has no anchor yet" in sentences()[0]
    tasks.make_anchor.call_local()
    assert "anchored each night" in sentences()[0]
    has_run(result="fine")
    assert "was verified on" in sentences()[0]
    attack("UPDATE calls_anchor SET day = %s", today() - timedelta(days=9))
    assert "The last anchor of the ledger is of" in sentences()[0]
