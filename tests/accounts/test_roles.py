"""Who gets through which door: every address of the site, for every kind of person.

The tables are read across: Alice's things, as seen by nobody (not signed in), by herself, by Bob of
her team, by Carol of another, by Sue who supervises hers, by Sam who supervises the other, and by
Ada, the administrator.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.utils import timezone

from accounts import roles
from accounts.models import ApiKey, User
from accounts.services import sync_roles
from calls import services
from calls.contacts import files, importer
from calls.models import CallLog, Contact, DialLink, ProviderAccount
from calls.providers.base import ProviderEvent
from calls.telephony import intake
from common.instants import now, to_ms
from metrics.exports import jobs
from metrics.models import Export, SavedView
from tests.support.people import People, key_of, make_call

pytestmark = pytest.mark.engines

VIEWERS = ("nobody", "alice", "bob", "carol", "sue", "sam", "ada")

PAGES = """
GET  /                               302  200  200  200  200  200  200
GET  /cards/                         302  200  200  200  200  200  200
GET  /recent/                        302  200  200  200  200  200  200
GET  /timer/                         302  200  200  200  200  200  200
GET  /contacts/                      302  200  200  200  200  200  200
GET  /contacts/import/               302  200  200  200  200  200  200
POST /contacts/import/               302  400  400  400  400  400  400
GET  /contacts/import/{import}/      302  200  404  404  404  404  404
POST /contacts/import/{import}/      302  302  404  404  404  404  404
POST /contacts/import/{import}/undo/ 302  302  404  404  404  404  404
GET  /contacts/export.csv            302  200  200  200  200  200  200
GET  /contacts/export.xlsx           302  200  200  200  200  200  200
GET  /contacts/export.vcf            302  200  200  200  200  200  200
GET  /calls/current/                 302  200  200  200  200  200  200
GET  /calls/unconfirmed/             302  200  200  200  200  200  200
GET  /calls/                         302  200  200  200  200  200  200
GET  /calls/totals/                  302  302  302  302  302  302  302
GET  /calls/export.csv               302  200  200  200  200  200  200
GET  /calls/export.xlsx              302  200  200  200  200  200  200
GET  /calls/export.pdf               302  200  200  200  200  200  200
GET  /exports/                       302  200  200  200  200  200  200
POST /exports/new/                   302  302  302  302  302  302  302
GET  /exports/{export}/file/         302  200  404  404  404  404  404
POST /exports/{export}/cancel/       302  302  404  404  404  404  404
GET  /reports/                       302  403  403  403  200  200  200
GET  /reports/export.csv             302  403  403  403  200  200  200
GET  /reports/export.xlsx            302  403  403  403  200  200  200
GET  /reports/export.pdf             302  403  403  403  200  200  200
GET  /team/                          302  403  403  403  200  200  200
GET  /team/?team={red}               302  403  403  403  200  404  200
GET  /organization/                  302  403  403  403  403  403  200
GET  /wall/                          302  403  403  403  200  200  200
GET  /wall/?team={red}               302  403  403  403  200  404  200
GET  /agents/{alice}/                302  200  404  404  200  404  200
GET  /plots/                         302  200  200  200  200  200  200
GET  /plots/?team={red}              302  404  404  404  200  404  200
GET  /figures/calls_made/            302  200  200  200  200  200  200
GET  /figures/calls_made/?team={red} 302  404  404  404  200  404  200
GET  /figures/calls_made/check/      302  200  200  200  200  200  200
GET  /figures/calls_made/check/?agent={alice} 302 200 404 404 200 404 200
GET  /views/                         302  200  200  200  200  200  200
POST /views/                         302  302  302  302  302  302  302
GET  /views/{view}/                  302  302  404  404  404  404  404
POST /views/{view}/rename/           302  302  404  404  404  404  404
POST /views/{view}/delete/           302  302  404  404  404  404  404
GET  /me/                            302  200  200  200  200  200  200
GET  /me/password/                   302  200  200  200  200  200  200
POST /me/language/                   302  302  302  302  302  302  302
POST /me/preferences/                302  302  302  302  302  302  302
POST /me/dialing/                    302  302  302  302  302  302  302
POST /me/keys/                       302  200  200  200  200  200  200
POST /me/keys/{key}/revoke/          302  302  404  404  404  404  404
GET  /login/                         200  302  302  302  302  302  302
POST /hooks/generic/pbx/             403  403  403  403  403  403  403
POST /hooks/generic/nobody/          404  404  404  404  404  404  404
POST /language/                      302  302  302  302  302  302  302
POST /logout/                        302  302  302  302  302  302  302

