"""A contact's page and what is done there: calls, numbers, edited, merged, deleted, saved."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from calls import services, timeline
from calls.contacts import files, importer
from calls.models import CallLog, Contact, NumberKind
from calls.services import contacts
from common.instants import now
from metrics.views import contact as page_of_contact
from tests.api.test_queries import Statements
from tests.support.api import Api
from tests.support.people import make_call

pytestmark = pytest.mark.engines

PART = {"HX-Request": "true"}
MOBILE, WORK = NumberKind.MOBILE, NumberKind.WORK


def client_of(user: User, language: str = "en") -> Client:
    client = Client(headers={"Accept-Language": language})
    client.force_login(user)
    return client


def page(user: User, contact: Contact, query: str = "", status: int = 200, **headers: Any) -> Any:
    response = client_of(user).get(f"/contacts/{contact.pk}/{query}", headers=headers)
    assert response.status_code == status
    return response


def new(name: str, *numbers: str, **fields: Any) -> Contact:
    contact = Contact(name=name, **fields)
    contact.set_numbers([(number, MOBILE) for number in numbers])
    return contact


@pytest.fixture
def elena(people) -> Contact:
    return new("Elena Mora", "+50688887777", "+50622223333", team=people.red, company="Ñandú S. A.")


# --- The page -------------------------------------------------------------------------------------
def test_it_shows_numbers_company_notes_and_the_calls_one_may_see(people, elena):
    elena.notes = "Prefers mornings.\nSpeaks <b>French</b>."
    elena.save()
    mine = make_call(people.alice, 75, contact=elena, contact_phone="2222 3333")
    bobs = make_call(people.bob, 45, contact=elena, ago=7200, status=timeline.NO_ANSWER)
    make_call(people.alice)
    shown = page(people.alice, elena)
    assert shown.context["calls"] == [mine]
    assert shown.context["sums"].calls_made == 1
    text = shown.content.decode()
    for words in ("Elena Mora", "Ñandú S. A.", "+506 8888 7777", "+506 2222 3333", "Mobile"):
        assert words in text
    assert "Speaks &lt;b&gt;French" in text
    shown = page(people.sue, elena)
    assert shown.context["calls"] == [mine, bobs]
    assert (shown.context["sums"].calls_made, shown.context["sums"].calls_success) == (2, 1)
    assert "Bob" in shown.content.decode()


def test_who_may_not_see_the_contact_is_not_told_of_it(people, elena):
    page(people.carol, elena, status=404)
    page(people.sam, elena, status=404)
    private = new("Of Bob alone", "+50688880000", owner=people.bob)
    page(people.alice, private, status=404)
    assert client_of(people.alice).get("/contacts/99999999999999999999/").status_code == 404


def test_calls_come_in_pages(people, elena, monkeypatch):
    monkeypatch.setattr(page_of_contact, "CALLS_A_PAGE", 2)
    calls = [make_call(people.alice, contact=elena, ago=ago) for ago in (300, 200, 100)]
    first = page(people.alice, elena)
    assert first.context["calls"] == calls[:0:-1]
    assert first.context["sums"].calls_made == 3
    older = f"?cursor={first.context['older']}"
    part = page(people.alice, elena, older, **PART)
    assert part.context["calls"] == calls[:1]
    assert "<html" not in part.content.decode()
    assert page(people.alice, elena, "?cursor=nonsense", status=400).context["calls"] == []


def test_a_page_costs_the_same_however_many_calls_there_are(people, elena):
    counts = []
    for _ in range(2):
        for ago in range(100, 1000, 100):
            make_call(people.alice, contact=elena, ago=ago)
        client = client_of(people.sue)
        with Statements(connection) as seen:
            assert client.get(f"/contacts/{elena.pk}/").status_code == 200
        counts.append(len([sql for sql in seen.sql if not sql.startswith("SET LOCAL")]))
    assert counts == [STATEMENTS, STATEMENTS], "\n".join(seen.sql)


# Session, person, rights and teams (4); contact and numbers (2); calls (1); totals (3); the way to
# call (1); running calls (1); the bell (1).
STATEMENTS = 13


def test_each_number_can_be_called(people, elena):
    text = page(people.alice, elena).content.decode()
    assert 'name="phone" value="+50622223333"' in text
    sent = {"contact": elena.pk, "phone": "+50622223333"}
    client_of(people.alice).post("/calls/start/", sent)
    call = CallLog.objects.get()
    assert (call.contact, call.phone_e164) == (elena, "+50622223333")


# --- Links to it ----------------------------------------------------------------------------------
def test_the_way_there(people, elena):
    call = make_call(people.alice, contact=elena)
    link = f'href="/contacts/{elena.pk}/"'
    client = client_of(people.alice)
    for url in ("/", "/contacts/", "/calls/", f"/calls/{call.call_id}/"):
        assert link in client.get(url).content.decode(), url
    services.start_call(people.alice, contact=elena)
    assert link in client.get("/calls/current/", headers=PART).content.decode()
    elena.team, elena.owner = None, people.alice  # which a supervisor does not see
    elena.save()
    for url in ("/calls/", f"/calls/{call.call_id}/"):
        text = client_of(people.sue).get(url).content.decode()
        assert "Elena Mora" in text and link not in text


def test_what_rows_say_of_rights_is_what_the_database_says(people, elena):
    new("Everybody's", "+50688880001")
    new("Bob's", "+50688880002", owner=people.bob)
    new("Blue", "+50688880003", team=people.blue)
    new("Red and Carol's", "+50688880004", team=people.red, owner=people.carol)
    for person in (people.alice, people.bob, people.carol, people.sue, people.sam, people.ada):
        visible = set(Contact.objects.visible_to(person))
        editable = set(Contact.objects.editable_by(person))
        for contact in Contact.objects.all():
            assert contact.is_visible_to(person) == (contact in visible)
            assert contact.is_editable_by(person) == (contact in editable)


# --- Editing --------------------------------------------------------------------------------------
def edit(user: User, contact: Contact, **sent: Any) -> Any:
    body = {"name": contact.name, "company": contact.company, "external_id": "", "notes": ""}
    return client_of(user).post(f"/contacts/{contact.pk}/edit/", body | sent)


def rows(*numbers: tuple[str, str]) -> dict[str, str]:
    return {
        name: value
        for row, (number, kind) in enumerate(numbers)
        for name, value in ((f"number_{row}", number), (f"kind_{row}", kind))
    }


def test_a_contact_is_edited_with_its_numbers(people, elena):
    sent = rows(("+506 8888 7777", MOBILE), ("", ""), ("2200 1100", WORK)) | {"preferred": "2"}
    response = edit(people.sue, elena, name="Élena", notes="Una\r\ndos", **sent)
    assert response.status_code == 302
    elena.refresh_from_db()
    elena.forget_numbers()
    assert (elena.name, elena.notes, elena.phone) == ("Élena", "Una\ndos", "+50622001100")
    assert elena.numbered == [("+50622001100", WORK), ("+50688887777", MOBILE)]
    assert elena.team == people.red


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": " "} | rows(("22001100", WORK)), "name"),
        (rows(("abc", WORK)), "number_0"),
        (rows(("", WORK)), "number_0"),
        (rows(("22001100", "pigeon")), "kind_0"),
        ({"external_id": "crm-1"} | rows(("22001100", WORK)), "external_id"),
        ({"whose": "everybody"} | rows(("22001100", WORK)), "whose"),
        ({"notes": "x" * 10_001} | rows(("22001100", WORK)), "notes"),
        ({"name": "nul\x00"} | rows(("22001100", WORK)), "name"),
    ],
)
def test_nonsense_is_refused_at_its_field(people, elena, sent, field):
    new("Another", "+50688880009", external_id="crm-1")
    response = edit(people.sue, elena, **sent)
    assert response.status_code == 400
    assert list(response.context["form"].errors) == [field]
    elena.refresh_from_db()
    assert elena.name == "Elena Mora"


def test_a_row_more_keeps_what_was_typed(people, elena):
    before = client_of(people.sue).get(f"/contacts/{elena.pk}/edit/")
    assert len(before.context["form"].number_rows) == 3
    sent = rows(("+50688887777", WORK), ("not yet", WORK), ("12", "")) | {"more": "1"}
    response = edit(people.sue, elena, name="", **sent)
    assert response.status_code == 200
    form = response.context["form"]
    assert [line["number"].value() for line in form.number_rows] == [
        *("+50688887777", "not yet", "12", "")
    ]
    assert not form.errors and Contact.objects.get().name == "Elena Mora"


def test_a_number_that_is_no_number_of_ours_survives_its_form(people):
    """From before, or from a program: as it is shown, it comes back."""
    odd = Contact.objects.create(name="Extension", phone="701", owner=people.alice)
    assert edit(people.alice, odd, name="Desk", **rows(("701", WORK))).status_code == 302
    odd.refresh_from_db()
    assert (odd.name, odd.phone) == ("Desk", "701")


def test_who_may_change_it(people, elena):
    for url in ("edit", "merge", "delete"):
        assert client_of(people.alice).get(f"/contacts/{elena.pk}/{url}/").status_code == 403
        assert client_of(people.carol).get(f"/contacts/{elena.pk}/{url}/").status_code == 404
    assert "/edit/" not in page(people.alice, elena).content.decode()
    assert "/edit/" in page(people.sue, elena).content.decode()


def test_it_is_given_to_others(people, elena):
    assert edit(people.ada, elena, whose="everybody", **rows(("22001100", WORK))).status_code == 302
    elena.refresh_from_db()
    assert (elena.owner, elena.team) == (None, None)
    hers = new("Hers", "+50688880001", owner=people.alice)
    form = client_of(people.ada).get(f"/contacts/{hers.pk}/edit/").context["form"]
    assert form["whose"].value() == "as_it_is"
    edit(people.ada, hers, whose="as_it_is", **rows(("22001100", WORK)))
    hers.refresh_from_db()
    assert hers.owner == people.alice
    edit(people.ada, hers, whose=str(people.red.pk), **rows(("22001100", WORK)))
    hers.refresh_from_db()
    assert (hers.owner, hers.team) == (None, people.red)


def test_a_new_number_names_earlier_calls(people, elena):
    unknown = make_call(people.alice, contact_phone="2200 1100")
    elsewhere = make_call(people.carol, contact_phone="2200 1100")
    edit(people.sue, elena, **rows(("+50688887777", MOBILE), ("22001100", WORK)))
    unknown.refresh_from_db()
    elsewhere.refresh_from_db()
    assert unknown.contact == elena
    assert elsewhere.contact is None  # whose agent may not see her


# --- Merging --------------------------------------------------------------------------------------
def test_two_contacts_become_one(people, elena):
    other = new(
        "Elena M.", "22223333", "+50670001111", team=people.red, external_id="crm-7", notes="Hola"
    )
    hers = make_call(people.alice, contact=elena)
    others = make_call(people.bob, contact=other)
    client = client_of(people.sue)
    asked = client.get(f"/contacts/{elena.pk}/merge/?other={other.pk}")
    assert asked.context["other"] == other and Contact.objects.count() == 2
    response = client.post(f"/contacts/{elena.pk}/merge/", {"other": other.pk})
    assert response["Location"] == f"/contacts/{elena.pk}/"
    merged = Contact.objects.get()
    assert (merged.pk, merged.name, merged.company) == (elena.pk, "Elena Mora", "Ñandú S. A.")
    assert (merged.external_id, merged.notes) == ("crm-7", "Hola")
    assert [number for number, _ in merged.numbered] == [
        *("+50688887777", "+50622223333", "+50670001111")
    ]
    assert set(merged.calls.all()) == {hers, others}
    row = Api(people.ada).get("calls/log", agent="bob").json()[0]
    assert row["contact_id"] == "crm-7"  # as programs knew it


def test_whom_one_may_merge_with(people, elena):
    twin = new("ELENA  MORA", "+50670001111", team=people.red)
    same_number = new("Tienda", "8888-7777", owner=people.sue)
    new("Elena Mora", "+50670002222", team=people.blue)
    zoe = new("Zoé", "+50670003333", team=people.red)
    client = client_of(people.sue)
    url = f"/contacts/{elena.pk}/merge/"
    assert client.get(url).context["found"] == [twin, same_number]
    assert client.get(f"{url}?q=zoe").context["found"] == [zoe]
    for other in (elena.pk, 10**20, "x"):
        assert client.post(url, {"other": other}).status_code == 400
    gone = client.post(url, {"other": Contact.objects.get(team=people.blue).pk})
    assert gone.status_code == 400
    assert Contact.objects.count() == 5


# --- Deleting -------------------------------------------------------------------------------------
@pytest.mark.parametrize("door", ["page", "api", "admin", "queryset"])
def test_calls_keep_number_and_reference(people, elena, door):
    elena.external_id, elena.team, elena.owner = "crm-9", None, people.ada
    elena.save()
    call = make_call(people.ada, contact=elena, contact_phone="2222 3333")
    client = client_of(people.ada)
    if door == "page":
        asked = client.get(f"/contacts/{elena.pk}/delete/")
        assert "1 call with it stays" in asked.content.decode()
        assert client.post(f"/contacts/{elena.pk}/delete/")["Location"] == "/contacts/"
    elif door == "api":
        assert Api(people.ada).client.delete(
            f"/api/contacts/{elena.pk}", headers=Api(people.ada).headers
        ).status_code in (200, 204)
    elif door == "admin":
        sent = {"action": "delete_selected", "_selected_action": [elena.pk], "post": "yes"}
        client.post("/admin/calls/contact/", sent)
    else:
        Contact.objects.filter(pk=elena.pk).delete()
    assert not Contact.objects.exists()
    call.refresh_from_db()
    assert (call.contact, call.contact_ref, call.phone_e164) == (None, "crm-9", "+50622223333")
    assert Api(people.ada).get("calls/log").json()[0]["contact_id"] == "crm-9"


# --- A number is saved ----------------------------------------------------------------------------
def test_saving_a_number_during_a_call_names_the_earlier_calls_too(people):
    before = make_call(people.alice, contact_phone="7000-1234", ago=90_000)
    bobs = make_call(people.bob, contact_phone="+506 7000 1234")
    call, _ = services.start_call(people.alice, contact_phone="70001234")
    client = client_of(people.alice)
    text = client.get("/").content.decode()
    assert f'action="/calls/{call.call_id}/save/"' in text
    sent = {"name": "Ñoño Pérez", "company": "Acme", "kind": "work"}
    answer = client.post(f"/calls/{call.call_id}/save/", sent, headers=PART)
    assert answer.status_code == 200 and answer["X-Part"] == "current_calls"
    assert "Ñoño Pérez" in answer.content.decode()
    contact = Contact.objects.get()
    assert (contact.owner, contact.company, contact.numbered) == (
        *(people.alice, "Acme"),
        [("+50670001234", "work")],
    )
    assert set(contact.calls.all()) == {before, call}
    assert bobs not in contact.calls.all()
    assert client.get("/calls/?search=ñoño").context["calls"] == [call, before]
    again = client.post(f"/calls/{call.call_id}/save/", sent, headers=PART)
    assert again.status_code == 200 and Contact.objects.count() == 1


def test_saving_a_number_after_a_call(people):
    call = make_call(people.alice, contact_phone="7000-1234")
    client = client_of(people.alice)
    url = f"/calls/{call.call_id}/"
    for place in ("/", url):
        assert "Save this number" in client.get(place).content.decode()
    answer = client.post(f"{url}contact/", {"name": "Beto", "kind": ""})
    assert answer["Location"] == url
    text = client.get(url).content.decode()
    assert "Beto is a contact now" in text and "Save this number" not in text


def test_a_supervisor_saves_it_for_the_team(people):
    call = make_call(people.alice, contact_phone="7000-1234")
    answer = client_of(people.sue).post(f"/calls/{call.call_id}/contact/", {"name": "Beto"})
    assert answer.status_code == 302
    contact = Contact.objects.get()
    assert (contact.team, contact.owner) == (people.red, None)
    assert list(contact.calls.all()) == [call]
    assert client_of(people.sam).post(f"/calls/{call.call_id}/contact/").status_code == 404
    assert client_of(people.bob).post(f"/calls/{call.call_id}/contact/").status_code == 404


def test_a_number_that_somebody_has_meanwhile_is_theirs(people):
    call = make_call(people.alice, contact_phone="7000-1234")
    theirs = new("Beto", "70001234", team=people.red)
    answer = client_of(people.alice).post(
        f"/calls/{call.call_id}/save/", {"name": "Roberto"}, headers=PART
    )
    assert "This number is Beto" in answer.content.decode()
    assert list(theirs.calls.all()) == [call]
    assert Contact.objects.get() == theirs


@pytest.mark.parametrize("sent", [{}, {"name": " "}, {"name": "x" * 121}, {"name": "n\x00"}])
def test_a_number_is_saved_under_a_name(people, sent):
    call, _ = services.start_call(people.alice, contact_phone="70001234")
    answer = client_of(people.alice).post(f"/calls/{call.call_id}/save/", sent, headers=PART)
    assert answer.status_code == 400
    assert not Contact.objects.exists()


def test_a_call_without_a_number_has_none_to_save(people):
    call, _ = services.start_call(people.alice)
    assert "Save this number" not in client_of(people.alice).get("/").content.decode()
    answer = client_of(people.alice).post(
        f"/calls/{call.call_id}/save/", {"name": "Beto"}, headers=PART
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("door", ["api", "api change", "admin"])
def test_whoever_saves_a_contact_names_the_earlier_calls(people, elena, door):
    call = make_call(people.ada, contact_phone="7000-1234")
    program = Api(people.ada)
    if door == "api":
        answer = program.post("contacts/", {"name": "Beto", "phone": "70001234"})
    elif door == "api change":
        answer = program.client.patch(
            f"/api/contacts/{elena.pk}",
            {"phone": "70001234"},
            "application/json",
            headers=program.headers,
        )
    else:
        inline = {f"numbers-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL")}
        sent = {"name": "Beto", "phone": "7000 1234", **inline}
        answer = client_of(people.ada).post("/admin/calls/contact/add/", sent)
    assert answer.status_code in (200, 201, 302)
    call.refresh_from_db()
    assert call.contact is not None and call.contact.phone == "+50670001234"


def test_contacts_from_a_file_name_the_earlier_calls(people, elena):
    call = make_call(people.alice, contact_phone="7000-1234")
    bobs = make_call(people.bob, contact_phone="7000-1235")
    sheet = files.read("nombre,teléfono\nBeto,7000 1234\nCarla,70001235\nDora,70001236".encode())
    draft = importer.draft(people.alice, "a.csv", sheet, None, False)
    sent = {"name": "0", "phone": "1", "duplicates": "skip", "take": "1"}
    answer = client_of(people.alice).post(f"/contacts/import/{draft.pk}/", sent)
    assert answer.status_code == 302
    call.refresh_from_db()
    bobs.refresh_from_db()
    assert call.contact is not None and call.contact.name == "Beto"
    assert bobs.contact is None  # Carla is Alice's own


def test_a_call_of_a_contact_stays_with_it(people, elena):
    """Only calls with nobody known are given to whom their number belongs."""
    other = new("Another", "+50670001234", team=people.red)
    call = make_call(people.alice, contact=other, contact_phone="8888 7777")
    contacts.link_calls(elena)
    call.refresh_from_db()
    assert call.contact == other
    assert call.start_time < now() - dt.timedelta(minutes=1)
