"""The demo organisation: same seed, same data; every call the fold of its ledger; figures right."""

import datetime as dt
import itertools
import statistics
from collections import Counter
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Max

from accounts import roles
from accounts.models import Team, User
from calls import services, timeline
from calls.models import CallEvent, CallLog, Contact
from common.instants import now
from common.phones import to_e164
from metrics import demo
from metrics.demo.organisation import deal
from metrics.rollups.rebuild import differences
from upkeep.verification import Run, Wanted

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

# A Wednesday afternoon in Costa Rica, UTC-6.
PRESENT = dt.datetime(2026, 3, 18, 22, 10, tzinfo=dt.UTC)
SMALL = demo.Options(seed=7, days=14, calls=150)


@pytest.fixture(autouse=True)
def local_zone(settings):
    settings.TIME_ZONE = "America/Costa_Rica"
    settings.DEMO = True


def contents():
    """All that a seed decides, without the keys of rows."""
    calls = CallLog.objects.order_by("call_id").values_list(
        *("call_id", "user__username", "contact__external_id", "contact_phone", "direction"),
        *("start_time", "answered_time", "end_time", "status", "duration_seconds"),
        *("talk_seconds", "hold_seconds", "paused_seconds", "evidence", "notes"),
    )
    events = CallEvent.objects.order_by("call__call_id", "key").values_list(
        "call__call_id", "key", "kind", "occurred_at", "received_at", "source", "data"
    )
    people = User.objects.order_by("username").values_list("username", "last_name", "team__name")
    contacts = Contact.objects.order_by("external_id").values_list("name", "phone", "team__name")
    return list(calls), list(events), list(people), list(contacts)


def forget_everything():
    for model in (CallLog, Contact, User, Team):
        model.objects.all().delete()


def test_the_same_seed_gives_the_same_data_for_the_rest_of_the_hour():
    demo.seed(SMALL, PRESENT)
    first = contents()
    forget_everything()
    demo.seed(SMALL, PRESENT + dt.timedelta(minutes=35))
    assert contents() == first


def test_another_seed_gives_other_calls():
    demo.seed(SMALL, PRESENT)
    first = contents()
    forget_everything()
    demo.seed(demo.Options(seed=8, days=14, calls=150), PRESENT)
    calls, *_ = contents()
    assert len(calls) == len(first[0])
    assert not {call[0] for call in calls} & {call[0] for call in first[0]}


def test_every_call_is_the_fold_of_its_ledger():
    demo.seed(demo.Options(seed=3, days=14, calls=300), PRESENT)
    calls = list(CallLog.objects.all())
    assert len(calls) == 300
    for call in calls:
        assert services.refold(call) == []
        assert call.events.filter(key="started").exists()
    assert list(Run(Wanted()).faults()) == []


def test_the_figures_agree_with_the_calls():
    demo.seed(SMALL, PRESENT)
    assert differences() == []
    assert User.objects.get(username="agent1").metrics.calls_made > 0


def test_the_numbering_of_rows_goes_on_after_seeding():
    demo.seed(SMALL, PRESENT)
    agent = User.objects.get(username="agent3")
    call, made = services.start_call(agent)
    assert made and services.end_call(call.call_id, agent).status == timeline.COMPLETED


def test_the_calls_have_a_lifelike_shape():
    demo.seed(demo.Options(seed=1, days=28, calls=2500), PRESENT)
    calls = list(CallLog.objects.all())
    statuses = Counter(call.status for call in calls)
    assert 0.08 <= statuses["NO_ANSWER"] / len(calls) <= 0.15
    assert 0 < statuses["DROPPED"] < 0.1 * len(calls) and 0 < statuses["FAILED"] < 0.1 * len(calls)

    talks = [call.talk_seconds for call in calls if call.status == "COMPLETED"]
    assert 120 <= statistics.median(talks) <= 180
    assert statistics.mean(talks) > 1.2 * statistics.median(talks)  # lognormal: a long tail

    local = [call.start_time.astimezone(ZoneInfo("America/Costa_Rica")) for call in calls]
    hours = Counter(at.hour for at in local)
    assert hours[10] > 1.3 * hours[12] and hours[15] > 1.3 * hours[12] and hours[12] > 3 * hours[3]
    a_day = Counter(at.date() for at in local)
    weekend = [count for day, count in a_day.items() if day.weekday() >= 5]
    working = [count for day, count in a_day.items() if day.weekday() < 5]
    assert statistics.mean(weekend) < 0.3 * statistics.mean(working)
    assert len(a_day) == 28

    assert CallLog.objects.filter(hold_seconds__gt=0).exists()
    assert CallLog.objects.filter(paused_seconds__gt=0).exists()
    assert CallLog.objects.exclude(notes="").exists()
    assert {call.evidence for call in calls} == {"C", "D", "E"}
    assert 1 <= CallLog.objects.unconfirmed().count() <= 5


def test_agents_differ_and_do_not_make_two_calls_at_once():
    demo.seed(demo.Options(seed=1, days=28, calls=2500), PRESENT)
    averages = set()
    for agent in User.objects.filter(groups__name=roles.AGENT):
        calls = list(agent.calls.order_by("start_time"))
        pairs = itertools.pairwise(calls)
        assert [later for earlier, later in pairs if earlier.end_time > later.start_time] == []
        averages.add(agent.metrics.sums.avg_call_duration)
    assert len(averages) > 6 and max(averages) > 1.2 * min(averages)