GET  /calls/{ended}/                 302  200  404  404  200  404  200
POST /calls/{ended}/note/            302  302  404  404  404  404  404
POST /calls/{ended}/outcome/         302  302  404  404  302  404  302
POST /calls/{ended}/correct/         302  403  403  403  302  404  302
POST /calls/{estimated}/accept/      302  403  403  403  302  404  302
POST /calls/{estimated}/confirm/     302  302  404  404  404  404  404
POST /calls/start/                   302  302  302  302  302  302  302
POST /calls/{running}/hold/          302  302  404  404  404  404  404
POST /calls/{running}/keep/          302  302  404  404  404  404  404
POST /calls/{ended}/ready/           302  302  404  404  404  404  404
POST /calls/{ended}/disposition/     302  302  404  404  404  404  404
POST /calls/{running}/end/           302  302  404  404  404  404  404
"""

API = """
GET  /api/calls/log                  401  200  200  200  200  200  200
GET  /api/calls/export.csv           401  200  200  200  200  200  200
GET  /api/calls/export.xlsx          401  200  200  200  200  200  200
GET  /api/calls/active               401  200  200  200  200  200  200
POST /api/calls/start                401  201  201  201  201  201  201
GET  /api/calls/{ended}              401  200  404  404  200  404  200
GET  /api/calls/{running}            401  200  404  404  200  404  200
POST /api/calls/{running}/answer     401  200  404  404  404  404  404
POST /api/calls/{running}/hold       401  200  404  404  404  404  404
POST /api/calls/{running}/resume     401  200  404  404  404  404  404
POST /api/calls/{running}/pause      401  200  404  404  404  404  404
POST /api/calls/{running}/unpause    401  200  404  404  404  404  404
POST /api/calls/{running}/heartbeat  401  200  404  404  404  404  404
POST /api/calls/{ended}/ready        401  200  404  404  404  404  404
POST /api/calls/{ended}/disposition  401  200  404  404  404  404  404
POST /api/calls/end                  401  200  404  404  404  404  404
GET  /api/metrics/me                 401  200  200  200  200  200  200
GET  /api/metrics/team               401  403  403  403  200  200  200
GET  /api/metrics/organization       401  403  403  403  403  403  200
GET  /api/reports/summary            401  403  403  403  200  200  200
GET  /api/reports/summary.csv        401  403  403  403  200  200  200
GET  /api/reports/summary.xlsx       401  403  403  403  200  200  200
GET  /api/reports/teams              401  403  403  403  200  200  200
GET  /api/reports/teams.csv          401  403  403  403  200  200  200
GET  /api/reports/teams.xlsx         401  403  403  403  200  200  200
GET  /api/reports/agents             401  403  403  403  200  200  200
GET  /api/reports/agents.csv         401  403  403  403  200  200  200
GET  /api/reports/agents.xlsx        401  403  403  403  200  200  200
GET  /api/reports/days               401  403  403  403  200  200  200
GET  /api/reports/days.csv           401  403  403  403  200  200  200
GET  /api/reports/days.xlsx          401  403  403  403  200  200  200
GET  /api/contacts                   401  200  200  200  200  200  200
GET  /api/contacts/{contact}         401  200  404  404  404  404  200
GET  /api/schema                     401  200  200  200  200  200  200
GET  /api/docs                       401  200  200  200  200  200  200
"""

ADMIN = """
GET  /admin/                                       302  403  403  403  403  403  200
GET  /admin/login/                                 302  302  302  302  302  302  302
GET  /admin/jsi18n/                                302  403  403  403  403  403  200
GET  /admin/autocomplete/                          302  403  403  403  403  403  403
GET  /admin/password_change/                       302  403  403  403  403  403  200
GET  /admin/accounts/user/                         302  403  403  403  403  403  200
GET  /admin/accounts/user/add/                     302  403  403  403  403  403  200
GET  /admin/accounts/user/{alice}/change/          302  403  403  403  403  403  200
GET  /admin/accounts/user/{alice}/password/        302  403  403  403  403  403  200
GET  /admin/accounts/team/                         302  403  403  403  403  403  200
GET  /admin/accounts/team/{red}/change/            302  403  403  403  403  403  200
GET  /admin/accounts/apikey/                       302  403  403  403  403  403  200
GET  /admin/accounts/apikey/add/                   302  403  403  403  403  403  200
GET  /admin/accounts/apikey/{key}/change/          302  403  403  403  403  403  200
GET  /admin/calls/contact/                         302  403  403  403  403  403  200
GET  /admin/calls/contact/{contact}/change/        302  403  403  403  403  403  200
GET  /admin/calls/disposition/                     302  403  403  403  403  403  200
GET  /admin/calls/disposition/add/                 302  403  403  403  403  403  200
GET  /admin/calls/diallink/                        302  403  403  403  403  403  200
GET  /admin/calls/diallink/add/                    302  403  403  403  403  403  200
GET  /admin/calls/diallink/{link}/change/          302  403  403  403  403  403  200
GET  /admin/calls/calllog/                         302  403  403  403  403  403  200
GET  /admin/calls/calllog/add/                     302  403  403  403  403  403  403
GET  /admin/calls/calllog/{ended_pk}/change/       302  403  403  403  403  403  200
GET  /admin/calls/calllog/{ended_pk}/correct/      302  403  403  403  403  403  200
GET  /admin/calls/calllog/{nobodys}/assign/        302  403  403  403  403  403  200
GET  /admin/calls/calllog/{ended_pk}/assign/       302  403  403  403  403  403  404
GET  /admin/calls/provideraccount/                 302  403  403  403  403  403  200
GET  /admin/calls/provideraccount/add/             302  403  403  403  403  403  200
GET  /admin/calls/provideraccount/{pbx}/change/    302  403  403  403  403  403  200
POST /admin/calls/provideraccount/{pbx}/try/       302  403  403  403  403  403  302
GET  /admin/calls/provideridentity/                302  403  403  403  403  403  200
GET  /admin/calls/provideridentity/add/            302  403  403  403  403  403  200
GET  /admin/calls/rawevent/                        302  403  403  403  403  403  200
GET  /admin/calls/rawevent/add/                    302  403  403  403  403  403  403
GET  /admin/calls/calllog/{ended_pk}/delete/       302  403  403  403  403  403  200
GET  /admin/metrics/usermetrics/                   302  403  403  403  403  403  200
GET  /admin/metrics/usermetrics/add/               302  403  403  403  403  403  403
GET  /admin/metrics/usermetrics/{alice}/change/    302  403  403  403  403  403  200
GET  /admin/metrics/dailymetrics/                  302  403  403  403  403  403  200
GET  /admin/metrics/dailymetrics/add/              302  403  403  403  403  403  403
"""

# Whoever is not signed in is sent on from here to somewhere else than the sign-in page.
OPEN = ("/language/", "/logout/")


def rows(table: str) -> Iterator[tuple[str, str, dict[str, int]]]:
    """(method, address, {viewer: status}), one a line."""
    for line in table.strip().split("\n"):
        if line:
            method, address, *statuses = line.split()
            yield method, address, dict(zip(VIEWERS, map(int, statuses), strict=True))


def written_export(owner: User) -> Export:
    export = jobs.request_export(owner, jobs.CSV, QueryDict())
    jobs.write(export.pk)
    return export


@pytest.fixture
def things(people: People, tmp_path, settings) -> dict[str, Any]:
    settings.DATA_DIR = tmp_path
    return make_things(people)


def make_things(people: People) -> dict[str, Any]:
    """What the addresses name: Alice's calls, contact, key and file, and her team."""
    ended = make_call(people.alice, 60, ago=7200)
    begun = now() - dt.timedelta(days=1)
    estimated, _ = services.start_call(
        people.alice, told=services.ReportedTime(begun, explicit=True)
    )
    services.close_stale_calls()
    running, _ = services.start_call(people.alice)
    contact = Contact.objects.create(name="Elena", phone="88887777", owner=people.alice)
    pbx = ProviderAccount.objects.create(kind="generic", name="pbx")
    told = ProviderEvent("started", "c1", to_ms(begun), agents=("1999",))
    (nobodys,) = intake.record(pbx, [told], received=now())
    sheet = files.read(b"name,phone\nElena,88887777")
    draft = importer.draft(people.alice, "contacts.csv", sheet, None, False)
    return {
        "pbx": pbx.pk,
        "nobodys": nobodys.pk,
        "alice": people.alice.pk,
        "red": people.red.pk,
        "ended": ended.call_id,
        "ended_pk": ended.pk,
        "estimated": estimated.call_id,
        "running": running.call_id,
        "contact": contact.pk,
        "view": SavedView.objects.create(owner=people.alice, name="Hers", path="/").pk,
        "import": draft.pk,
        "link": DialLink.objects.create(kind="callto").pk,
        "key": ApiKey.issue(people.alice, "her program")[0].pk,
        "export": written_export(people.alice).token,
    }


