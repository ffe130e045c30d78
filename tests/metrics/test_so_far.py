"""A period that is not over is compared with as much of the one before, on every page and file."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from accounts.models import User
from calls import services
from calls.models import ProviderAccount, ProviderIdentity
from calls.services import ReportedTime
from common.instants import isoformat, local_now
from common.periods import named
from metrics.dashboard.figures import figures_of
from metrics.dashboard.selection import of_all_teams, own_selection
from tests.metrics.test_metrics import part
from tests.support.api import Api
from tests.support.people import make_call

pytestmark = pytest.mark.engines

HOUR, DAY = 3600, 86_400


def before(person: User, url: str, key: str = "figures") -> int:
    """How many calls a page compares with."""
    client = Client()
    client.force_login(person)
    shown = client.get(url).context[key]
    return (shown.previous if key == "figures" else shown.before).calls_made


@pytest.fixture
def yesterday(people, noon):
    """Alice: one call before this time yesterday, one that went on past it, and one after it."""
    make_call(people.alice, 60, ago=DAY + HOUR)
    make_call(people.alice, 2 * HOUR, ago=DAY + HOUR)
    make_call(people.alice, 60, ago=DAY - HOUR)
    make_call(people.alice, 60, ago=HOUR)
    return people


def test_today_is_compared_with_what_had_ended_by_this_time_yesterday(yesterday):
    people = yesterday
    for who, url in (
        (people.alice, "/"),
        (people.alice, f"/agents/{people.alice.pk}/"),
        (people.alice, "/figures/calls_made/"),
        (people.sue, "/team/"),
        (people.ada, f"/team/?team={people.red.pk}"),
        (people.ada, "/organization/"),
        (people.sue, "/reports/?period=today"),
    ):
        assert before(who, url) == 1, url
    assert before(people.ada, "/reports/?period=today", "report") == 1
    # Of a day that is over, all counts.
    day = local_now().date()
    assert before(people.alice, f"/?from={day - dt.timedelta(days=1)}&to={day}") == 0
    tomorrow = day + dt.timedelta(days=1)
    assert before(people.alice, f"/?from={day}&to={tomorrow}") == 0
    assert before(people.alice, f"/?from={day}&to={day}") == 1


def test_programs_and_files_say_up_to_when(yesterday):
    api = Api(yesterday.ada)
    body = api.get("reports/summary", period="today").json()["before"]
    present = local_now()
    assert body["calls_made"] == 1
    until = dt.datetime.fromisoformat(body["until"])
    assert dt.timedelta() <= present - dt.timedelta(days=1) - until < dt.timedelta(minutes=2)
    assert isoformat(until) == body["until"] and until.second == 0
    assert api.get("reports/summary", period="yesterday").json()["before"]["until"] is None
    table = api.get("reports/summary.csv?period=today&bom=0").getvalue().decode()
    assert f"until {until.astimezone(present.tzinfo):%H:%M}," in table.splitlines()[2]


def call_at(person: User, start: dt.datetime, seconds: int = 60) -> None:
    call, _ = services.start_call(person, reported=ReportedTime(start, explicit=True))
    end = start + dt.timedelta(seconds=seconds)
    services.end_call(call.call_id, person, reported=ReportedTime(end, explicit=True))


@pytest.mark.parametrize(
    ("present", "hours", "counted"),
    [
        # The day before has no 2:30, and 3:30 takes its place.
        ((2026, 3, 30, 2, 30), (0, 1, 3, 4), 3),
        ((2026, 3, 30, 1, 30), (0, 1, 3, 4), 2),
        # The day before has 2:30 twice; the first is as far into the day.
        ((2026, 10, 26, 2, 30), (0, 1, 2, 4), 3),
        # Today has it twice, the day before once.
        ((2026, 10, 25, 2, 30), (0, 1, 2, 4), 3),
    ],
)
def test_days_of_clock_changes_are_compared_by_the_clock(people, settings, present, hours, counted):
    settings.TIME_ZONE = "Europe/Madrid"
    period = named("today", dt.datetime(*present))
    for hour in hours:
        start = dt.datetime.combine(
            period.previous_last, dt.time(hour, 10), ZoneInfo("Europe/Madrid")
        )
        call_at(people.alice, start)
    for chosen in (own_selection(people.alice), of_all_teams(people.ada)):
        assert figures_of(chosen, period).previous.calls_made == counted


def test_a_call_of_several_counts_once_by_then_too(people, noon, settings):
    account = ProviderAccount.objects.create(kind="generic", name="pbx")
    for user in (people.alice, people.bob):
        ProviderIdentity.objects.create(account=account, identity=user.username, user=user)
    begun = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    for conversation, hours in (("early", -2), ("late", 1)):
        for user in (people.alice, people.bob):
            part(people, user, begun + dt.timedelta(hours=hours), conversation)
    assert before(people.sue, "/team/") == before(people.alice, "/") == 1
    assert before(people.ada, "/organization/") == 1


def test_a_week_and_a_month_end_at_this_time_of_their_day(people, settings):
    settings.TIME_ZONE = "UTC"
    for day in (16, 18):
        for hour in (9, 11):
            call_at(people.alice, dt.datetime(2026, 11, day, hour, tzinfo=dt.UTC))
    for day in (24, 25):
        for hour in (9, 11):
            call_at(people.alice, dt.datetime(2026, 10, day, hour, tzinfo=dt.UTC))
    chosen = own_selection(people.alice)
    present = dt.datetime(2026, 11, 25, 10, 40)
    assert figures_of(chosen, named("week", present)).previous.calls_made == 3
    assert figures_of(chosen, named("month", present)).previous.calls_made == 3
    assert figures_of(chosen, named("last_week", present)).sums.calls_made == 4
