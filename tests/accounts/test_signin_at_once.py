"""Many sign-ins at the same moment: no more passwords are looked at than one may try."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.conf import settings

from tests.support.patience import PATIENCE
from tests.support.people import PASSWORD
from tests.support.server import Server, end_sessions

pytestmark = [pytest.mark.server, pytest.mark.engines]


@pytest.fixture
def servers(live_people):
    """Two that count together where Redis lets them; else the one that there may be."""
    started = [Server(TRUSTED_PROXIES="1").start() for _ in range(2 if settings.REDIS_URL else 1)]
    yield started
    for server in started:
        server.kill()
    end_sessions()


def attempt(server: Server, number: int, password: str) -> int:
    headers = {"X-Forwarded-For": f"198.51.100.{number}", "Cookie": f"csrftoken={'a' * 32}"}
    form = {"username": "alice", "password": password, "csrfmiddlewaretoken": "a" * 32}
    return httpx.post(
        f"{server.url}/login/", data=form, headers=headers, timeout=PATIENCE
    ).status_code


def test_of_48_at_once_ten_are_looked_at(servers):
    with ThreadPoolExecutor(48) as pool:
        tries = [
            pool.submit(attempt, servers[number % len(servers)], number, "wrong")
            for number in range(48)
        ]
    assert Counter(one.result() for one in tries) == {200: 10, 429: 38}
    assert attempt(servers[0], 99, PASSWORD) == 429