def body_of(address: str, things: dict[str, Any]) -> dict[str, Any]:
    """What a POST to `address` sends so that only the sender can be what is wrong with it."""
    if address.endswith("/correct/"):
        call = CallLog.objects.get(call_id=things["ended"])
        times = {"start": call.start_time, "end": call.end_time}
        written = {
            name: f"{timezone.localtime(time):%Y-%m-%dT%H:%M:%S}" for name, time in times.items()
        }
        return written | {"status": call.status, "reason": "The agent said so"}
    if address == "/api/calls/end":
        return {"call_id": str(things["running"])}
    return {
        "/api/calls/{ended}/disposition": {"disposition": ""},
        "/views/": {"name": "My month", "path": "/", "query": "period=month"},
        "/views/{view}/rename/": {"name": "A new name"},
        "/me/keys/": {"name": "A program"},
        "/exports/new/": {"form": "csv"},
        "/me/language/": {"language": "es"},
        "/language/": {"language": "es"},
        "/contacts/import/{import}/": {"name": "0", "phone": "1", "duplicates": "skip"},
        "/calls/{running}/end/": {"status": "COMPLETED"},
    }.get(address, {})


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def answers(table: str, things: dict[str, Any], client: Client) -> dict[str, Any]:
    """What `viewer` is answered at each address, each as if it were the first that was asked."""
    found = {}
    for method, address, _ in rows(table):
        url, body, cookies = address.format(**things), body_of(address, things), client.cookies
        client.cookies = deepcopy(cookies)
        with transaction.atomic():
            if method == "GET":
                found[f"GET {address}"] = client.get(url)
            elif url.startswith("/api/"):
                found[f"POST {address}"] = client.post(url, body, "application/json")
            else:
                found[f"POST {address}"] = client.post(url, body)
            transaction.set_rollback(True)
        client.cookies = cookies
    return found


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
