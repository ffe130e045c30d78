"""CSV files that people take from the pages open in their own Excel; programs choose."""

import csv
import datetime as dt
import html
import io
import re

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import translation

from accounts.models import User
from calls import services, timeline
from calls.models import CallLog
from metrics.exports import jobs
from metrics.tasks import write_export
from tests.support.api import Api, error_of

pytestmark = pytest.mark.engines

START = dt.datetime(2025, 10, 26, 0, 59, 58, 250_000, tzinfo=dt.UTC)  # clocks go back at 1:00


@pytest.fixture(autouse=True)
def in_madrid(settings):
    settings.TIME_ZONE = "Europe/Madrid"


def client_of(user: User, language: str) -> Client:
    client = Client(headers={"Accept-Language": language})
    client.force_login(user)
    return client


@pytest.fixture
def inaki(people) -> User:
    people.alice.first_name, people.alice.last_name = "Iñaki", "Núñez"
    people.alice.save()
    begun, ended = map(services.ReportedTime, (START, START + dt.timedelta(seconds=10)))
    for status in (timeline.COMPLETED, timeline.DROPPED, timeline.DROPPED):
        call, _ = services.start_call(people.alice, reported=begun)
        services.end_call(call.call_id, people.alice, status=status, reported=ended)
    return people.alice


def file_of(client: Client, page: str) -> list[str]:
    """What the page's own link to a CSV gives."""
    text = client.get(page).content.decode()
    link = next(
        html.unescape(url) for url in re.findall(r'href="([^"]*)"', text) if "export.csv" in url
    )
    link = link if link.startswith("/") else page.split("?")[0] + link
    answer = client.get(link).getvalue().decode()
    assert answer.startswith("\ufeff")
    return answer.removeprefix("\ufeff").split("\r\n")


def test_calls_of_a_spanish_reader(people, inaki):
    page = "/calls/?columns=start,agent,answered,end,duration_seconds"
    first, *lines = file_of(client_of(people.ada, "es"), page)
    assert first == "Inicio;Agente;Contestada;Fin;Duración"
    assert lines[:3] == ["2025-10-26 02:59:58;Iñaki Núñez;;2025-10-26 02:00:08;10"] * 3


def test_calls_of_an_english_reader(people, inaki):
    lines = file_of(client_of(people.ada, "en"), "/calls/?columns=agent,start")
    assert lines[1] == "Iñaki Núñez,2025-10-26 02:59:58"


@pytest.mark.parametrize(
    ("language", "separator", "rate"), [("es", ";", "33,33"), ("en", ",", "33.33")]
)
def test_the_decimals_of_a_report(people, inaki, language, separator, rate):
    page = "/reports/?period=range&from=2025-10-26&to=2025-10-26"
    lines = file_of(client_of(people.ada, language), page)
    assert rate in next(line for line in lines if "33" in line).split(separator)


def test_a_decimal_comma_between_commas_stands_in_quotes(people, inaki):
    query = "period=range&from=2025-10-26&to=2025-10-26&decimals=comma&table=days"
    text = client_of(people.ada, "es").get(f"/reports/export.csv?{query}").getvalue().decode()
    (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert row["success_rate"] == "33,33"


def test_programs_have_what_they_ask_for(people, inaki):
    def first_line(**query: str) -> str:
        answer = Api(people.ada).get("calls/export.csv", columns="start", bom="0", **query)
        return answer.getvalue().decode().split("\r\n")[1]

    assert first_line() == first_line(separator="auto") == "2025-10-26T00:59:58.250Z"
    assert first_line(instants="local") == "2025-10-26 02:59:58"
    days = {"from": "2025-10-26", "to": "2025-10-26"}
    text = Api(people.ada).get("reports/days.csv", separator="auto", **days).getvalue().decode()
    assert "33.33" in text
    for name, value in {"decimals": "dot", "instants": "mine"}.items():
        error_of(Api(people.ada).get(f"calls/export.csv?{name}={value}"), 400, name)
        assert (
            client_of(people.ada, "es").get(f"/calls/export.csv?{name}={value}").status_code == 400
        )


def test_the_worker_writes_the_same_file(people, inaki):
    query = "columns=start,agent&separator=auto"
    with translation.override("es"):
        export = jobs.request_export(people.ada, "csv", QueryDict(query))
    write_export.call_local(export.pk)
    written = client_of(people.ada, "en").get(f"/exports/{export.token}/file/").getvalue().decode()
    assert written.splitlines()[1] == "2025-10-26 02:59:58;Iñaki Núñez"
    asked = client_of(people.ada, "es").get(f"/calls/export.csv?{query}").getvalue().decode()
    assert asked == written


def test_the_administration_gives_people_such_a_file(people, inaki):
    calls = list(CallLog.objects.values_list("pk", flat=True))
    sent = {"action": "export_csv", "_selected_action": calls}
    answer = client_of(people.ada, "es").post("/admin/calls/calllog/", sent)
    lines = answer.getvalue().decode().splitlines()
    assert ";Iñaki Núñez;" in lines[1] and ";2025-10-26 02:59:58;" in lines[1]
