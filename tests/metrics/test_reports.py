"""The report of a period: on screen, as files, and for programs."""

import csv
import datetime as dt
import io
import re

import openpyxl
import pytest
from django.test import Client

from accounts.models import User
from calls import services, timeline
from common.instants import day_start, today
from metrics.models import DailyMetrics
from tests.metrics.test_export_files import unpacked
from tests.support.api import Api, error_of

# At noon, yesterday stays the same day.
pytestmark = [pytest.mark.usefixtures("noon"), pytest.mark.engines]

YESTERDAY = "period=yesterday"


def client_of(user: User, language: str = "en") -> Client:
    client = Client(headers={"Accept-Language": language})
    client.force_login(user)
    return client


def call_on(user: User, day: dt.date, seconds: int, status: str = timeline.COMPLETED) -> None:
    begun = day_start(day) + dt.timedelta(hours=10)
    call, _ = services.start_call(user, reported=services.ReportedTime(begun, explicit=True))
    ended = services.ReportedTime(begun + dt.timedelta(seconds=seconds), explicit=True)
    services.end_call(call.call_id, user, status=status, reported=ended)


@pytest.fixture
def yesterday(people) -> dt.date:
    """Calls of yesterday, and of the day before with which it is compared."""
    day = today() - dt.timedelta(days=1)
    call_on(people.alice, day, 100)
    call_on(people.alice, day, 20, timeline.NO_ANSWER)
    call_on(people.bob, day, 50)
    call_on(people.carol, day, 25)
    call_on(people.carol, day - dt.timedelta(days=1), 10)
    return day


def test_the_report_of_those_one_may_see(people, yesterday):
    report = client_of(people.ada).get(f"/reports/?{YESTERDAY}").context["report"]
    assert (report.sums.calls_made, report.sums.total_talk_time) == (4, 175)
    assert report.before.calls_made == 1
    assert [(line.name, line.sums.calls_made) for line in report.teams] == [("Blue", 1), ("Red", 3)]
    agents = [(line.name, line.team, line.sums.total_talk_time) for line in report.agents]
    assert agents == [("Carol", "Blue", 25), ("Alice", "Red", 100), ("Bob", "Red", 50)]
    report = client_of(people.sue).get(f"/reports/?{YESTERDAY}").context["report"]
    assert report.sums.total_talk_time == 150
    assert [line.name for line in report.teams] == ["Red"]
    assert [line.name for line in report.agents] == ["Alice", "Bob"]


def test_this_month_is_shown_unless_another_period_is_asked_for(people):
    response = client_of(people.ada).get("/reports/")
    assert response.context["report"].period.name == "month"
    assert len(response.context["report"].days) == today().day
    days = "from=2026-02-01&to=2026-02-28"
    assert len(client_of(people.ada).get(f"/reports/?{days}").context["report"].days) == 28


def test_every_line_leads_to_its_calls(people, yesterday):
    client = client_of(people.ada)
    text = client.get(f"/reports/?{YESTERDAY}").content.decode()
    link = f"/calls/?agent=alice&amp;{YESTERDAY}"
    assert link in text
    assert len(client.get(link.replace("&amp;", "&")).context["calls"]) == 2


def test_a_long_table_shows_its_first_lines_and_the_way_to_the_rest(people):
    for number in range(60):
        User.objects.create_user(f"agent{number}", team=people.red)
    client = client_of(people.ada)
    page = client.get(f"/reports/?{YESTERDAY}")
    assert page.content.decode().count("?agent=") == 50
    assert "Show 13 more" in page.content.decode()  # with Alice, Bob and Carol
    page = client.get(f"/reports/?{page.context['tables']['agents'].all_query}")
    assert page.context["report"].period.name == "yesterday"
    assert page.content.decode().count("?agent=") == 63


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("period=never", "There is no such period."),
        ("from=2026-01-02&to=2026-01-01", "The first day is after the last day."),
        ("from=x&to=y", "Write a date as YYYY-MM-DD."),
    ],
)
def test_a_period_that_cannot_be_read_is_said(people, query, words):
    client = client_of(people.ada)
    response = client.get(f"/reports/?{query}")
    assert response.status_code == 400
    assert words in response.content.decode()
    for form in ("csv", "xlsx", "pdf"):
        assert client.get(f"/reports/export.{form}?{query}").status_code == 400
    for table in ("summary", "agents.csv", "days.xlsx"):
        error_of(Api(people.ada).get(f"reports/{table}?{query}"), 400)


