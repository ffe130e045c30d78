"""The door: name and password, sent on, sent back, and how often one may try."""

import re
from types import SimpleNamespace

import pytest
from django.test import Client

from accounts.models import User
from tests.support.limits import standing_clock
from tests.support.people import PASSWORD, make_user

pytestmark = pytest.mark.engines

ELSEWHERE = ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]


@pytest.fixture(autouse=True)
def english(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"


@pytest.fixture(autouse=True)
def clock(monkeypatch) -> SimpleNamespace:
    """No test runs across the end of the limiter's minute."""
    return standing_clock(monkeypatch)


def sign_in(client: Client, username: str, password: str = PASSWORD, **more):
    address = {"REMOTE_ADDR": more.pop("address", "192.0.2.1")}
    return client.post("/login/", {"username": username, "password": password, **more}, **address)


def is_signed_in(client: Client) -> bool:
    return client.get("/me/").status_code == 200


# --- In ------------------------------------------------------------------------------------------


def test_name_and_password_lead_to_the_desk(client, people):
    response = sign_in(client, "alice")
    assert (response.status_code, response.url) == (302, "/")
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("username", "start"), [("alice", "/"), ("sue", "/team/"), ("ada", "/organization/")]
)
def test_who_leads_starts_there_and_finds_the_own_desk(client, people, username, start):
    address = client.get("/").url
    assert address == "/login/?next="  # just the site: on the way to no page of it
    assert client.post(address, {"username": username, "password": PASSWORD}).url == start
    assert client.get("/login/").url == start
    page = client.get("/").content.decode()
    assert f'<a class="brand" href="{start}">' in page
    links = client.get(start).content.decode().split("<nav", 1)[1]
    assert '<a href="/"' in links and "My desk" in links
    assert f'href="{start}">' in client.get("/calls/nowhere/").content.decode().split("<main")[1]


def test_a_leader_comes_back_to_the_desk_where_that_was_meant(client, people):
    assert client.get("/?q=mora").url == "/login/?next=/%3Fq%3Dmora"
    assert sign_in(client, "sue", next="/").url == "/"


def test_a_person_comes_back_to_where_they_were_going(client, people):
    first = client.get("/calls/?status=DROPPED")
    assert first.url == "/login/?next=/calls/%3Fstatus%3DDROPPED"
    page = client.get(first.url).content.decode()
    assert 'name="next" value="/calls/?status=DROPPED"' in page
    assert sign_in(client, "alice", next="/calls/?status=DROPPED").url == "/calls/?status=DROPPED"


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_sent_to_another_site(client, people, target):
    assert sign_in(client, "alice", next=target).url == "/"
    assert client.get("/login/", {"next": target}).url == "/"


def test_a_signed_in_person_is_sent_on(client, people):
    client.force_login(people.alice)
    assert client.get("/login/", {"next": "/calls/"}).url == "/calls/"


@pytest.mark.parametrize(
    ("username", "password"),
    [("alice", "wrong"), ("nobody", PASSWORD), ("", ""), ("al\x00ice", PASSWORD), ("a" * 999, "x")],
)
def test_anything_else_stays_outside(client, people, username, password):
    response = sign_in(client, username, password)
    assert response.status_code == 200
    assert re.search(r'class="errorlist|role="alert"', response.content.decode())
    assert not is_signed_in(client)


def test_a_deactivated_person_stays_outside(client, people):
    User.objects.filter(pk=people.alice.pk).update(is_active=False)
    assert sign_in(client, "alice").status_code == 200
    assert not is_signed_in(client)


def test_a_form_of_another_site_signs_nobody_in(people):
    stranger = Client(enforce_csrf_checks=True)
    assert sign_in(stranger, "alice").status_code == 403
    assert not is_signed_in(stranger)


def test_the_administration_has_no_door_of_its_own(client, people):
    response = client.get("/admin/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/login/?next=/admin/")
    client.post("/admin/login/", {"username": "ada", "password": PASSWORD})
    assert not is_signed_in(client)


