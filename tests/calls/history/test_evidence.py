"""The grade of evidence: its words everywhere from one place, and calls found by several grades."""

import csv
import io
from html import unescape

import openpyxl
import pytest
from django.conf import settings
from django.http import QueryDict
from django.test import Client
from django.utils.translation import override

from calls.history.filters import CallFilter
from calls.models import CallLog
from calls.models.evidence import GRADES
from metrics.exports.calls import in_words
from metrics.rollups.rebuild import rebuild
from tests.support.api import Api, error_of
from tests.support.people import make_call

pytestmark = pytest.mark.engines


@pytest.fixture(autouse=True)
def in_english():
    with override("en"):
        yield


@pytest.fixture
def graded(people) -> dict[str, CallLog]:
    """A call of Alice's of each grade."""
    calls = {grade.letter: make_call(people.alice) for grade in GRADES}
    for letter, call in calls.items():
        CallLog.objects.filter(pk=call.pk).update(evidence=letter)
    rebuild()
    return calls


def client_of(user) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("query", "letters"),
    [
        *(("evidence=E", "E"), ("evidence=C", "C"), ("evidence=A,B", "AB"), ("evidence=", "ABCDE")),
        *(
            ("evidence=A&evidence=D", "AD"),
            ("evidence=D,E", "DE"),
            ("evidence=C,E&evidence=A", "ACE"),
        ),
        ("", "ABCDE"),
    ],
)
def test_one_grade_or_several_with_commas_or_apart(people, graded, query, letters):
    found = CallFilter(QueryDict(query), viewer=people.sue)
    assert {call.evidence for call in found.qs} == set(letters)
    assert len(found.qs) == len(letters)
    page = client_of(people.sue).get(f"/calls/?{query}").content.decode()
    assert {one for one, call in graded.items() if str(call.call_id) in page} == set(letters)
    totals = client_of(people.sue).get(f"/calls/totals/?{query}", headers={"HX-Request": "true"})
    counted = len(set(letters) - {"E"})
    assert f'<dd class="total">{counted}</dd>' in totals.content.decode()


def test_programs_give_several_with_commas(people, graded):
    api = Api(people.sue)
    assert {one["evidence"] for one in api.get("calls/log", evidence="A,E").json()} == {"A", "E"}
    for wrong in ("F", "a", "A;B", "A, B"):
        error_of(api.get("calls/log", evidence=wrong), 400, "evidence")
    assert client_of(people.sue).get("/calls/?evidence=F").status_code == 400


def test_a_filter_says_its_grades_in_words(people):
    found = CallFilter(QueryDict("evidence=A,E"), viewer=people.sue)
    assert found.is_valid()
    assert in_words(found) == (
        "Evidence: A · confirmed by the provider's record, E · estimated, not confirmed"
    )


def test_a_call_says_its_grade_and_what_that_means(people, graded):
    client = client_of(people.alice)
    for grade in GRADES:
        page = unescape(client.get(f"/calls/{graded[grade.letter].call_id}/").content.decode())
        assert str(grade.meaning) in page and f"</span>{grade.letter}</span>" in page
    history = unescape(client.get("/calls/").content.decode())
    assert all(history.count(str(grade.meaning)) >= 2 for grade in GRADES)


def test_the_guide_explains_every_grade():
    guide = (settings.BASE_DIR / "docs/user.md").read_text()
    for grade in GRADES:
        assert f"| {grade.letter} | {grade.short} |" in guide


def test_programs_read_the_letter_and_people_the_words(people, graded):
    client = client_of(people.alice)
    url = "/calls/export.csv?columns=call_id,evidence&bom=0&evidence=A"
    assert client.get(url).getvalue().decode().splitlines()[1].endswith(",A")
    lines = client.get(f"{url}&labels=1&about=1").getvalue().decode()
    rows = list(csv.reader(io.StringIO(lines)))
    assert rows[1][1] == "A · confirmed by the provider's record"
    book = openpyxl.load_workbook(
        io.BytesIO(client.get("/calls/export.xlsx?columns=evidence&evidence=E").getvalue())
    )
    assert book["Calls"]["A2"].value == "E · estimated, not confirmed"
    explained = {tuple(row[:2]) for row in book["Summary"].iter_rows(values_only=True)}
    assert {(f"Evidence {grade.letter}", str(grade.meaning)) for grade in GRADES} <= explained
