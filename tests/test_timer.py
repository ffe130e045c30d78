"""The timer in the header, and how lengths are written."""

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from calls import services
from calls.instants import now
from calls.models import CallLog
from calls.templatetags.calls_format import clock, duration_words, initials, percent


@pytest.fixture
def alice(client, people) -> User:
    client.force_login(people.alice)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return people.alice


def running(user: User, ago: float) -> CallLog:
    told = services.Told(now() - dt.timedelta(seconds=ago), explicit=True)
    return services.start_call(user, told=told)[0]


def words(client) -> list[str]:
    """What a reader of the timer sees, word by word."""
    body = client.get(reverse("timer")).content.decode()
    return re.sub(r"<[^>]*>", " ", body).split()[2:]  # after "Call timer:"


def drawn_in_time(client, user: User, ago: int) -> str:
    """The timer of a call of `ago` seconds, drawn before that became a second more; where the
    machine was too slow for that, of another call."""
    for _ in range(10):
        call = running(user, ago + 0.2)
        body = client.get(reverse("timer")).content.decode()
        if now() - call.start_time < dt.timedelta(seconds=ago + 1):
            return body
        call.delete()
    raise AssertionError("No answer within a second")


def test_idle_is_zero_and_grey(client, alice):
    assert words(client) == ["00:00", "No", "call"]
    body = client.get(reverse("timer")).content.decode()
    assert 'class="timer"' in body
    assert "data-clock" not in body


@pytest.mark.parametrize(
    ("ago", "shown", "level"),
    [
        (5, "00:05", "green"),
        (119, "01:59", "green"),
        (120, "02:00", "amber"),
        (300, "05:00", "red"),
        (3599, "59:59", "red"),
        (3661, "01:01:01", "red"),
    ],
)
def test_running_shows_the_length_and_its_colour(client, alice, ago, shown, level):
    body = drawn_in_time(client, alice, ago)
    assert f">{shown}<" in body
    assert f"timer-{level}" in body


def test_the_colours_follow_the_team(client, alice, people):
    people.red.amber_seconds, people.red.red_seconds = 10, 20
    people.red.save()
    running(alice, 12)
    assert "timer-amber" in client.get(reverse("timer")).content.decode()


def test_it_carries_what_a_page_needs_to_count_on(client, alice):
    running(alice, 65)
    body = client.get(reverse("timer")).content.decode()
    elapsed = int(re.search(r'data-elapsed-ms="(\d+)"', body)[1])
    assert 65_000 <= elapsed < 67_000
    assert 'data-running="1"' in body
    assert 'data-amber="120"' in body
    assert 'data-red="300"' in body


def test_a_paused_call_stands_still_and_says_so(client, alice):
    call = running(alice, 65)
    services.step(call.call_id, alice, "pause")
    body = client.get(reverse("timer")).content.decode()
    assert 'data-running="0"' in body
    assert words(client) == ["01:05", "Paused"]


def test_of_two_calls_it_shows_the_newest_that_is_not_paused(client, alice):
    running(alice, 600)
    newest = running(alice, 30)
    assert words(client) == ["00:30", "Calling", "+1"]
    services.step(newest.call_id, alice, "pause")
    assert words(client) == ["10:00", "Calling", "+1"]


def test_it_shows_one_s_own_calls_alone(client, alice, people):
    running(people.bob, 30)
    assert words(client) == ["00:00", "No", "call"]


def test_posting_is_a_sign_of_life_and_looking_is_not(client, alice, people):
    own, other = running(alice, 200), running(people.bob, 200)
    silent = own.last_seen_at
    client.get(reverse("timer"))
    own.refresh_from_db()
    assert own.last_seen_at == silent
    assert client.post(reverse("timer")).status_code == 200
    own.refresh_from_db()
    other.refresh_from_db()
    assert now() - own.last_seen_at < dt.timedelta(seconds=5)
    assert other.last_seen_at == silent or now() - other.last_seen_at > dt.timedelta(seconds=190)


def test_every_page_carries_it_and_no_cache_keeps_it(client, alice):
    running(alice, 30)
    assert 'id="timer"' in client.get("/contacts/").content.decode()
    assert "no-store" in client.get(reverse("timer"))["Cache-Control"]


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (None, "—"),
        (0, "00:00"),
        (59, "00:59"),
        (3599, "59:59"),
        (3600, "01:00:00"),
        (360000, "100:00:00"),
    ],
)
def test_clock(seconds, written):
    assert clock(seconds) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(None, "—"), (45, "45 s"), (750, "12 min 30 s"), (7500, "2 h 05 min")],
)
def test_duration_words(seconds, written):
    with translation.override("en"):
        assert duration_words(seconds) == written


def test_percent_is_written_as_the_language_does():
    with translation.override("en"):
        assert percent(66.66) == "66.7%"
    with translation.override("es"):
        assert percent(66.66).startswith("66,7")


@pytest.mark.parametrize(
    ("name", "letters"),
    [("María Solano", "MS"), ("Ana", "A"), ("Juan de la Cruz", "JC"), ("", ""), (None, "")],
)
def test_initials(name, letters):
    assert initials(name) == letters
