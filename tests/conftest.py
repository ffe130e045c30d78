"""Fixed people, both engines, real parts. Engines come from DATABASE_URL and REDIS_URL."""

import os
from pathlib import Path
from typing import Any

# Playwright's loop runs in the main thread, where Django would refuse its own ORM.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

import hypothesis
import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connections, transaction
from django.test import TransactionTestCase
from huey.contrib.djhuey import HUEY

from accounts.known_keys import known_keys
from common.instants import now
from tests.support.browsing import *  # noqa: F403  (fixture: visit)
from tests.support.doors import make_things
from tests.support.evidence import *  # noqa: F403  (hooks)
from tests.support.people import People, make_people
from tests.support.server import *  # noqa: F403  (fixtures: server, browser)

# Real hashes take long, by design.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# In-process tests need no collected files; the real server serves the collected ones.
settings.STORAGES = settings.STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
# Or every client of a test would read the whole folder of collected files first.
settings.WHITENOISE_AUTOREFRESH = True

# How long an example takes says how busy the machine is. The rest is as it was, in CI its own.
hypothesis.settings.register_profile(
    "patient",
    parent=hypothesis.settings(),
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("patient")

PROOFS = Path(__file__).parent / "proof"

# What migrations have put there, and what servers that stand beside the tests remember.
LASTING_TABLES = {
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
}


def empty_the_tables(case: TransactionTestCase) -> None:
    """Instead of Django's `flush`: that makes rights and roles anew, with other keys, and its
    TRUNCATE takes PostgreSQL the best part of a second for tables that are all but empty."""
    for alias in case._databases_names(include_mirrors=False):
        connection = connections[alias]
        existing = connection.introspection.django_table_names(True, include_views=False)
        with transaction.atomic(alias), connection.cursor() as cursor:
            for table in sorted(set(existing) - LASTING_TABLES):
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")


TransactionTestCase._fixture_teardown = empty_the_tables


def pytest_ignore_collect(collection_path, config):
    """Deep proofs run only when they are named: `pytest tests/proof`."""
    named = any("proof" in argument for argument in config.args)
    return True if collection_path == PROOFS and not named else None


def pytest_collection_modifyitems(items):
    """Browser tests last: from the first of them on, the main thread has a running event loop.

    Among them the longest first, or one worker would be left alone with it at the end.
    """

    def turn(item: pytest.Item) -> tuple[bool, bool]:
        in_browser = "browser" in getattr(item, "fixturenames", ())
        return in_browser, "browser/test_quality" not in item.nodeid

    items.sort(key=turn)


@pytest.fixture(scope="session")
def counters():
    """The Redis database that holds what is cached, where there is one."""
    if not settings.REDIS_URL:
        yield None
        return
    with redis.from_url(settings.REDIS_URL) as client:
        yield client


@pytest.fixture(autouse=True)
def fresh_counters(counters):
    """Forgets what is cached. In Redis, cache.clear() would take the live lines of a server that
    stands beside with it: they are in the same database."""
    known_keys.forget()
    if counters is None:
        cache.clear()
    elif keys := list(counters.scan_iter(f"{settings.CACHES['default']['KEY_PREFIX']}:*", 1000)):
        counters.delete(*keys)


@pytest.fixture
def queue(settings, tmp_path, monkeypatch):
    """The worker's queue, empty and this test's own: other tests beside it use the common one."""
    if not settings.REDIS_URL:
        monkeypatch.setattr(HUEY.storage, "filename", str(tmp_path / "worker.sqlite3"))
        HUEY.storage.close()
    HUEY.flush()
    yield HUEY
    HUEY.flush()
    HUEY.storage.close()


@pytest.fixture
def people(db) -> People:
    return make_people()


@pytest.fixture
def things(people, tmp_path, settings) -> dict[str, Any]:
    """What the addresses of the doors name."""
    settings.DATA_DIR = tmp_path
    return make_things(people)


@pytest.fixture
def live_people(transactional_db) -> People:
    """The same people, committed, for tests with a real server."""
    return make_people()


@pytest.fixture
def noon(settings):
    """A zone in which it is now about noon: calls of the last hours are today's."""
    hours = 12 - now().hour
    settings.TIME_ZONE = f"Etc/GMT{-hours:+d}" if hours else "UTC"
