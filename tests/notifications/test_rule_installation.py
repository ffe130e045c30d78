"""Rules about the installation: told to administrators, once until it is over."""

import datetime as dt
from collections import namedtuple

import pytest

from calls.models import ProviderAccount
from common.instants import now
from notifications.models import Alert, Notification, Rule
from notifications.models.rules import Kind
from notifications.rules import installation
from upkeep import signals

pytestmark = pytest.mark.engines
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def roomy(monkeypatch):
    """A disk with room, whatever the machine's."""
    monkeypatch.setattr(installation.shutil, "disk_usage", lambda folder: Usage(100, 50, 50))
    installation._DOWN_SINCE.clear()


def told(kind):
    alerts = Alert.objects.filter(kind=kind)
    people = Notification.objects.filter(alert__in=alerts)
    return [*alerts], sorted(people.values_list("person__username", flat=True))


def test_a_phone_system_that_falls_silent_and_speaks_again(people):
    account = ProviderAccount.objects.create(
        kind="generic", name="pbx", silence_minutes=5, silent_since=now()
    )
    installation.watch()
    installation.watch()
    [alert], whom = told(Kind.PROVIDER_SILENT)
    assert (alert.subject, whom) == ("pbx", ["ada"])
    ProviderAccount.objects.filter(pk=account.pk).update(silent_since=None)
    installation.watch()
    alert.refresh_from_db()
    assert alert.over_at is not None


def test_a_listener_that_is_back_within_a_moment_is_no_matter(people):
    account = ProviderAccount.objects.create(kind="asterisk", name="pbx", state="not listening")
    present = now()
    installation.watch(present)
    installation.watch(present + dt.timedelta(seconds=119))
    assert told(Kind.LISTENER_DOWN) == ([], [])
    installation.watch(present + dt.timedelta(seconds=120))
    [alert], whom = told(Kind.LISTENER_DOWN)
    assert whom == ["ada"]
    ProviderAccount.objects.filter(pk=account.pk).update(state="connected")
    installation.watch(present + dt.timedelta(seconds=180))
    alert.refresh_from_db()
    assert alert.over_at is not None


def test_a_disk_that_is_nearly_full(people, monkeypatch):
    monkeypatch.setattr(installation.shutil, "disk_usage", lambda folder: Usage(100, 93, 7))
    installation.watch()
    installation.watch()
    [alert], whom = told(Kind.DISK_FULL)
    assert (alert.facts, whom) == ({"percent": 90, "value": 93.0}, ["ada"])


def test_a_job_that_fails_three_times_and_recovers(people):
    for failures in range(1, 6):
        signals.job_failed.send(None, name="calls.tasks.x", failures=failures, error="no")
    [alert], whom = told(Kind.JOB_FAILED)
    assert (alert.subject, alert.facts, whom) == ("calls.tasks.x", {"failures": 3}, ["ada"])
    signals.job_recovered.send(None, name="calls.tasks.x")
    alert.refresh_from_db()
    assert alert.over_at is not None


def test_a_backup_that_fails_until_one_is_made(people):
    for _time in range(2):
        signals.backup_failed.send(None, error="The disk is full.")
    _alerts, whom = told(Kind.BACKUP_FAILED)
    assert whom == ["ada"]
    signals.backup_made.send(None, backup=None)
    signals.backup_failed.send(None, error="The disk is full.")
    assert len(told(Kind.BACKUP_FAILED)[0]) == 2


def test_a_rule_that_is_off_is_silent(people):
    Rule.objects.filter(kind=Kind.JOB_FAILED).update(enabled=False)
    signals.job_failed.send(None, name="calls.tasks.x", failures=3, error="no")
    assert told(Kind.JOB_FAILED) == ([], [])
