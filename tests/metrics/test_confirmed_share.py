"""How much of the total time the phone systems' own records confirm."""

import re
from html import unescape
from importlib import import_module

import pytest
from django.apps import apps
from django.test import Client

from accounts.models import User
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


def text_of(user: User, url: str) -> str:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return unescape(client.get(url).content.decode())


def test_it_stands_beside_the_total_time_and_leads_to_its_calls(people):
    for grade, seconds in (("A", 90), ("C", 10)):
        graded(people.alice, seconds, grade)
    rebuild()
    for viewer, page in (("alice", "/"), ("sue", "/team/"), ("ada", "/organization/")):
        text = text_of(getattr(people, viewer), page)
        said = "90.0% confirmed by the phone system"
        links = re.findall(rf'<a href="([^"]*)">{said}</a>', text)
        assert len(links) == 1
        calls = text_of(getattr(people, viewer), links[0])
        shown = re.findall(r'class="grade grade-(\w)"[^>]*>[^<]*<[^>]*>Evidence </span>', calls)
        rows = re.search(r"<tbody>(.*?)</tbody>", calls, re.DOTALL)
        assert shown and rows and set(re.findall(r"grade grade-(\w)", rows[1])) == {"a"}
    row = re.search(r"<tr>(?:(?!</tr>).)*Alice.*?</tr>", text_of(people.sue, "/team/"), re.DOTALL)
    assert row is not None
    (link,) = re.findall(r'data-label="Confirmed"><a href="([^"]*)">90.0%</a>', row[0])
    assert "agent=alice" in link and "evidence=A" in link
    assert re.search(r"<tbody>(.*?)</tbody>", text_of(people.sue, link), re.DOTALL)


def test_without_talk_time_nothing_is_said_of_it(people):
    make_call(people.alice, 30, status="NO_ANSWER")
    assert "confirmed by the phone system" not in text_of(people.alice, "/")
    assert UserMetrics.objects.get().sums.confirmed_share == 0


def test_a_figure_leads_to_the_calls_of_each_grade(people):
    graded(people.alice, 60, "A")
    text = text_of(people.sue, "/figures/total_talk_time/?period=today")
    links = re.findall(r'href="(/calls/\?start_date=[^"]*evidence=[A-E])"', text)
    assert len(set(links)) == 5
    assert "confirmed" in text
