"""How much of the total time the phone systems' own records confirm."""

from importlib import import_module

import pytest
from django.apps import apps

from calls.models import CallLog
from metrics.definitions import Sums
from metrics.models import DailyMetrics, UserMetrics, WeeklyMetrics
from metrics.rollups.daily import totals_of
from metrics.rollups.rebuild import differences, rebuild
from tests.support.people import make_call

pytestmark = [pytest.mark.usefixtures("noon"), pytest.mark.engines]

TABLES = (DailyMetrics, WeeklyMetrics, UserMetrics)


def graded(user, seconds: int, grade: str, **fields) -> CallLog:
    call = make_call(user, seconds, **fields)
    CallLog.objects.filter(pk=call.pk).update(evidence=grade)
    return call


def test_it_is_the_talk_time_of_confirmed_calls_of_all_talk_time(people):
    for grade, seconds in zip("ABCDE", (300, 60, 30, 10, 5000), strict=True):
        graded(people.alice, seconds, grade)
    graded(people.alice, 900, "A", status="NO_ANSWER")  # nobody talked
    rebuild()
    sums = totals_of(people.alice.pk)
    assert (sums.confirmed_seconds, sums.total_talk_time) == (300, 400)
    assert sums.confirmed_share == 75
    assert Sums().confirmed_share == 0


@pytest.mark.parametrize("zone", ["UTC", "America/Costa_Rica", "Pacific/Auckland"])
def test_the_migration_fills_the_past_as_a_rebuild_does(people, settings, zone):
    settings.TIME_ZONE = zone
    for number, user in enumerate([people.alice, people.bob, people.carol] * 6):
        graded(user, 10 + number, "AABCDE"[number // 3], ago=30_000 * number + 3600)
    rebuild()
    for table in TABLES:
        table.objects.update(confirmed_seconds=0)
    assert differences()
    import_module("metrics.migrations.0008_confirmed_seconds").fill(apps, None)
    assert differences() == []
    assert totals_of(people.alice.pk).confirmed_seconds == 10 + 13
