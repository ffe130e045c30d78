"""GET /api/metrics/me|team|organization."""

import datetime as dt

import pytest

from common.instants import today
from metrics.definitions import Sums
from tests.support.api import Api, error_of
from tests.support.people import make_call

pytestmark = [pytest.mark.usefixtures("noon"), pytest.mark.engines]

DAY = dt.timedelta(days=1)


@pytest.fixture
def calls(people):
    make_call(people.alice, 100, ago=1)
    make_call(people.alice, 51, ago=1, status="DROPPED")
    make_call(people.alice, 400, ago=86400 * 2)
    make_call(people.bob, 10, ago=1)
    make_call(people.carol, 1000, ago=1)
    make_call(people.ada, 7, ago=1)  # in no team


def figures(body: dict) -> tuple[int, int, int]:
    assert body.keys() >= Sums().as_json().keys()
    return body["calls_made"], body["total_talk_time"], body["avg_call_duration"]


def test_ones_own_figures(people, calls):
    body = Api(people.alice).get("metrics/me").json()
    assert (body["user_id"], body["username"]) == (people.alice.pk, "alice")
    assert body["from"] == body["to"] == today().isoformat()
    assert figures(body) == (2, 151, 75)
    assert body["success_rate"] == 50.0
    assert figures(body["all_time"]) == (3, 551, 183)


def test_a_period_is_inclusive(people, calls):
    api = Api(people.alice)
    since = (today() - 2 * DAY).isoformat()
    assert figures(api.get("metrics/me", **{"from": since}).json()) == (3, 551, 183)
    assert figures(api.get("metrics/me", to=since).json()) == (1, 400, 400)
    assert figures(api.get("metrics/me", **{"from": since, "to": since}).json()) == (1, 400, 400)


def test_no_calls_are_zeros(people):
    body = Api(people.bob).get("metrics/me").json()
    assert figures(body) == figures(body["all_time"]) == (0, 0, 0)


@pytest.mark.parametrize(("who", "teams"), [("sue", ["Red"]), ("ada", ["Blue", "Red"])])
def test_the_teams_one_may_see(people, calls, who, teams):
    body = Api(getattr(people, who)).get("metrics/team").json()
    assert [team["name"] for team in body["teams"]] == teams
    red = body["teams"][-1]
    assert (red["team_id"], figures(red)) == (people.red.pk, (3, 161, 53))
    assert [(m["username"], figures(m)) for m in red["members"]] == [
        ("alice", (2, 151, 75)),
        ("bob", (1, 10, 10)),
    ]


def test_the_organization_adds_up(people, calls):
    body = Api(people.ada).get("metrics/organization").json()
    assert figures(body) == (5, 1168, 233)
    rows = {team["name"]: figures(team) for team in body["teams"]}
    assert rows == {"Red": (3, 161, 53), "Blue": (1, 1000, 1000), None: (1, 7, 7)}


@pytest.mark.parametrize(
    ("who", "scope", "status"),
    [
        ("alice", "team", 403),
        ("alice", "organization", 403),
        ("sue", "organization", 403),
        ("sue", "team", 200),
        ("ada", "organization", 200),
    ],
)
def test_who_may_ask(people, who, scope, status):
    response = Api(getattr(people, who)).get(f"metrics/{scope}")
    if status == 200:
        assert response.status_code == 200
    else:
        error_of(response, status)


IMPOSSIBLE = [
    ("from=2026-02-30", "from"),
    ("to=tomorrow", "to"),
    ("to=9999-12-31", "to"),
    ("from=%00", "from"),
    ("from=2026-02-02&to=2026-02-01", "from"),
    ("since=2026-02-01", "since"),
    ("from=2026-02-01&from=2026-02-02", "from"),
]


@pytest.mark.parametrize("scope", ["me", "team", "organization"])
def test_an_impossible_period_is_bad(people, scope):
    api = Api(people.ada)
    for query, field in IMPOSSIBLE:
        error_of(api.get(f"metrics/{scope}?{query}"), 400, field)
