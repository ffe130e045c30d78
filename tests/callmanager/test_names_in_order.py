"""Every list that is sorted by name: accents and capitals aside, ñ after n, on both engines."""

import random
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from accounts import roles
from accounts.models import Team, User
from calls.models import Contact
from common.text import name_key
from metrics.models import SavedView
from tests.support.people import HASHED, make_call, make_user

pytestmark = pytest.mark.engines

PEOPLE = ["Alba Alvarado", "Álvaro Mora", "Andrés Nunez", "Ñandú Soto", "Óscar Vega", "Zoe Araya"]
CONTACTS = ["Ana", "Ángela", "Beto", "Ñoño", "Olga", "Úrsula", "Zaida"]
TEAMS = ["Árbol", "Norte", "Ñandú", "Oeste", "Zona"]
PEOPLE_OF_TEAMS = dict(zip(PEOPLE, [*TEAMS, "Árbol"], strict=True))


def mixed(names: list[str]) -> list[str]:
    """Another order than the right one, and than that of code points."""
    return random.Random(3).sample(names, len(names))


@pytest.fixture
def ada(db) -> User:
    """Sees everybody, and is called so that no list shows her in between."""
    return make_user("ada", roles.ADMIN, last_name="Zzz")


@pytest.fixture
def named(ada) -> dict[str, User]:
    teams = {name: Team.objects.create(name=name) for name in mixed(TEAMS)}
    people = {}
    for number, name in enumerate(mixed(PEOPLE)):
        first, last = name.split()
        people[name] = User.objects.create(
            username=f"p{number}",
            first_name=first,
            last_name=last,
            password=HASHED,
            team=teams[PEOPLE_OF_TEAMS[name]],
        )
        make_call(people[name])
    Contact.objects.bulk_create(
        Contact(name=name, phone=f"+5068888000{number}")
        for number, name in enumerate(mixed(CONTACTS))
    )
    return people


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def in_order(text: str, names: list[str]) -> bool:
    """Whether `text` has all `names`, first in this order."""
    places = [text.index(name) for name in names]
    return places == sorted(places)


def body_of(response: Any) -> str:
    assert response.status_code == 200
    content = b"".join(response.streaming_content) if response.streaming else response.content
    text: str = content.decode()
    return text


def from_(text: str, mark: str) -> str:
    return text[text.index(mark) :]


@pytest.mark.parametrize("names", [PEOPLE, CONTACTS, TEAMS])
def test_the_key(names):
    assert sorted(mixed(names), key=name_key) == names


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Nzambe", "Ñato"),
        ("Ñato", "Oca"),
        ("ñu", "ÑUS"),
        ("Ana Ruiz", "Ana Ruíz B"),
        ("Łukasz", "Luna"),
        ("Øystein", "Páez"),
        ("Ærø", "Agnes"),
        ("4 Caminos", "Ana"),
        ("Zoë", "Ωmega"),
    ],
)
def test_what_comes_before(before, after):
    assert name_key(before) < name_key(after)


def test_accents_capitals_and_blanks_make_no_other_name():
    same = ["José  Núñez", "JOSE NÚÑEZ", " jose nuñez ", "Jose\u0301 Nun\u0303ez"]
    assert len({name_key(name) for name in same}) == 1
    assert name_key("Nuñez") != name_key("Nunez")


