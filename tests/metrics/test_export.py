"""Calls as a CSV file: whose, which, how written, and safe to open."""

import csv
import datetime as dt
import io
import socket

import httpx
import pytest
from django.test import Client
from django.utils.timezone import localtime

from accounts.models import User
from calls import timeline
from calls.models import CallLog, Contact
from common.instants import UTC, isoformat, today
from metrics.exports import calls as exports
from tests.support.browsing import session_cookie
from tests.support.patience import PATIENCE
from tests.support.people import make_call, many_calls

pytestmark = pytest.mark.engines

URL = "/calls/export.csv"


def export(user: User, url: str = URL) -> list[dict[str, str]]:
    client = Client()
    client.force_login(user)
    response = client.get(url)
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_a_line_says_everything_about_its_call(people):
    contact = Contact.objects.create(name="Ñandú S. A.", phone="+50651234567", owner=people.alice)
    call = make_call(people.alice, 75, contact=contact)
    (line,) = export(people.alice)
    assert line == {
        "call_id": str(call.call_id),
        "agent": "Alice",
        "team": "Red",
        "contact": "Ñandú S. A.",
        "phone": "'+50651234567",
        "direction": "outbound",
        "status": "COMPLETED",
        "start": isoformat(call.start_time),
        "answered": "",
        "end": isoformat(call.end_time),
        "duration_seconds": "75",
        "talk_seconds": "75",
        "ring_seconds": "0",
        "hold_seconds": "0",
        "paused_seconds": "0",
        "evidence": "C",
        "notes": "",
    }


def test_a_file_name_with_the_day_and_the_type(people, client):
    client.force_login(people.alice)
    days = {today()}
    response = client.get(URL)
    days.add(today())  # midnight may have struck meanwhile
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    names = [f'attachment; filename="calls-{day:%Y-%m-%d}.csv"' for day in days]
    assert response["Content-Disposition"] in names


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_runs_as_a_formula(people, start):
    nasty = f'{start}cmd|"/c calc"!A1'
    User.objects.filter(pk=people.alice.pk).update(first_name=nasty, last_name="")
    contact = Contact.objects.create(name=nasty, phone="88887777", owner=people.alice)
    make_call(people.alice, contact=contact)
    CallLog.objects.update(notes=nasty)
    (line,) = export(people.ada)
    assert (line["contact"], line["notes"]) == (f"'{nasty}", f"'{nasty}")
    assert not line["agent"].startswith(start)


def test_notes_of_several_lines_stay_one_cell(people):
    notes = 'First, "quoted"\nsecond; line\r\nthird'
    make_call(people.alice)
    CallLog.objects.update(notes=notes)
    (line,) = export(people.alice)
    assert line["notes"] == notes


def test_newest_first_and_whole_over_many_chunks(people, monkeypatch):
    monkeypatch.setattr(exports, "CHUNK", 2)
    made = [make_call(people.alice, ago=ago) for ago in (500, 400, 300, 200, 100)]
    CallLog.objects.filter(pk=made[2].pk).update(start_time=made[1].start_time)
    expected = CallLog.objects.order_by("-start_time", "-pk").values_list("call_id", flat=True)
    assert [line["call_id"] for line in export(people.alice)] == [str(pk) for pk in expected]


def test_chunks_that_end_within_a_millisecond_leave_nothing_out(people, monkeypatch):
    """No call of ours begins between two milliseconds, but a file is whole whatever there is."""
    monkeypatch.setattr(exports, "CHUNK", 2)
    start = dt.datetime(2026, 1, 31, 13, 45, tzinfo=UTC)
    for microsecond in (0, 1, 1, 999, 1000, 1001):
        CallLog.objects.create(user=people.alice, start_time=start.replace(microsecond=microsecond))
    expected = CallLog.objects.newest_first().values_list("call_id", flat=True)
    assert [line["call_id"] for line in export(people.alice)] == [str(pk) for pk in expected]


def test_everybody_takes_only_what_they_may_see(people):
    for person in (people.alice, people.bob, people.carol):
        make_call(person)
    agents = {
        p: sorted(x["agent"] for x in export(p)) for p in (people.alice, people.sue, people.ada)
    }
    assert agents[people.alice] == ["Alice"]
    assert agents[people.sue] == ["Alice", "Bob"]
    assert agents[people.ada] == ["Alice", "Bob", "Carol"]


def test_the_same_filters_as_the_history(people):
    make_call(people.alice, status=timeline.FAILED)
    wanted = make_call(people.bob, status=timeline.FAILED)
    make_call(people.bob)
    day = localtime(wanted.start_time).date()
    lines = export(people.sue, f"{URL}?agent=bob&status=FAILED&start_date={day}&team=")
    assert [line["call_id"] for line in lines] == [str(wanted.call_id)]


@pytest.mark.parametrize("query", ["status=LOST", "start_date=2026-02-30", "team=red"])
def test_a_filter_that_cannot_be_read_gives_no_file(people, client, query):
    client.force_login(people.sue)
    assert client.get(f"{URL}?{query}").status_code == 400


def test_whoever_is_not_signed_in_gets_no_file(people, client):
    assert client.get(URL).status_code == 302


def test_whoever_may_not_export_gets_no_file(people, client):
    people.alice.groups.clear()
    client.force_login(people.alice)
    assert client.get(URL).status_code == 403


def test_the_number_of_queries_does_not_grow_with_the_calls_of_a_chunk(
    people, client, django_assert_max_num_queries
):
    for ago in range(100, 600, 20):
        make_call(people.alice, 5, ago=ago)
        make_call(people.bob, 5, ago=ago)
    client.force_login(people.sue)
    with django_assert_max_num_queries(12):
        b"".join(client.get(URL).streaming_content)


@pytest.mark.server
def test_readers_who_go_away_in_mid_stream_cost_the_site_nothing(live_people, server):
    rows = exports.CHUNK + 100  # they go away before the second chunk
    many_calls(live_people.alice, rows, notes="x" * 1_000)
    cookie, url = session_cookie(live_people.alice), f"{URL}?columns=start,notes"
    request = f"GET {url} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: sessionid={cookie}\r\n\r\n"
    for _ in range(6):  # more than there are threads
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as line:
            line.sendall(request.encode())
            assert line.recv(4096).startswith(b"HTTP/1.1 200")
    cookies = {"sessionid": cookie}
    with httpx.Client(base_url=server.url, cookies=cookies, timeout=PATIENCE) as browser:
        assert len(browser.get(url).text.splitlines()) == rows + 2
        assert browser.get("/calls/").status_code == 200
