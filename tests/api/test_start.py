"""POST /api/calls/start."""

import datetime as dt
import uuid

import pytest

from calls.models import CallEvent, CallLog, Contact
from common.instants import isoformat, now
from tests.support.api import Api, error_of

pytestmark = pytest.mark.engines


@pytest.fixture
def api(people) -> Api:
    return Api(people.alice)


def test_a_start_answers_with_the_call(api, people):
    body = {"contact_id": "contact_123", "contact_phone": "+506-5123-4567"}
    before = now()
    response = api.post("calls/start", body)
    after = now()
    assert response.status_code == 201
    call = CallLog.objects.get()
    assert response.json() == {
        "message": "Call started",
        "call_id": str(call.call_id),
        "start_time": isoformat(call.start_time),
    }
    assert call.user == people.alice
    assert (call.contact, call.contact_ref) == (None, "contact_123")
    assert (call.contact_phone, call.phone_e164) == ("+506-5123-4567", "+50651234567")
    assert before <= call.start_time <= after
    assert CallEvent.objects.get().source == "client"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"contact_id": None, "contact_phone": None},
        {"contact_id": "", "contact_phone": ""},
        {"call_id": None, "started_at": None, "sent_at": None, "provider": None},
    ],
)
def test_a_call_to_nobody_known_is_a_call(api, body):
    assert api.post("calls/start", body).status_code == 201
    (row,) = api.get("calls/log").json()
    assert (row["contact_id"], row["contact_phone"]) == ("", "")


def test_a_start_without_any_body_is_a_call(api):
    assert api.post("calls/start", b"").status_code == 201


def test_a_number_as_contact_id_is_kept_as_text(api):
    assert api.post("calls/start", {"contact_id": 90071992547409931}).status_code == 201
    assert CallLog.objects.get().contact_ref == "90071992547409931"


def test_a_known_contact_is_linked_and_gives_its_number(api, people):
    ana = Contact.objects.create(
        name="Ana", phone="+50688887777", external_id="crm-7", owner=people.alice
    )
    api.post("calls/start", {"contact_id": "crm-7"})
    call = CallLog.objects.get()
    assert (call.contact, call.contact_phone) == (ana, "+50688887777")


def test_a_contact_of_another_team_stays_an_unknown_reference(api, people):
    Contact.objects.create(name="Ana", phone="+50688887777", external_id="crm-7", team=people.blue)
    api.post("calls/start", {"contact_id": "crm-7"})
    call = CallLog.objects.get()
    assert (call.contact, call.contact_ref, call.contact_phone) == (None, "crm-7", "")


def test_the_same_call_id_again_is_the_same_call(api):
    body = {"call_id": str(uuid.uuid4()), "contact_id": "a"}
    first, again = api.post("calls/start", body), api.post("calls/start", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["call_id"] == body["call_id"]
    assert CallLog.objects.count() == CallEvent.objects.count() == 1


def test_another_persons_call_id_is_not_found(api, people):
    body = {"call_id": str(uuid.uuid4())}
    api.post("calls/start", body)
    error_of(Api(people.bob).post("calls/start", body), 404)
    assert CallLog.objects.count() == 1


def test_a_second_call_does_not_wait_for_the_first(api):
    assert api.post("calls/start").status_code == 201
    assert api.post("calls/start").status_code == 201
    assert len(api.get("calls/active").json()) == 2


def test_the_optional_fields_are_kept(api):
    api.post("calls/start", {"direction": "inbound", "provider": "pbx-1"})
    row = api.get("calls/log").json()[0]
    assert (row["direction"], row["provider"]) == ("inbound", "pbx-1")


def test_a_start_told_late_is_corrected_for_the_clock_that_told_it(api):
    before = now()
    began = before - dt.timedelta(minutes=10)
    behind = dt.timedelta(hours=3)  # the program's clock
    api.post(
        "calls/start",
        {"started_at": isoformat(began - behind), "sent_at": isoformat(before - behind)},
    )
    under_way = now() - before
    call = CallLog.objects.get()
    assert began <= call.start_time <= began + under_way
    assert call.evidence == "D"


def test_an_offset_is_understood(api):
    began = (now() - dt.timedelta(minutes=5)).replace(microsecond=0)
    local = began.astimezone(dt.timezone(dt.timedelta(hours=-6)))
    api.post("calls/start", {"started_at": local.isoformat()})
    assert CallLog.objects.get().start_time == began


def test_an_instant_without_an_offset_is_refused_with_advice(api):
    sentence = error_of(
        api.post("calls/start", {"started_at": "2026-01-31T10:00:00"}), 400, "started_at"
    )
    assert "Z" in sentence


@pytest.mark.parametrize("away", [dt.timedelta(minutes=5), dt.timedelta(hours=-73)])
def test_the_future_and_the_distant_past_are_refused(api, away):
    body = {"started_at": isoformat(now() + away)}
    error_of(api.post("calls/start", body), 400, "started_at")
    assert not CallLog.objects.exists()


def test_somebody_without_a_role_cannot_start(people):
    people.alice.groups.clear()
    error_of(Api(people.alice).post("calls/start"), 403)
    assert not CallLog.objects.exists()
