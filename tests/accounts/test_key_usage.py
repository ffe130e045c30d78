"""When keys were last used is written aside, where a server runs, and never lost but to a kill."""

import datetime as dt

import pytest
from django.db import OperationalError, connection

from accounts.key_usage import KeyUsage
from accounts.models import ApiKey
from common.instants import now

pytestmark = pytest.mark.engines


@pytest.fixture
def key(people) -> ApiKey:
    return ApiKey.issue(people.alice, "k")[0]


def used(key: ApiKey) -> dt.datetime | None:
    return ApiKey.objects.get(pk=key.pk).last_used_at


def test_without_a_writer_it_is_written_at_once(key):
    usage, instant = KeyUsage(), now()
    usage.note(key.pk, instant)
    assert (used(key), usage.noted(key.pk)) == (instant, None)


def test_the_newest_of_several_is_written(key):
    usage, instant = KeyUsage(), now()
    usage._writer = object()  # type: ignore[assignment]  # one that does nothing
    usage.note(key.pk, instant - dt.timedelta(seconds=90))
    usage.note(key.pk, instant)
    assert (used(key), usage.noted(key.pk)) == (None, instant)
    usage.write()
    assert (used(key), usage.noted(key.pk)) == (instant, None)


def test_what_cannot_be_written_is_kept(key):
    usage, instant = KeyUsage(), now()
    usage._writer = object()  # type: ignore[assignment]
    usage.note(key.pk, instant)

    def refuse(*args: object) -> None:
        raise OperationalError("database is locked")

    with connection.execute_wrapper(refuse), pytest.raises(OperationalError):
        usage.write()
    assert usage.noted(key.pk) == instant
    usage.write()
    assert used(key) == instant
