"""Fixed people, both engines, real parts. Engines come from DATABASE_URL and REDIS_URL."""

import os

# Playwright's loop runs in the main thread, where Django would refuse its own ORM.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

import pytest
import redis
from django.conf import settings
from django.core.cache import cache

from calls.instants import now
from tests.browsing import *  # noqa: F403  (fixture: visit)
from tests.people import People, make_people
from tests.server import *  # noqa: F403  (fixtures: server, browser, page_of)


def pytest_collection_modifyitems(items):
    """Browser tests last: from the first of them on, the main thread has a running event loop.

    Among them the longest first, or one worker would be left alone with it at the end.
    """

    def turn(item: pytest.Item) -> tuple[bool, bool]:
        in_browser = "browser" in getattr(item, "fixturenames", ())
        return in_browser, "test_browser_quality" not in item.nodeid

    items.sort(key=turn)


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    """In-process tests need no collected files; the real server serves the collected ones."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture(autouse=True)
def fresh_counters():
    """Forgets what is cached. In Redis, cache.clear() would take the live lines of a server that
    stands beside with it: they are in the same database."""
    if not settings.REDIS_URL:
        cache.clear()
        return
    with redis.from_url(settings.REDIS_URL) as client:
        keys = list(client.scan_iter(f"{settings.CACHES['default']['KEY_PREFIX']}:*"))
        if keys:
            client.delete(*keys)


@pytest.fixture
def people(db) -> People:
    return make_people()


@pytest.fixture
def live_people(transactional_db) -> People:
    """The same people, committed, for tests with a real server."""
    return make_people()


@pytest.fixture
def noon(settings):
    """A zone in which it is now about noon: calls of the last hours are today's."""
    hours = 12 - now().hour
    settings.TIME_ZONE = f"Etc/GMT{-hours:+d}" if hours else "UTC"
