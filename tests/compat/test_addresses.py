"""What the first system's addresses answer: who may ask, and that the figures are the API's."""

import datetime as dt

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import Team
from calls import services, timeline
from calls.models import Contact
from calls.providers.base import ProviderEvent
from calls.telephony import intake
from common.instants import now, today
from tests.support.api import Api, error_of
from tests.support.limits import standing_clock
from tests.support.people import key_of, make_call, make_pbx, make_user, yesterday_noon

pytestmark = [pytest.mark.engines, pytest.mark.urls("tests.compat.urls")]

VIEWERS = ("nobody", "alice", "sue", "ada")
ADDRESSES = """
/metrics/personal  401  200  200  200
/metrics/team      401  403  200  200
/metrics/all       401  403  403  200
/contacts          401  200  200  200
/health            200  200  200  200
/config            401  200  200  200
"""
ROWS = [line.split() for line in ADDRESSES.strip().split("\n")]


class Desktop:
    """A program of one person, or of nobody."""

    def __init__(self, user=None):
        self.client = Client()
        self.headers = {"X-API-Key": key_of(user)} if user else {}

    def ask(self, address: str, **query) -> HttpResponse:
        return self.client.get(address, query, headers=self.headers)

    def get(self, address: str, **query):
        answer = self.ask(address, **query)
        assert answer.status_code == 200, answer.content
        return answer.json()


@pytest.fixture
def calls(people):
    """Of both teams, of somebody without one, of today and long before."""
    make_call(people.alice, 100)
    make_call(people.alice, 31, status=timeline.NO_ANSWER)
    make_call(people.bob, 60, status=timeline.DROPPED)
    make_call(people.carol, 7)
    make_call(people.ada, 12, ago=60 * 3600)
    services.start_call(people.alice)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_who_may_ask(people, row):
    address, *statuses = row
    for viewer, status in zip(VIEWERS, map(int, statuses), strict=True):
        desktop = Desktop(getattr(people, viewer, None))
        for spelling in {address, address if address == "/contacts" else address + "/"}:
            answer = desktop.ask(spelling)
            assert answer.status_code == status, (viewer, spelling)
            if status != 200:
                error_of(answer, status)
        assert desktop.client.post(address, headers=desktop.headers).status_code in (401, 405)


def test_own_figures_are_those_of_the_api(people, calls):
    Contact.objects.create(name="Elena", phone="88887777", owner=people.alice)
    said = Desktop(people.alice).get("/metrics/personal")
    figures = Api(people.alice).get("metrics/me").json()["all_time"]
    for name in ("calls_made", "calls_success", "calls_failed", "avg_call_duration"):
        assert said[name] == figures[name]
    assert said["success_rate"] == figures["success_rate"] == 50
    assert (said["user_id"], said["username"]) == (str(people.alice.pk), "alice")
    assert (said["role"], said["contacts_managed"]) == ("Agent", 1)
    days = {"from": today() - dt.timedelta(days=7), "to": today() - dt.timedelta(days=1)}
    for person in (people.alice, people.ada):
        made = Api(person).get("metrics/me", **days).json()["calls_made"]
        assert Desktop(person).get("/metrics/personal", **days)["calls_made"] == made
    error_of(Desktop(people.alice).ask("/metrics/personal", since="1"), 400, "since")


def test_the_teams_figures_are_those_of_the_api(people, calls):
    gone = make_user("gone", "Agent", people.red, is_active=False)
    make_call(gone, 10)
    said = {one["username"]: one for one in Desktop(people.sue).get("/metrics/team")}
    ever = {"from": today() - dt.timedelta(days=9)}
    (team,) = Api(people.sue).get("metrics/team", **ever).json()["teams"]
    figures = {one["username"]: one for one in team["members"]}
    assert list(said) == ["alice", "bob"]  # who works here
    for username, row in said.items():
        for name in ("calls_made", "calls_success", "avg_call_duration", "success_rate"):
            assert row[name] == figures[username][name]
        assert (row["role"], row["team_name"], row["contacts_managed"]) == ("Agent", "Red", 0)
    everybody = Desktop(people.ada).get("/metrics/team")
    assert [one["username"] for one in everybody] == ["ada", "alice", "bob", "carol", "sam", "sue"]


