"""A demo's alerts: those that its rules would have told, and only of calls that are over."""

import datetime as dt

import pytest

from notifications.models import Alert, Notification, Rule
from notifications.rules import demo, timers
from tests.support.people import make_call

pytestmark = pytest.mark.once


def test_a_demo_has_the_alerts_of_its_last_days(people):
    rule = Rule.objects.get(standard="long_call")
    old = make_call(people.alice, 700, ago=3 * 86_400)
    new = make_call(people.bob, 1300, ago=8 * 3600)
    make_call(people.alice, 590, ago=86_400)
    assert demo.seed() == 3  # of the longer call, its supervisors are told, too
    assert set(rule.alerts.values_list("call", flat=True)) == {old.pk, new.pk}
    for alert in Alert.objects.select_related("call"):
        assert alert.over_at == alert.call.end_time
        assert alert.fired_at == alert.reached_at + dt.timedelta(seconds=1)
    unread = Notification.objects.filter(read_at=None)
    assert set(unread.values_list("person__username", flat=True)) == {"bob", "sue"}


def test_a_worker_does_not_fire_for_them_again(people):
    make_call(people.alice, 700, ago=86_400)
    demo.seed()
    timers.watch()
    assert Alert.objects.count() == 1