def test_no_call_reaches_beyond_the_present():
    demo.seed(demo.Options(seed=5, days=3, calls=500), PRESENT)
    assert CallLog.objects.aggregate(last=Max("end_time"))["last"] <= PRESENT
    assert CallLog.objects.filter(start_time__date="2026-03-18").exists()


@pytest.mark.parametrize("moment", ["2026-03-18T06:00:00Z", "2026-03-18T06:20:00Z"])
def test_a_day_that_has_just_begun_gives_the_day_before(moment):
    """Midnight in Costa Rica is 06:00 UTC."""
    demo.seed(demo.Options(days=1, calls=20), dt.datetime.fromisoformat(moment))
    assert CallLog.objects.count() == 20
    assert CallLog.objects.aggregate(last=Max("end_time"))["last"] <= dt.datetime.fromisoformat(
        moment
    )


def test_even_a_sunday_morning_has_something_to_show_for_everyone():
    sunday = dt.datetime(2026, 3, 15, 8, 0, tzinfo=dt.UTC)  # 02:00 in Costa Rica
    demo.seed(demo.Options(days=2), sunday)
    midnight = dt.datetime(2026, 3, 15, 6, 0, tzinfo=dt.UTC)
    today = CallLog.objects.filter(end_time__gte=midnight, end_time__lte=sunday)
    assert dict(today.values_list("user__username").annotate(Count("pk"))) == {
        f"agent{number}": 5 for number in range(1, 13)
    }


def test_people_teams_roles_and_sign_in(client):
    demo.seed(SMALL, PRESENT)
    teams = Team.objects.order_by("pk")
    members = [sorted(int(u.username[5:]) for u in team.members.all()) for team in teams]
    assert members == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]
    supervised = {
        name: list(User.objects.get(username=name).supervised_teams.order_by("pk"))
        for name in ("supervisor1", "supervisor2")
    }
    assert supervised == {"supervisor1": list(teams[:2]), "supervisor2": list(teams[2:])}
    assert dict(User.objects.values_list("groups__name").annotate(Count("pk"))) == {
        roles.AGENT: 12,
        roles.SUPERVISOR: 2,
        roles.ADMIN: 1,
    }
    agent = User.objects.get(username="agent1")
    assert agent.extension == "1001" and agent.language == "" and agent.check_password("demo")


def test_contacts_are_plausible_and_belong_to_teams():
    demo.seed(SMALL, PRESENT)
    contacts = list(Contact.objects.all())
    assert len(contacts) == 300
    assert all(to_e164(one.phone) == one.phone and one.phone[4] in "245678" for one in contacts)
    assert {one.team.name for one in contacts} == {team.name for team in Team.objects.all()}
    agent = User.objects.get(username="agent1")
    assert set(agent.calls.exclude(contact=None).values_list("contact__team")) == {(agent.team_id,)}


@pytest.mark.parametrize(
    ("agents", "teams", "sizes"),
    [(12, 3, [4, 4, 4]), (10, 3, [4, 3, 3]), (2, 1, [2]), (7, 5, [2, 2, 1, 1, 1])],
)
def test_agents_are_dealt_in_even_blocks(agents, teams, sizes):
    dealt = list(deal(agents, teams))
    assert dealt == sorted(dealt)
    assert [dealt.count(team) for team in range(teams)] == sizes


def test_live_calls_are_running_and_not_stale():
    demo.seed(demo.Options(days=2, calls=50, live=True))
    running = CallLog.objects.active()
    assert running.count() == 3
    assert {call.activity for call in running} == {"talking", "held", "calling"}
    assert not running.filter(user__username="agent1").exists()
    assert services.close_stale_calls() == 0
    assert CallLog.objects.ended().aggregate(last=Max("end_time"))["last"] <= now()
    assert differences() == []


def run(*arguments, **options):
    out = StringIO()
    call_command("seed_demo", *arguments, stdout=out, **options)
    return out.getvalue()


def test_the_command_makes_exactly_the_calls_asked_for_and_never_twice():
    assert "25 calls of 5 agents in 2 teams" in run(calls=25, agents=5, teams=2, days=3)
    assert CallLog.objects.count() == 25
    assert "nothing was changed" in run(calls=25)
    assert CallLog.objects.count() == 25 and Contact.objects.count() == 200


def test_people_without_calls_get_their_calls():
    run(calls=0)
    assert (CallLog.objects.count(), User.objects.count()) == (0, 15)
    run(calls=30)
    assert (CallLog.objects.count(), User.objects.count()) == (30, 15)


def test_refused_outside_demo_mode(settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="DEMO=1"):
        run(calls=5)
    assert not User.objects.exists() and not CallLog.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--agents", "0"], "at least 1"),
        (["--days=-1"], "at least 1"),
        (["--calls", "many"], "invalid number value"),
        (["--teams", "5", "--agents", "3"], "at least one agent a team"),
    ],
)
def test_impossible_sizes_are_refused(arguments, complaint):
    with pytest.raises(CommandError, match=complaint):
        run(*arguments)
    assert not User.objects.exists()