def test_the_figures_of_all_are_those_of_the_api(people, calls):
    Contact.objects.create(name="Elena", phone="88887777")
    said = Desktop(people.ada).get("/metrics/all")
    ever = {"from": today() - dt.timedelta(days=9)}
    figures = Api(people.ada).get("metrics/organization", **ever).json()
    assert said["total_calls"] == figures["calls_made"] == 5
    assert said["total_success"] == figures["calls_success"] == 3
    assert said["overall_success_rate"] == figures["success_rate"] == 60
    assert (said["total_users"], said["total_contacts"]) == (6, 1)
    assert said["by_team"] == {
        "Red": {"calls_made": 3, "calls_success": 1, "agents": 2},
        "Blue": {"calls_made": 1, "calls_success": 1, "agents": 1},
        "Sin equipo": {"calls_made": 1, "calls_success": 1, "agents": 3},
    }
    Team.objects.create(name="Sin equipo")
    assert Desktop(people.ada).get("/metrics/all")["by_team"][""]["calls_made"] == 1


def test_a_call_that_two_had_a_part_in_counts_once_for_all(people):
    """As everywhere: the sums of a team or of all are no sums of the agents' own."""
    account, begun = make_pbx(people, "generic"), yesterday_noon()
    for agent in ("1001", "1002"):
        told = {"call": agent, "conversation": "talk", "agents": (agent,)}
        events = [
            ProviderEvent(timeline.STARTED, at=begun, **told),
            ProviderEvent(timeline.ANSWERED, at=begun + 1000, **told),
            ProviderEvent(timeline.ENDED, at=begun + 9000, data={"status": "COMPLETED"}, **told),
        ]
        intake.record(account, events, received=now())
    said = Desktop(people.ada).get("/metrics/all")
    ever = {"from": today() - dt.timedelta(days=9)}
    figures = Api(people.ada).get("metrics/organization", **ever).json()
    assert said["total_calls"] == figures["calls_made"] == 1
    assert said["by_team"]["Red"]["calls_made"] == 1
    assert sum(one["calls_made"] for one in said["team_users"]) == 2


def test_roles_have_the_first_systems_names(people):
    people.sam.is_superuser = True
    people.sam.save()
    named = {
        person: Desktop(getattr(people, person)).get("/config")["role"]
        for person in ("alice", "sue", "ada", "sam")
    }
    assert named == {"alice": "Agent", "sue": "TeamLead", "ada": "ProjectManager", "sam": "TI"}
    rows = Desktop(people.ada).get("/metrics/team")
    assert {row["username"]: row["role"] for row in rows}.items() >= named.items()


def test_contacts_are_a_bare_list_of_those_one_may_see(people):
    hers = Contact(name="Elena", owner=people.alice, notes="ñ" * 3000, external_id="crm-7")
    hers.set_numbers([("8888 7777", "mobile"), ("2222 1001", "work")])
    blues = Contact.objects.create(name="Beto", phone="88887778", team=people.blue)
    nobodys = Contact.objects.create(name="Gema", phone="88887779")
    seen = {
        name: [one["id"] for one in Desktop(getattr(people, name)).get("/contacts")]
        for name in ("alice", "bob", "carol", "ada")
    }
    assert seen == {
        "alice": ["crm-7", str(nobodys.pk)],
        "bob": [str(nobodys.pk)],
        "carol": [str(blues.pk), str(nobodys.pk)],
        "ada": ["crm-7", str(blues.pk), str(nobodys.pk)],
    }
    first = Desktop(people.alice).get("/contacts")[0]
    assert (
        first.items()
        >= {
            "id": "crm-7",
            "phone": "+50688887777",
            "name": "Elena",
            "status": "SIN GESTIONAR",
            "note": "ñ" * 2000,
            "numbers": ["+50688887777", "+50622221001"],
        }.items()
    )
    assert [one["name"] for one in Desktop(people.ada).get("/contacts", search="gem")] == ["Gema"]


