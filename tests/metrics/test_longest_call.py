"""The longest call: the greatest of its kind, which nothing can be taken away from."""

import datetime as dt
from importlib import import_module

import pytest
from django.apps import apps

from accounts.models import User
from calls import services
from calls.models import CallLog, ProviderAccount, ProviderIdentity
from calls.providers.base import ProviderEvent
from calls.services import ReportedTime
from calls.telephony import intake
from common.instants import from_ms, local_day, now, to_ms, today
from metrics.models import DailyMetrics, UserMetrics
from metrics.rollups.daily import own_sums, sums_by, sums_of, totals_of
from metrics.rollups.rebuild import differences, rebuild
from tests.support.people import make_call, yesterday_noon

pytestmark = [pytest.mark.usefixtures("noon"), pytest.mark.engines]

DAY = 86_400


def longest_by_day(user: User) -> list[int]:
    return list(user.daily_metrics.order_by("day").values_list("longest_call", flat=True))


@pytest.fixture
def noon_yesterday() -> dt.datetime:
    return from_ms(yesterday_noon())


def test_it_is_the_greatest_talk_time_of_a_day_and_of_all(people):
    for seconds, ago in ((30, 3600), (90, 1800), (60, DAY), (20, DAY + 600)):
        make_call(people.alice, seconds, ago=ago)
    make_call(people.alice, 500, ago=2000, status="NO_ANSWER")  # nobody talked
    assert longest_by_day(people.alice) == [60, 90]
    assert totals_of(people.alice.pk).longest_call == 90
    yesterday = today() - dt.timedelta(days=1)
    assert own_sums(people.alice, yesterday, yesterday).longest_call == 60
    assert own_sums(people.alice, yesterday, today()).longest_call == 90
    assert differences() == []


def test_without_hold_and_pause(people, noon_yesterday):
    def moment(seconds):
        return ReportedTime(noon_yesterday + dt.timedelta(seconds=seconds), explicit=True)

    call, _ = services.start_call(people.alice, reported=moment(0))
    steps = ("answer", 10), ("hold", 20), ("resume", 50), ("pause", 60), ("unpause", 75)
    for action, seconds in steps:
        services.step(call.call_id, people.alice, action, reported=moment(seconds))
    services.end_call(call.call_id, people.alice, status="COMPLETED", reported=moment(100))
    assert totals_of(people.alice.pk).longest_call == 90 - 30 - 15


def test_a_corrected_or_deleted_call_gives_way_to_the_next(people):
    make_call(people.alice, 40)
    longest = make_call(people.alice, 100)
    services.correct_call(longest, people.ada, reason="r", status="NO_ANSWER")
    assert totals_of(people.alice.pk).longest_call == 40
    services.correct_call(longest, people.ada, reason="r", status="COMPLETED")
    assert totals_of(people.alice.pk).longest_call == 100
    CallLog.objects.get(pk=longest.pk).delete()
    assert totals_of(people.alice.pk).longest_call == longest_by_day(people.alice)[0] == 40
    CallLog.objects.all().delete()
    assert totals_of(people.alice.pk).longest_call == 0


def test_an_unconfirmed_call_is_none(people):
    call, _ = services.start_call(
        people.alice, reported=ReportedTime(now() - dt.timedelta(seconds=1000), explicit=True)
    )
    services.heartbeat_all(people.alice)
    CallLog.objects.update(last_seen_at=call.start_time + dt.timedelta(seconds=50))
    services.close_stale_calls()
    assert totals_of(people.alice.pk).longest_call == 0
    services.correct_call(call, people.sue, reason="confirmed")
    assert totals_of(people.alice.pk).longest_call == 50


def test_a_team_counts_a_shared_call_once_and_keeps_its_longest_part(people, noon_yesterday):
    account = ProviderAccount.objects.create(kind="generic", name="pbx")
    for number, (user, seconds) in enumerate(((people.alice, 300), (people.bob, 40))):
        ProviderIdentity.objects.create(account=account, identity=user.username, user=user)
        begun = to_ms(noon_yesterday) + number * 400_000
        part = {"call": user.username, "conversation": "talk"}
        events = [
            ProviderEvent("started", at=begun, agents=(user.username,), **part),
            ProviderEvent("ended", at=begun + seconds * 1000, data={"status": "DROPPED"}, **part),
        ]
        intake.record(account, events, received=now())
    make_call(people.carol, 70)
    day, everyone = local_day(noon_yesterday), User.objects.all()
    red = sums_of([people.alice.pk, people.bob.pk], day, day)
    assert (red.calls_made, red.longest_call) == (1, 300)
    by_team = sums_by("user__team", everyone, day, today())
    assert {team: sums.longest_call for team, sums in by_team.items()} == {
        people.red.pk: 300,
        people.blue.pk: 70,
    }
    assert by_team.total.longest_call == sums_of(everyone, day, today()).longest_call == 300


@pytest.mark.parametrize("zone", ["UTC", "America/Costa_Rica", "Pacific/Auckland"])
def test_the_migration_fills_the_past_as_a_rebuild_does(people, settings, zone):
    settings.TIME_ZONE = zone
    for number, user in enumerate([people.alice, people.bob, people.carol] * 4):
        make_call(user, 10 + number, ago=30_000 * number + 3600)
    make_call(people.bob, 5000, ago=9000, status="FAILED")
    unconfirmed = make_call(people.alice, 9000, ago=10_000)
    CallLog.objects.filter(pk=unconfirmed.pk).update(evidence="E")
    rebuild()
    rows = sorted(DailyMetrics.objects.values_list("user", "day", "longest_call"))
    DailyMetrics.objects.update(longest_call=0)
    UserMetrics.objects.update(longest_call=0)
    import_module("metrics.migrations.0006_longest_call").fill(apps, None)
    assert sorted(DailyMetrics.objects.values_list("user", "day", "longest_call")) == rows
    assert differences() == []
