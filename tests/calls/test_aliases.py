"""A call is known by every id it ever had: an old one means it, at any door."""

import uuid

import pytest

from calls import services, timeline
from calls.models import CallAlias, CallLog
from calls.providers.base import ProviderEvent
from calls.services import ReportedTime
from calls.telephony import intake
from common.instants import from_ms, now
from tests.support.doors import API, PAGES, answers, client_of, rows
from tests.support.people import make_pbx, yesterday_noon

pytestmark = pytest.mark.engines

NUMBER = "+50651234567"
HTMX = {"headers": {"HX-Request": "true", "Accept-Language": "en"}}
CALLS = ("{ended}", "{running}", "{estimated}")
OF_A_CALL = "\n".join(
    line
    for line in (PAGES + API).split("\n")
    if any(call in line for call in CALLS) or "/api/calls/end " in line
)


@pytest.fixture
def joined(people) -> tuple[uuid.UUID, CallLog]:
    """The id under which a phone system's running call was shown, and the call that it became when
    its agent's click for it arrived."""
    begun = yesterday_noon()
    facts = {"call": "c1", "agents": ("1001",), "number": NUMBER, "direction": "outbound"}
    started = ProviderEvent("started", at=begun, **facts)
    (heard,) = intake.record(make_pbx(people, "generic"), [started], received=now())
    click = ReportedTime(from_ms(begun + 2_000), explicit=True)
    call, _ = services.start_call(
        people.alice, contact_phone=NUMBER, call_id=uuid.uuid4(), reported=click
    )
    assert (call.pk, call.call_id == heard.call_id) == (heard.pk, False)
    return heard.call_id, call


@pytest.mark.parametrize("viewer", ["alice", "bob", "ada"])
def test_every_door_of_a_call_knows_its_old_ids(people, things, viewer):
    """The table of doors, read with ids that the calls had before."""
    old = {name: uuid.uuid4() for name in ("ended", "running", "estimated")}
    for name, alias in old.items():
        CallAlias.objects.create(alias=alias, call=CallLog.objects.get(call_id=things[name]))
    answered = answers(OF_A_CALL, things | old, client_of(getattr(people, viewer)))
    told = {door: answer.status_code for door, answer in answered.items()}
    wanted = {f"{how} {address}": told[viewer] for how, address, told in rows(OF_A_CALL)}
    assert told == wanted
    assert len(told) > 20


def test_a_click_on_the_old_id_is_a_click_on_the_call(client, people, joined):
    old, call = joined
    client.force_login(people.alice)
    held = client.post(f"/calls/{old}/hold/", **HTMX)
    ended = client.post(f"/calls/{old}/end/", {"status": "COMPLETED"}, **HTMX)
    assert (held.status_code, ended.status_code) == (200, 200)
    call.refresh_from_db()
    assert (call.status, call.events.filter(kind=timeline.HELD).count()) == ("COMPLETED", 1)


def test_a_click_on_the_old_id_that_contradicts_the_call_is_refused_in_words(
    client, people, joined
):
    old, call = joined
    services.end_call(call.call_id, people.alice, status=timeline.NO_ANSWER)
    client.force_login(people.alice)
    for address, data in (
        (f"/calls/{old}/end/", {"status": "COMPLETED"}),
        (f"/calls/{old}/hold/", {}),
    ):
        answer = client.post(address, data, **HTMX)
        assert answer.status_code == 409
        assert "had already ended elsewhere as “No answer”" in answer.content.decode()


def test_a_call_that_was_kept_beside_another_stays_so_under_its_new_id(client, people):
    """The question "what about this one?" is not asked again because an id changed."""
    first, _ = services.start_call(people.alice)
    services.start_call(people.alice)
    client.force_login(people.alice)
    client.post(f"/calls/{first.call_id}/keep/", **HTMX)
    CallAlias.objects.create(alias=first.call_id, call=first)
    CallLog.objects.filter(pk=first.pk).update(call_id=uuid.uuid4())
    assert "What about this one?" not in client.get("/calls/current/", **HTMX).content.decode()


def test_the_administration_finds_a_call_by_an_old_id(client, people, joined):
    old, call = joined
    client.force_login(people.ada)
    page = client.get("/admin/calls/calllog/", {"q": str(old)}).content.decode()
    assert f"/admin/calls/calllog/{call.pk}/change/" in page
