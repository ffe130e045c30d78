"""A server on which the first system's addresses and feed are switched on."""

from collections.abc import Iterator

import pytest

from tests.support.server import Server, end_sessions, wait_for_quiet


@pytest.fixture(scope="session")
def standing_site(django_db_setup, django_db_blocker) -> Iterator[Server]:
    running = Server(DESKTOP_COMPAT="1")
    yield running
    running.kill()
    with django_db_blocker.unblock():
        end_sessions()


@pytest.fixture
def site(transactional_db, standing_site) -> Iterator[Server]:
    yield standing_site if standing_site.is_running else standing_site.start()
    wait_for_quiet()