@pytest.mark.parametrize(
    ("url", "mark", "names"),
    [
        ("/calls/", 'id="id_agent"', PEOPLE),
        ("/calls/", 'id="id_team"', TEAMS),
        ("/team/", "<table", PEOPLE),
        ("/team/?sort=name", "<table", PEOPLE),
        ("/organization/", "<table", TEAMS),
        ("/wall/", "<main", PEOPLE),
        ("/reports/", 'id="teams_title"', TEAMS),
        ("/reports/export.csv?table=teams", "", TEAMS),
        ("/api/reports/teams", "", TEAMS),
        ("/api/metrics/organization", '"teams"', TEAMS),
        ("/contacts/", "", CONTACTS),
        ("/contacts/import/", "", TEAMS),
        ("/contacts/export.csv", "", CONTACTS),
        ("/contacts/export.vcf", "", CONTACTS),
        ("/admin/accounts/user/", "result_list", PEOPLE),
        ("/admin/accounts/team/", "result_list", TEAMS),
        ("/admin/calls/contact/", "result_list", CONTACTS),
        ("/admin/metrics/usermetrics/", "result_list", PEOPLE),
        ("/admin/calls/diallink/add/", "id_teams", TEAMS),
    ],
)
def test_a_list(named, ada, url, mark, names):
    text = body_of(client_of(ada).get(url))
    assert in_order(from_(text, mark), names)


def test_people_of_a_report_stand_team_by_team(named, ada):
    lines = client_of(ada).get("/api/reports/agents").json()["agents"]
    expected = sorted(PEOPLE, key=lambda name: (TEAMS.index(PEOPLE_OF_TEAMS[name]), name_key(name)))
    assert [line["name"] for line in lines if line["team"]] == expected


def test_selects_of_the_administration(named, ada):
    client = client_of(ada)
    found = client.get(
        "/admin/autocomplete/",
        {"app_label": "accounts", "model_name": "apikey", "field_name": "owner", "term": "p"},
    )
    assert [row["text"] for row in found.json()["results"]] == PEOPLE
    teams = {"app_label": "calls", "model_name": "contact", "field_name": "team", "term": ""}
    found = client.get("/admin/autocomplete/", teams)
    assert [row["text"] for row in found.json()["results"]] == TEAMS
    for person in named.values():
        person.groups.set(ada.groups.all())
    page = body_of(client.get("/admin/accounts/team/add/"))
    assert in_order(from_(page, "id_supervisors"), PEOPLE)


def test_a_sorted_column_of_the_administration(named, ada):
    client = client_of(ada)
    for url, column, names in (
        ("accounts/team", 1, TEAMS),
        ("accounts/user", 2, PEOPLE),
        ("calls/contact", 1, CONTACTS),
    ):
        page = body_of(client.get(f"/admin/{url}/?o=-{column}"))
        assert in_order(from_(page, "result_list"), names[::-1])


def test_saved_views(ada):
    for name in mixed(TEAMS):
        SavedView.objects.create(owner=ada, name=name, path="/calls/", query="")
    assert in_order(body_of(client_of(ada).get("/views/")), TEAMS)


def test_a_new_name_moves_its_row(named, ada):
    zoe = named["Zoe Araya"]
    zoe.first_name = "Ábaco"
    zoe.save(update_fields=["first_name"])
    Contact.objects.get(name="Zaida").save()
    contact = Contact.objects.get(name="Olga")
    contact.name = "aarón"
    contact.save()
    team = Team.objects.get(name="Zona")
    Team.objects.update_or_create(pk=team.pk, defaults={"name": "Álamo"})
    assert User.objects.exclude(pk=ada.pk).order_by("name_key").first() == zoe
    assert Contact.objects.first() == contact
    assert Team.objects.first() == team


@pytest.mark.django_db(transaction=True)
def test_contacts_that_were_there_before():
    before = ("calls", "0014_contact_import_remarks")
    try:
        call_command("migrate", *before, verbosity=0)
        state = MigrationExecutor(connection).loader.project_state([before])
        old = state.apps.get_model("calls", "Contact")
        old.objects.bulk_create(
            old(name=name, phone=f"+5068888000{number}")
            for number, name in enumerate(mixed(CONTACTS))
        )
    finally:
        call_command("migrate", verbosity=0)
    assert [contact.name for contact in Contact.objects.all()] == CONTACTS
    assert {bytes(c.name_key) == name_key(c.name) for c in Contact.objects.all()} == {True}
