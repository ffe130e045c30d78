"""Who gets through which door: every address of the site, for every kind of person.

The tables are in tests/support/doors.py.
"""

import csv
import io
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from accounts import roles
from accounts.models import User
from accounts.services import sync_roles
from calls import services
from tests.support.doors import ADMIN, API, PAGES, VIEWERS, answers, client_of, rows
from tests.support.people import People, key_of, make_call

pytestmark = pytest.mark.once

# Whoever is not signed in is sent on from here to somewhere else than the sign-in page.
OPEN = ("/language/", "/logout/")


def due(table: str, viewer: str) -> dict[str, int]:
    return {f"{method} {address}": statuses[viewer] for method, address, statuses in rows(table)}


def statuses(answers: dict[str, Any]) -> dict[str, int]:
    return {door: answer.status_code for door, answer in answers.items()}


@pytest.mark.parametrize("viewer", VIEWERS)
@pytest.mark.parametrize("table", [PAGES, ADMIN], ids=["pages", "administration"])
def test_pages(people, things, table, viewer):
    client = Client() if viewer == "nobody" else client_of(getattr(people, viewer))
    found = answers(table, things, client)
    assert statuses(found) == due(table, viewer)
    if viewer == "nobody":
        sent_on = {
            door: answer["Location"]
            for door, answer in found.items()
            if answer.status_code == 302 and door.split()[1] not in OPEN
        }
        sign_in = ("/login/?next=", "/admin/login/?next=")
        assert {door for door, to in sent_on.items() if not to.startswith(sign_in)} == set()


@pytest.mark.parametrize("viewer", VIEWERS)
def test_api(people, things, viewer):
    known = viewer != "nobody"
    client = Client(headers={"X-API-Key": key_of(getattr(people, viewer))} if known else {})
    assert statuses(answers(API, things, client)) == due(API, viewer)


def addresses(patterns: Any) -> set[str]:
    """The names of every address below `patterns`."""
    found: set[str] = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                found |= addresses(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            found.add(pattern.name)
    return found


def test_no_door_is_missing_from_the_tables(people, things):
    known = {
        resolve(address.format(**things).split("?")[0]).url_name
        for _, address, _ in [*rows(PAGES), *rows(API)]
    }
    assert addresses(get_resolver().url_patterns) - known == set()


def test_no_part_of_the_administration_is_missing_either():
    parts = {f"/admin/{m._meta.app_label}/{m._meta.model_name}/" for m in admin.site._registry}
    assert parts <= {address for _, address, _ in rows(ADMIN)}


# --- What one sees behind the doors -------------------------------------------------------------

SEEN = {
    "alice": {"alice"},
    "bob": {"bob"},
    "carol": {"carol"},
    "sue": {"alice", "bob"},
    "sam": {"carol"},
    "ada": {"alice", "bob", "carol"},
}


@pytest.fixture
def marked(people: People) -> People:
    """An ended and a running call of each agent, to a reference that names the agent."""
    for name in ("alice", "bob", "carol"):
        make_call(getattr(people, name), 60, contact_ref=f"ended-{name}")
        services.start_call(getattr(people, name), contact_ref=f"running-{name}")
    return people


def names_in(text: str, mark: str) -> set[str]:
    return {name for name in ("alice", "bob", "carol") if f"{mark}-{name}" in text}


@pytest.mark.parametrize("viewer", SEEN)
def test_the_history_and_its_file_hold_only_what_one_may_see(marked, viewer):
    client = client_of(getattr(marked, viewer))
    page = client.get("/calls/").content.decode()
    assert names_in(page, "ended") == names_in(page, "running") == SEEN[viewer]
    text = b"".join(client.get("/calls/export.csv").streaming_content).decode()
    assert {line["contact"] for line in csv.DictReader(io.StringIO(text))} == {
        f"{mark}-{name}" for name in SEEN[viewer] for mark in ("ended", "running")
    }


@pytest.mark.parametrize("viewer", SEEN)
def test_the_api_tells_only_of_what_one_may_see(marked, viewer):
    client = Client(headers={"X-API-Key": key_of(getattr(marked, viewer))})
    assert {row["contact_id"] for row in client.get("/api/calls/active").json()} == {
        f"running-{name}" for name in SEEN[viewer]
    }
    for other in ("alice", "bob", "carol"):
        found = client.get(f"/api/calls/log?user_id={other}&status=COMPLETED").json()
        expected = [f"ended-{other}"] if other in SEEN[viewer] else []
        assert [row["contact_id"] for row in found] == expected


@pytest.mark.parametrize("viewer", ["sue", "sam", "ada"])
def test_the_wall_and_the_teams_figures_hold_only_ones_own_teams(marked, viewer):
    page = client_of(getattr(marked, viewer)).get("/team/").content.decode()
    assert names_in(page, "running") == SEEN[viewer]
    client = Client(headers={"X-API-Key": key_of(getattr(marked, viewer))})
    teams = client.get("/api/metrics/team").json()["teams"]
    members = {member["username"] for team in teams for member in team["members"]}
    assert members == SEEN[viewer]


def test_the_administration_lists_the_calls_of_everybody(marked):
    page = client_of(marked.ada).get("/admin/calls/calllog/").content.decode()
    assert names_in(page, "ended") == names_in(page, "running") == SEEN["ada"]


# --- The table itself ---------------------------------------------------------------------------


def test_whoever_has_no_role_gets_into_the_own_account_and_no_further(people, things):
    people.bob.groups.clear()
    client = client_of(people.bob)
    statuses = {url: client.get(url).status_code for url in ("/", "/team/", "/admin/", "/me/")}
    assert statuses == {"/": 403, "/team/": 403, "/admin/": 403, "/me/": 200}
    key = Client(headers={"X-API-Key": key_of(people.bob)})
    assert key.post("/api/calls/start", {}, "application/json").status_code == 403


def test_whoever_has_left_gets_in_nowhere(people, things):
    client, key = client_of(people.ada), key_of(people.ada)
    people.ada.is_active = False
    people.ada.save()
    assert {client.get(url).status_code for url in ("/", "/admin/", "/calls/export.csv")} == {302}
    assert Client(headers={"X-API-Key": key}).get("/api/calls/log").status_code == 401


def test_only_administrators_hold_rights_over_people():
    over_people = {
        role: {right for right in rights if right.startswith("accounts.")}
        for role, rights in roles.ROLES.items()
    }
    assert over_people[roles.AGENT] == over_people[roles.SUPERVISOR] == set()
    assert roles.USE_ADMIN in over_people[roles.ADMIN]


def test_a_change_of_the_table_reaches_the_groups(people):
    """The groups hold exactly what the table says, however they were changed by hand."""
    group = Group.objects.get(name=roles.AGENT)
    group.permissions.set(Permission.objects.filter(codename__in=["delete_user", "track_calls"]))
    sync_roles()
    assert User.objects.get(pk=people.alice.pk).get_group_permissions() == set(
        roles.ROLES[roles.AGENT]
    )