def test_a_table_is_a_csv_file(people, yesterday):
    client = client_of(people.ada)
    url = f"/reports/export.csv?{YESTERDAY}&bom=0"
    (row,) = csv.DictReader(io.StringIO(client.get(f"{url}&table=days").getvalue().decode()))
    assert row["day"] == str(yesterday)
    assert (row["calls_made"], row["avg_call_duration"], row["success_rate"]) == ("4", "43", "75.0")
    rows = list(csv.DictReader(io.StringIO(client.get(url).getvalue().decode())))
    assert [row["username"] for row in rows] == ["carol", "alice", "bob"]
    assert client.get(f"{url}&table=salaries").status_code == 400
    assert client.get(f"{url}&separator=pipe").status_code == 400


def test_the_workbook_has_every_table(people, yesterday):
    content = client_of(people.ada).get(f"/reports/export.xlsx?{YESTERDAY}").getvalue()
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["Summary", "Summary of the period", "Teams", "Agents", "Days"]
    head, row = book["Days"].iter_rows(values_only=True)
    assert row[0] == dt.datetime.combine(yesterday, dt.time())
    assert dict(zip(head, row, strict=True))["Total time"] == dt.timedelta(seconds=175)


def test_the_report_is_a_pdf_with_a_drawing(people, yesterday):
    response = client_of(people.sue).get(f"/reports/export.pdf?{YESTERDAY}")
    assert response["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-")
    # The only day's bar, of 100: two of three calls were answered.
    assert re.findall(rb"^1 \d+ 8 (\d+) re$", unpacked(response.content), re.M) == [b"66", b"33"]


def test_programs_read_the_report(people, yesterday):
    api = Api(people.sue)
    body = api.get("reports/summary", period="yesterday").json()
    assert (body["from"], body["calls_made"], body["before"]["calls_made"]) == (
        str(yesterday),
        3,
        0,
    )
    assert body["before"]["to"] == str(yesterday - dt.timedelta(days=1))
    body = api.get("reports/agents", **{"from": yesterday, "to": yesterday}).json()
    alice = next(line for line in body["agents"] if line["username"] == "alice")
    assert (alice["user_id"], alice["team"], alice["calls_made"]) == (people.alice.pk, "Red", 2)
    (red,) = [t for t in api.get(f"reports/teams?{YESTERDAY}").json()["teams"] if t["name"]]
    assert (red["team_id"], red["total_talk_time"]) == (people.red.pk, 150)
    (day,) = api.get(f"reports/days?{YESTERDAY}").json()["days"]
    assert (day["day"], day["calls_failed"]) == (str(yesterday), 1)


def test_programs_take_tables_as_files(people, yesterday):
    api = Api(people.ada)
    answer = api.get(f"reports/teams.csv?{YESTERDAY}&bom=0&separator=semicolon")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.getvalue().decode().splitlines()[1].startswith("Blue;1;1;0;25;25;")
    page = openpyxl.load_workbook(io.BytesIO(api.get(f"reports/teams.xlsx?{YESTERDAY}").getvalue()))
    assert page.sheetnames == ["Summary", "Teams"]
    error_of(api.get("reports/teams?perod=week"), 400, "perod")
    error_of(api.get("reports/teams.csv?separator=pipe"), 400, "separator")


def test_only_those_who_see_others_have_reports(people):
    error_of(Api(people.alice).get("reports/summary"), 403)
    text = client_of(people.alice).get("/calls/").content.decode()
    assert 'href="/reports/"' not in text
    assert 'href="/reports/"' in client_of(people.sue).get("/calls/").content.decode()


def test_a_report_asks_few_queries_whoever_is_in_it(people, django_assert_max_num_queries):
    for number in range(60):
        user = User.objects.create_user(f"agent{number}", team=people.red)
        DailyMetrics.objects.create(
            user=user, day=today(), calls_made=1, calls_success=1, total_talk_time=9
        )
    client = client_of(people.ada)
    with django_assert_max_num_queries(12):
        report = client.get("/reports/?period=today").context["report"]
    assert report.sums.calls_made == 60
