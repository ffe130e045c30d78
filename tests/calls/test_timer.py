"""The timer in the header, and how lengths are written."""

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from calls import services
from calls.active_calls import RunningCall
from calls.models import CallLog
from calls.templatetags.calls_format import clock, duration_words, initials, percent
from common.instants import now, to_ms

pytestmark = pytest.mark.once


@pytest.fixture
def alice(client, people) -> User:
    client.force_login(people.alice)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return people.alice


def running(user: User, ago: float) -> CallLog:
    reported = services.ReportedTime(now() - dt.timedelta(seconds=ago), explicit=True)
    return services.start_call(user, reported=reported)[0]


def pause(call: CallLog, second: int) -> None:
    """Pauses the call at that second of it: there its clock stands."""
    reported = services.ReportedTime(call.start_time + dt.timedelta(seconds=second), explicit=True)
    services.step(call.call_id, call.user, "pause", reported=reported)


def words_in(body: str) -> list[str]:
    return re.sub(r"<[^>]*>", " ", body).split()[2:]  # after "Call timer:"


def words(client) -> list[str]:
    """What a reader of the timer sees, word by word."""
    return words_in(client.get(reverse("timer")).content.decode())


def drawn(client, call: CallLog) -> tuple[str, int]:
    """The timer as it shows `call`, and the ms that it counts: those that it ran when drawn."""
    before = now()
    body = client.get(reverse("timer")).content.decode()
    after = now()
    assert f'data-call="{call.pk}"' in body
    elapsed = int(re.search(r'data-elapsed-ms="(\d+)"', body)[1])
    assert to_ms(before) <= to_ms(call.start_time) + elapsed <= to_ms(after)
    return body, elapsed


def test_idle_is_zero_and_grey(client, alice):
    assert words(client) == ["00:00", "No", "call"]
    body = client.get(reverse("timer")).content.decode()
    assert 'class="timer"' in body
    assert "data-clock" not in body


@pytest.mark.parametrize(("ago", "level"), [(5, "green"), (200, "amber"), (3661, "red")])
def test_running_shows_the_length_and_its_colour(client, alice, ago, level):
    body, elapsed = drawn(client, running(alice, ago))
    assert f">{clock(elapsed // 1000)}<" in body
    assert f"timer-{level}" in body


@pytest.mark.parametrize(
    ("elapsed_ms", "shown", "level"),
    [
        (119_999, "01:59", "green"),
        (120_000, "02:00", "amber"),
        (299_999, "04:59", "amber"),
        (300_000, "05:00", "red"),
    ],
)
def test_the_colour_turns_with_the_second_that_is_shown(elapsed_ms, shown, level):
    one = RunningCall(CallLog(), elapsed_ms, amber=120, red=300)
    assert (clock(one.seconds), one.level) == (shown, level)


def test_the_colours_follow_the_team(client, alice, people):
    people.red.amber_seconds, people.red.red_seconds = 10, 1000
    people.red.save()
    running(alice, 12)
    assert "timer-amber" in client.get(reverse("timer")).content.decode()


def test_it_carries_what_a_page_needs_to_count_on(client, alice):
    body, _ = drawn(client, running(alice, 65))
    assert 'data-running="1"' in body
    assert 'data-amber="120"' in body
    assert 'data-red="300"' in body


def test_a_paused_call_stands_still_and_says_so(client, alice):
    pause(running(alice, 600), 65)
    body = client.get(reverse("timer")).content.decode()
    assert 'data-running="0"' in body
    assert words_in(body) == ["01:05", "Paused"]


def test_of_two_calls_it_shows_the_newest_that_is_not_paused(client, alice):
    oldest, newest = running(alice, 600), running(alice, 30)
    for shown in (newest, oldest):
        body, _ = drawn(client, shown)
        assert words_in(body)[1:] == ["Calling", "+1"]
        pause(newest, 20)


def test_it_shows_one_s_own_calls_alone(client, alice, people):
    running(people.bob, 30)
    assert words(client) == ["00:00", "No", "call"]


def test_posting_is_a_sign_of_life_and_looking_is_not(client, alice, people):
    own, other = running(alice, 200), running(people.bob, 200)
    silent, others = own.last_seen_at, other.last_seen_at
    client.get(reverse("timer"))
    own.refresh_from_db()
    assert own.last_seen_at == silent
    before = now()
    assert client.post(reverse("timer")).status_code == 200
    own.refresh_from_db()
    other.refresh_from_db()
    assert before <= own.last_seen_at <= now()
    assert other.last_seen_at == others


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
        assert duration_words(seconds) == written.replace(" ", "\N{NO-BREAK SPACE}")


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