def test_a_long_list_of_contacts_says_where_it_goes_on(people, django_assert_max_num_queries):
    numbers = range(1001)
    contacts = [Contact(name=f"C {n}", phone=f"+5068{n:07}") for n in numbers]
    Contact.objects.bulk_create(contacts)
    desktop = Desktop(people.alice)
    with django_assert_max_num_queries(10):
        answer = desktop.ask("/contacts")
    assert len(answer.json()) == 1000
    following = answer["Link"].split(">")[0].removeprefix("<").removeprefix("http://testserver")
    assert [one["name"] for one in desktop.get(following)] == ["C 1000"]
    assert len(desktop.get("/contacts", limit=3)) == 3


def test_a_browser_still_finds_the_page_of_contacts(people):
    browser = Client()
    browser.force_login(people.alice)
    answer = browser.get("/contacts", headers={"Accept": "text/html,*/*"})
    assert (answer.status_code, answer["Location"]) == (302, "/contacts/")
    assert browser.get("/contacts/").status_code == 200


def test_a_program_is_told_what_it_needs_and_no_secret(people, settings):
    settings.TIMER_RED_SECONDS = 400
    people.red.amber_seconds = 77
    people.red.save()
    said = Desktop(people.alice).get("/config")
    assert (said["timer_amber_seconds"], said["timer_red_seconds"]) == (77, 400)
    assert said["version"] and said["roles"] == ["Agent", "TeamLead", "ProjectManager", "TI"]
    assert set(said["call_statuses"]) == {"IN_PROGRESS", *timeline.TERMINAL}
    text = str(said)
    assert settings.SECRET_KEY not in text and str(settings.DATA_DIR) not in text
    health = Desktop(people.alice).get("/health")
    assert health["status"] == "ok"
    assert dt.datetime.fromisoformat(health["timestamp"]) <= now()


def test_the_key_may_come_as_the_windows_bring_it(people):
    key = key_of(people.alice)
    for headers in (
        {"X-API-Key": key},
        {"Authorization": f"Bearer {key}"},
        {"Authorization": f"bearer {key}"},
    ):
        assert Client().get("/metrics/personal", headers=headers).status_code == 200
    for headers in (
        {"Authorization": f"Basic {key}"},
        {"Authorization": "Bearer cm_wrong"},
        {"Authorization": "Bearer "},
        {"X-API-Key": "cm_wrong", "Authorization": f"Bearer {key}"},
    ):
        error_of(Client().get("/metrics/personal", headers=headers), 401)
    browser = Client()
    browser.force_login(people.alice)
    assert browser.get("/metrics/personal").json()["username"] == "alice"
    # The API itself knows one way.
    error_of(Client().get("/api/calls/log", headers={"Authorization": f"Bearer {key}"}), 401)


def test_the_limit_is_that_of_the_api(people, settings, monkeypatch):
    settings.API_RATE_LIMIT = "3/h"
    standing_clock(monkeypatch)
    desktop = Desktop(people.alice)
    answers = [desktop.ask(address) for address in ("/metrics/personal", "/contacts", "/config")]
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0"]
    assert "3/h" in error_of(desktop.ask("/config"), 429)
    assert "X-RateLimit-Limit" in Api(people.sue).get("calls/log").headers


def test_programs_that_are_new_find_none_of_it_in_the_description(people):
    paths = Api(people.alice).get("schema/").json()["paths"]
    assert all(path.startswith("/api/") for path in paths)
