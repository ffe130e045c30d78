"""One's own account: language, password, and the keys of one's programs."""

import re

import pytest
import time_machine
from django.test import Client

from accounts.models import ApiKey, User
from common.instants import now
from tests.support.people import PASSWORD, People

pytestmark = pytest.mark.once

NEW_PASSWORD = "a staple for the battery"


@pytest.fixture
def alice(client, people: People) -> User:
    client.force_login(people.alice)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return people.alice


def make_key(client: Client, name: str = "softphone"):
    """The answer to the form, and the key in it."""
    response = client.post("/me/keys/", {"name": name})
    return response, re.search(r"cm_[\w-]{40,}", response.content.decode())


def api_status(key: str) -> int:
    return Client().get("/api/calls/active", headers={"X-API-Key": key}).status_code


# --- Who one is ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "words"),
    [("alice", ["Alice", "Agent", "Red"]), ("sue", ["Supervisor", "Red"]), ("ada", ["Admin"])],
)
def test_the_account_says_who_one_is(client, people, who, words):
    client.force_login(getattr(people, who))
    page = client.get("/me/", headers={"Accept-Language": "en"}).content.decode()
    facts = re.search(r"<dl.*?</dl>", page, re.DOTALL)
    assert all(word in facts[0] or f">{word}</h2>" in page for word in words)


@pytest.mark.parametrize("path", ["/me/", "/me/password/"])
def test_nobody_has_an_account_without_signing_in(client, db, path):
    assert client.get(path).url == f"/login/?next={path}"


@pytest.mark.parametrize("path", ["/me/language/", "/me/keys/", "/me/keys/1/revoke/"])
def test_changes_take_a_form_and_a_person(client, people, path):
    assert client.post(path).url.startswith("/login/")
    client.force_login(people.alice)
    assert client.get(path).status_code == 405
    guarded = Client(enforce_csrf_checks=True)
    guarded.force_login(people.alice)
    assert guarded.post(path, {"name": "x", "language": "es"}).status_code == 403


# --- Language ------------------------------------------------------------------------------------


def test_the_chosen_language_stays_on_every_device(client, alice):
    assert client.post("/me/language/", {"language": "es"}).url == "/me/"
    other_device = Client(headers={"Accept-Language": "en"})
    other_device.force_login(alice)
    assert '<html lang="es">' in other_device.get("/me/").content.decode()


def test_without_a_choice_the_browser_decides_again(client, alice):
    client.post("/language/", {"language": "es"})
    client.post("/me/language/", {"language": "es"})
    client.post("/me/language/", {"language": ""})
    assert '<html lang="en">' in client.get("/me/").content.decode()


def test_a_language_that_we_do_not_speak_is_refused(client, alice):
    assert client.post("/me/language/", {"language": "xx"}).status_code == 400
    alice.refresh_from_db()
    assert alice.language == ""


# --- Password ------------------------------------------------------------------------------------


def change_password(client: Client, old: str = PASSWORD, new: str = NEW_PASSWORD):
    fields = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post("/me/password/", fields)


def test_a_new_password_ends_every_other_session(client, alice):
    elsewhere = Client()
    elsewhere.force_login(alice)
    assert change_password(client).url == "/me/"
    assert "Your password was changed." in client.get("/me/").content.decode()
    assert elsewhere.get("/me/").status_code == 302
    assert not Client().login(username="alice", password=PASSWORD)
    assert Client().login(username="alice", password=NEW_PASSWORD)


@pytest.mark.parametrize(
    ("old", "new"), [("wrong", NEW_PASSWORD), (PASSWORD, "demo"), (PASSWORD, "password1")]
)
def test_a_bad_password_changes_nothing(client, alice, old, new):
    response = change_password(client, old, new)
    assert response.status_code == 200
    assert "errorlist" in response.content.decode()
    assert Client().login(username="alice", password=PASSWORD)


def test_the_old_password_is_not_guessed(client, alice):
    """Also in the last second of the minute whose tries are counted."""
    with time_machine.travel(now(), tick=False) as clock:
        for _ in range(10):
            assert change_password(client, old="wrong").status_code == 200
        refused = change_password(client)
        assert refused.status_code == 429
        left = int(refused.headers["Retry-After"])
        assert 0 < left <= 60
        clock.shift(left - 1)
        refused = change_password(client)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert Client().login(username="alice", password=PASSWORD)


# --- Keys ----------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_works(client, alice):
    response, key = make_key(client)
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    assert api_status(key[0]) == 200
    page = client.get("/me/").content.decode()
    assert key[0] not in page
    assert key[0][:9] in page
    row = ApiKey.objects.get()
    assert (row.owner, row.name) == (alice, "softphone")
    assert key[0] not in str(ApiKey.objects.values_list().get())


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "nul\x00"])
def test_a_key_needs_a_name(client, alice, name):
    response, key = make_key(client, name)
    assert response.status_code == 400
    assert key is None
    assert "field-error" in response.content.decode()
    assert not ApiKey.objects.exists()


def test_a_name_is_only_text(client, alice):
    page = make_key(client, "<b>softphone</b>")[0].content.decode()
    assert "&lt;b&gt;softphone" in page
    assert "<b>softphone" not in page


def test_a_revoked_key_stops_at_once(client, alice):
    key = make_key(client)[1][0]
    assert client.post(f"/me/keys/{ApiKey.objects.get().pk}/revoke/").url == "/me/"
    assert api_status(key) == 401
    assert key[:9] not in client.get("/me/").content.decode()


def test_nobody_sees_or_revokes_the_key_of_another(client, people, alice):
    row, key = ApiKey.issue(people.bob, "bob's")
    assert row.prefix not in client.get("/me/").content.decode()
    assert client.post(f"/me/keys/{row.pk}/revoke/").status_code == 404
    client.force_login(people.ada)
    assert client.post(f"/me/keys/{row.pk}/revoke/").status_code == 404
    assert api_status(key) == 200


def test_many_keys_cost_no_more_queries(client, alice, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    ApiKey.issue(alice, "one")
    with CaptureQueriesContext(connection) as few:
        assert client.get("/me/").status_code == 200
    for n in range(20):
        ApiKey.issue(alice, f"key {n}")
    with django_assert_num_queries(len(few)):
        assert "key 19" in client.get("/me/").content.decode()
