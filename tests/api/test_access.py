"""Who gets in: keys, sessions, the hourly limit, and what strangers are told."""

import datetime as dt
import time

import pytest
from django.test import Client

from accounts.models import ApiKey
from common.instants import now
from tests.support.api import Api, error_of
from tests.support.limits import standing_clock
from tests.support.people import key_of

pytestmark = pytest.mark.engines

ROUTES = [
    ("post", "calls/start"),
    ("post", "calls/end"),
    ("get", "calls/log"),
    ("get", "calls/active"),
    ("get", "calls/018f0000-0000-7000-8000-000000000000"),
    ("post", "calls/018f0000-0000-7000-8000-000000000000/hold"),
    ("get", "events"),
    ("get", "metrics/me"),
    ("get", "metrics/team"),
    ("get", "metrics/organization"),
    ("get", "contacts"),
    ("get", "contacts/1"),
    ("get", "schema"),
    ("get", "docs"),
]


@pytest.mark.parametrize("slash", ["", "/"])
def test_no_key_is_told_how_to_bring_one(db, slash):
    for method, path in ROUTES:
        response = Api().send(method, path + slash, b"")
        assert "X-API-Key" in error_of(response, 401)
        assert response["WWW-Authenticate"] == "ApiKey"


@pytest.mark.parametrize("key", ["", "cm_wrong", "ñ", "x" * 5000])
def test_an_unknown_key_is_refused(people, key):
    api = Api()
    api.headers["X-API-Key"] = key
    error_of(api.get("calls/log"), 401)
    error_of(api.post("calls/start"), 401)


def test_a_bad_key_does_not_fall_back_on_a_session(people):
    api = Api(key="cm_wrong")
    api.client.force_login(people.alice)
    error_of(api.get("calls/log"), 401)


def test_a_revoked_key_stops_at_once(people):
    key, secret = ApiKey.issue(people.alice)
    api = Api(key=secret)
    assert api.get("calls/log").status_code == 200
    key.revoke()
    error_of(api.get("calls/log"), 401)


def test_the_key_of_somebody_who_left_stops_at_once(people):
    api = Api(people.alice)
    people.alice.is_active = False
    people.alice.save()
    error_of(api.get("calls/log"), 401)


def test_the_key_remembers_when_it_was_used(people):
    api, before = Api(people.alice), now()
    api.get("calls/log")
    assert before <= ApiKey.objects.get().last_used_at <= dt.datetime.now(dt.UTC)


def test_a_session_reads_and_writes_with_csrf(people):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people.alice)
    assert browser.get("/api/calls/log").json() == []
    error_of(browser.post("/api/calls/start", content_type="application/json"), 403)
    token = "a" * 32
    browser.cookies["csrftoken"] = token
    response = browser.post(
        "/api/calls/start", content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert response.status_code == 201


@pytest.mark.parametrize("path", ["/api/", "/api/nothing", "/api/calls", "/api/calls/x/y/z"])
@pytest.mark.parametrize("signed", [True, False])
def test_an_unknown_path_is_json_too(people, path, signed):
    headers = {"X-API-Key": key_of(people.alice)} if signed else {}
    response = Client().get(path, headers=headers)
    error_of(response, 404)


def test_a_wrong_method_is_refused_and_options_answered(people):
    api = Api(people.ada)
    for method, path in ROUTES:
        response = api.send("trace", path, b"")
        error_of(response, 405)
        assert method.upper() in response["Allow"]
        assert api.send("options", path, b"").status_code == 204


def test_head_answers_like_get_without_a_body(people):
    response = Api(people.alice).send("head", "calls/log", b"")
    assert (response.status_code, response.content) == (200, b"")


def test_every_answer_tells_our_time(people):
    """So that a program can say when something happened, whatever its own clock says."""
    for api in (Api(people.alice), Api(key="cm_x")):
        before = now()
        answer = api.get("calls/active")
        assert before <= dt.datetime.fromisoformat(answer["X-Server-Time"]) <= now()
        assert answer["X-Server-Time"].endswith("Z")


class TestLimit:
    @pytest.fixture(autouse=True)
    def clock(self, settings, monkeypatch):
        settings.API_RATE_LIMIT = "3/h"
        return standing_clock(monkeypatch)  # no test runs on while it counts

    def test_every_answer_tells_what_is_left(self, people):
        api, before = Api(people.alice), int(time.time())
        answers = [api.get("calls/log"), api.get("calls/log", limit=0), api.get("contacts/99")]
        assert [a.status_code for a in answers] == [200, 400, 404]
        assert [a["X-RateLimit-Limit"] for a in answers] == ["3", "3", "3"]
        assert [a["X-RateLimit-Remaining"] for a in answers] == ["2", "1", "0"]
        assert before <= int(answers[0]["X-RateLimit-Reset"]) <= time.time() + 3600

    def test_over_it_the_answer_says_when_to_come_back(self, people):
        api = Api(people.alice)
        for _ in range(3):
            api.post("calls/start")
        response = api.post("calls/start")
        assert "3/h" in error_of(response, 429)
        assert 1 <= int(response["Retry-After"]) <= 3600
        assert response["X-RateLimit-Remaining"] == "0"
        assert len(Api(people.sue).get("calls/active").json()) == 3

    def test_no_hour_has_more_than_its_number_wherever_it_begins(self, people, clock):
        """Three late in one hour by the clock and three early in the next were six."""
        api, let_through = Api(people.alice), []
        clock.now -= clock.now % 3600 + 1
        for _ in range(40):
            answer = api.get("calls/active")
            if answer.status_code == 200:
                let_through.append(clock.now)
            clock.now += 300
        hours = [[one for one in let_through if 0 <= one - first < 3600] for first in let_through]
        assert max(map(len, hours)) == 3 and len(let_through) > 9

    def test_who_comes_back_as_told_is_let_through_and_asking_too_early_costs_nothing(
        self, people, clock
    ):
        api = Api(people.alice)
        for _ in range(3):
            api.get("calls/active")
            clock.now += 100
        refused = [api.get("calls/active") for _ in range(5)]
        waits = {int(answer["Retry-After"]) for answer in refused}
        assert waits == {3600 - 300}
        assert int(refused[0]["X-RateLimit-Reset"]) - int(time.time()) in (3299, 3300)
        clock.now += 3299
        assert api.get("calls/active").status_code == 429
        clock.now += 1
        answer = api.get("calls/active")
        assert (answer.status_code, answer["X-RateLimit-Remaining"]) == (200, "0")

    def test_keys_are_counted_apart(self, people):
        first, second = Api(people.alice), Api(people.alice)
        for _ in range(4):
            first.get("calls/log")
        assert second.get("calls/log")["X-RateLimit-Remaining"] == "2"
