"""The demo goes on: lifelike calls through the services, of nobody who is being tried out."""

import datetime as dt
import itertools
import random
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import ApiKey, User
from calls import services
from calls.models import CallLog
from common.instants import now
from metrics.demo.living import LivingDemo
from metrics.rollups.rebuild import differences

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

MINUTES = 12


@pytest.fixture
def begin(settings) -> dt.datetime:
    """When the demo began, with the calls of the seed running."""
    settings.DEMO = True
    call_command("seed_demo", days=2, calls=30, live=True, stdout=StringIO())
    return now()


def play(demo: LivingDemo, begin: dt.datetime, seconds: range) -> list[int]:
    """How many calls run after each step."""
    running = []
    for second in seconds:
        demo.move(begin + dt.timedelta(seconds=second))
        running.append(CallLog.objects.active().count())
    return running


def test_a_few_calls_go_on_and_come_to_their_ends(begin):
    seeded = set(CallLog.objects.values_list("pk", flat=True))
    demo = LivingDemo(random.Random(1), begin)
    running = play(demo, begin, range(0, MINUTES * 60, 3))
    assert max(running) <= 6
    assert sum(count > 0 for count in running) > 0.9 * len(running)
    assert sum(a != b for a, b in itertools.pairwise(running)) > 2 * MINUTES
    played = list(CallLog.objects.exclude(pk__in=seeded))
    assert len({call.user_id for call in played}) > 6
    assert {call.status for call in played} >= {"COMPLETED", "IN_PROGRESS"}
    assert not CallLog.objects.filter(pk__in=seeded).active().exists()
    assert all(services.refold(call) == [] for call in played)
    assert differences() == []
    demo.finish()
    assert not CallLog.objects.active().exists()
    assert not CallLog.objects.wrapping_up().exists()


def test_whoever_is_being_tried_out_has_their_calls_alone(begin):
    names = ("agent1", "agent2", "agent3", "agent4")
    first, talks, program, late = (User.objects.get(username=name) for name in names)
    Client().force_login(first)
    Client().force_login(talks)  # the seed has left her with a running call
    ApiKey.issue(program)
    own, _ = services.start_call(first)
    User.objects.filter(username__in=[f"agent{n}" for n in range(5, 13)]).update(is_active=False)
    demo = LivingDemo(random.Random(1), begin)
    play(demo, begin, range(0, 30, 3))
    (call,) = CallLog.objects.active().filter(user=late)  # nobody else is left to play
    Client().force_login(late)
    before = CallLog.objects.count()
    play(demo, begin, range(30, 900, 10))
    demo.finish()
    assert CallLog.objects.count() == before
    for mine in (own, call, talks.calls.active().get()):
        mine.refresh_from_db()
        assert mine.end_time is None
    assert not program.calls.filter(start_time__gte=begin).exists()


def test_people_who_only_have_such_names_are_not_played(people, settings):
    settings.DEMO = True
    User.objects.filter(pk=people.alice.pk).update(username="agent1", email="a@their.example")
    demo = LivingDemo(random.Random(1), now())
    demo.move(now())
    assert not CallLog.objects.exists()
