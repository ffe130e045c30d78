"""How many statements the API's routes cost, whatever the history."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support.api import Api
from tests.support.people import make_call

pytestmark = pytest.mark.engines

_FRAME = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


# SQLite's transaction is the lock; PostgreSQL is asked for one: of the person, of the sums.
LOCKS = int(connection.features.has_select_for_update)


class Statements(CaptureQueriesContext):
    """Counts what asks or changes data, not the transaction around it."""

    @property
    def sql(self) -> list[str]:
        return [q["sql"] for q in self.captured_queries if not q["sql"].startswith(_FRAME)]


@pytest.fixture
def api(people) -> Api:
    """A program whose key is known: it asked a moment ago."""
    api = Api(people.alice)
    for _ in range(2):  # the first notes that the key was used, which happens once a minute
        api.get("calls/active")
    return api


def test_a_start_takes_few(api):
    with Statements(connection) as seen:
        body = {"contact_id": "contact_123", "contact_phone": "+506-5123-4567"}
        assert api.post("calls/start", body).status_code == 201
    assert len(seen.sql) == 6 + LOCKS, "\n".join(seen.sql)


def test_an_end_takes_few(api, people):
    for ago in range(1000, 1010):
        make_call(people.alice, ago=ago)
    call_id = api.post("calls/start").json()["call_id"]
    with Statements(connection) as seen:
        assert api.post("calls/end", {"call_id": call_id}).status_code == 200
    assert len(seen.sql) == 9 + LOCKS, "\n".join(seen.sql)


@pytest.mark.parametrize("calls", [1, 12])
def test_a_log_takes_the_same_whatever_its_length(api, people, calls):
    for ago in range(1000, 1000 + calls):
        make_call(people.alice, ago=ago, contact_ref="x")
    with Statements(connection) as seen:
        assert len(api.get("calls/log").json()) == calls
    assert len(seen.sql) == 1


def test_a_request_that_finds_nothing_takes_one(api):
    with Statements(connection) as seen:
        assert api.get("calls/active").json() == []
    assert len(seen.sql) == 1, "\n".join(seen.sql)