# --- Out -----------------------------------------------------------------------------------------


def test_signing_out_takes_a_click_not_a_link(client, people):
    client.force_login(people.alice)
    assert client.get("/logout/").status_code == 405
    assert is_signed_in(client)
    assert client.post("/logout/").url == "/login/"
    assert not is_signed_in(client)


def test_a_part_asked_for_too_late_sends_the_whole_page_to_sign_in(client, db):
    response = client.get(
        "/cards/",
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/team/?team=3"},
    )
    assert response.status_code == 200
    assert response.content == b""
    assert response.headers["HX-Redirect"] == "/login/?next=/team/%3Fteam%3D3"


@pytest.mark.parametrize("current", ["https://evil.example/x", ""])
def test_a_page_that_is_not_ours_is_not_come_back_to(client, db, current):
    response = client.get("/cards/", headers={"HX-Request": "true", "HX-Current-URL": current})
    assert response.headers["HX-Redirect"] == "/login/?next=/"


def test_a_form_sent_too_late_leads_to_a_page_not_to_itself(client, db):
    assert client.post("/calls/start/").url == "/login/?next=/"


# --- How often -----------------------------------------------------------------------------------


def test_ten_failures_close_a_name_for_a_minute_from_everywhere(client, people, clock):
    for n in range(10):
        assert sign_in(client, "alice", "wrong", address=f"192.0.2.{n}").status_code == 200
    refused = sign_in(client, " ALICE ", address="198.51.100.7")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 61
    assert "Too many attempts" in refused.content.decode()
    assert not is_signed_in(client)
    clock.now += int(refused.headers["Retry-After"])
    assert sign_in(client, "alice").status_code == 302


def test_ten_failures_close_an_address_for_every_name(client, people):
    for n in range(10):
        sign_in(client, f"guess{n}", "wrong")
    assert sign_in(client, "bob").status_code == 429
    assert sign_in(client, "bob", address="198.51.100.7").status_code == 302


def test_a_whole_office_may_sign_in_from_one_address(client, people):
    for n in range(12):
        make_user(f"agent{n}", "Agent")
        assert sign_in(Client(), f"agent{n}").status_code == 302


# --- Demo ----------------------------------------------------------------------------------------


@pytest.fixture
def demo_person(people) -> User:
    person = make_user("agent1", "Agent")
    person.set_password("demo")
    person.save()
    return person


def test_the_demo_password_opens_nothing_outside_demo_mode(client, demo_person, settings):
    settings.DEMO = False
    page = sign_in(client, "agent1", "demo").content.decode()
    assert "Demo passwords are only accepted in demo mode." in page
    assert not is_signed_in(client)
    assert not client.login(username="agent1", password="demo")


def test_the_demo_shows_who_one_may_be(client, demo_person, settings):
    settings.DEMO = False
    assert "agent1" not in client.get("/login/").content.decode()
    settings.DEMO = True
    page = client.get("/login/").content.decode()
    assert 'value="agent1"' in page
    assert 'value="admin"' not in page  # nobody of that name here
    assert sign_in(client, "agent1", "demo").status_code == 302


# --- Language ------------------------------------------------------------------------------------


def test_the_language_can_be_chosen_before_signing_in(client, db):
    assert '<html lang="en">' in client.get("/login/").content.decode()
    chosen = client.post("/language/", {"language": "es", "next": "/login/?next=/calls/"})
    assert (chosen.status_code, chosen.url) == (302, "/login/?next=/calls/")
    assert '<html lang="es">' in client.get("/login/").content.decode()


@pytest.mark.parametrize("target", ELSEWHERE)
def test_the_language_switch_leads_nowhere_else(client, db, target):
    assert client.post("/language/", {"language": "es", "next": target}).url == "/"


def test_a_language_that_we_do_not_speak_changes_nothing(client, db):
    client.post("/language/", {"language": "xx", "next": "/login/"})
    assert '<html lang="en">' in client.get("/login/").content.decode()
