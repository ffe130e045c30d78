"""A figure is said once: the database and Python make the same of it, and every door shows it."""

import csv
import datetime as dt
import io
import random
import re
from html import unescape

import openpyxl
import pytest
from django.db.models import F
from django.test import Client
from django.utils.translation import override

from accounts.models import User
from calls import timeline
from calls.models import ANSWERED, CallLog
from common.instants import now, today
from metrics.definitions import (
    COLUMNS,
    EXPLAINED,
    FIGURES,
    IN_REPORTS,
    IN_SUMMARY,
    ON_CARDS,
    STORED,
    Sums,
)
from metrics.entries import COUNTED_CALLS, PERCENT, Column
from metrics.exports import pdf_file
from metrics.models import DailyMetrics, UserMetrics, WeeklyMetrics
from metrics.rollups.daily import sums_of
from metrics.rollups.stored_rows import CALL_SUMS, ROW_SUMS, by_group, columns_of
from tests.support.api import Api
from tests.support.people import make_call

pytestmark = [pytest.mark.usefixtures("noon"), pytest.mark.engines]


# --- The database and Python ---


def random_call(dice: random.Random, user: User) -> CallLog:
    """Any call that the database takes: running, ended in every way, confirmed or not."""
    start = now() - dt.timedelta(seconds=dice.randrange(86_400))
    instants = sorted(start + dt.timedelta(seconds=dice.randrange(5000)) for _ in range(2))
    has_ended = dice.random() < 0.9
    return CallLog(
        user=user,
        start_time=start,
        answered_time=dice.choice((None, instants[0])),
        end_time=instants[1] if has_ended else None,
        status=dice.choice(timeline.TERMINAL) if has_ended else timeline.IN_PROGRESS,
        evidence=dice.choice("ABCDE") if has_ended else "C",
        hold_seconds=dice.randrange(100),
        wrap_up_seconds=dice.randrange(100),
        **{
            field: dice.choice((0, dice.randrange(5000))) if has_ended else None
            for field in ("ring_seconds", "duration_seconds", "talk_seconds")
        },
    )


@pytest.fixture
def random_calls(people):
    dice = random.Random(20_260_101)
    everybody = (people.alice, people.bob, people.carol)
    CallLog.objects.bulk_create(random_call(dice, dice.choice(everybody)) for _ in range(400))
    return list(CallLog.objects.all())


def test_the_database_makes_of_each_call_what_python_makes_of_it(random_calls):
    rows = by_group(CallLog.objects.ended(), CALL_SUMS, "pk")
    made = {pk: Sums.of_row(columns) for pk, *columns in rows}
    assert made == {call.pk: Sums.of_call(call) for call in random_calls if not call.is_active}
    assert all(Sums.of_call(call) == Sums() for call in random_calls if call.is_active)


def test_the_database_and_python_put_calls_together_alike(random_calls):
    made = Sums(**CallLog.objects.ended().aggregate(**CALL_SUMS))
    assert made == sum(map(Sums.of_call, random_calls), Sums())
    assert all(vars(made).values())  # every column has met a call that is in it


def test_answered_is_the_same_in_the_database_and_in_python(random_calls):
    answered = {call.pk for call in random_calls if call.was_answered}
    assert set(CallLog.objects.filter(ANSWERED).values_list("pk", flat=True)) == answered
    assert 0 < len(answered) < len(random_calls)


@pytest.mark.parametrize(
    ("answered", "status", "expected"),
    [
        *((5, status, True) for status in (*timeline.TERMINAL, timeline.IN_PROGRESS)),
        *((None, status, True) for status in (timeline.COMPLETED, timeline.DROPPED)),
        *((None, status, False) for status in (timeline.FAILED, timeline.NO_ANSWER)),
        (None, timeline.IN_PROGRESS, False),
        (0, timeline.FAILED, True),  # the epoch is an instant like any other
    ],
)
def test_who_was_answered(answered, status, expected):
    assert timeline.was_answered(answered, status) is expected


def test_rows_are_put_together_as_calls_are(people):
    dice = random.Random(20_260_102)
    parts = [
        Sums(**{name: dice.randrange(1000) for name in COLUMNS}) for _ in (people.alice, people.bob)
    ]
    for user, part in zip((people.alice, people.bob), parts, strict=True):
        DailyMetrics.objects.create(user=user, day=today(), **columns_of(part))
    assert Sums(**DailyMetrics.objects.aggregate(**ROW_SUMS)) == sum(parts, Sums())
    assert sums_of([people.alice.pk, people.bob.pk], today(), today()) == sum(parts, Sums())


def test_the_greatest_is_neither_added_up_nor_taken_away(random_calls):
    talk = Column(
        COUNTED_CALLS, F("talk_seconds"), lambda call: call.talk_seconds or 0, is_greatest=True
    )
    lengths = [talk.of_call(call) for call in random_calls]
    assert CallLog.objects.ended().aggregate(it=talk.of_calls) == {"it": max(lengths)}
    assert CallLog.objects.filter(pk=0).aggregate(it=talk.of_calls) == {"it": 0}
    assert (talk.together([3, 5]), talk.together([5, 3])) == (5, 5)
    assert talk.without(5, 5) == 5
    UserMetrics.objects.bulk_create(
        UserMetrics(user=user, hold_time=number) for number, user in enumerate(User.objects.all())
    )
    assert UserMetrics.objects.aggregate(it=talk.of_rows("hold_time")) == {
        "it": User.objects.count() - 1
    }


def test_no_column_is_made_of_another_name():
    assert set(columns_of(Sums())) == {figure.name for figure in STORED}
    with pytest.raises(TypeError, match="hold_tyme"):
        Sums(hold_tyme=1)
    with pytest.raises(ValueError, match="shorter"):
        Sums.of_row([1, 2])


def test_sums_say_what_is_in_them():
    assert repr(Sums(hold_time=5, ring_time=3)) == "Sums(ring_time=3, hold_time=5)"
    assert Sums() != 0


# --- The doors ---


def client_of(user: User) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client


def text_of(user: User, url: str) -> str:
    response = client_of(user).get(url)
    assert response.status_code == 200, url
    return unescape(response.content.decode())


@pytest.fixture
def some_calls(people):
    make_call(people.alice, 100)
    make_call(people.alice, 20, status="NO_ANSWER")
    make_call(people.bob, 50)
    return people


@pytest.fixture(autouse=True)
def in_english():
    with override("en"):
        yield


def test_every_figure_of_a_page_says_how_it_is_made():
    for figure in EXPLAINED:
        assert figure.label and str(figure.sentence).endswith(".")
    assert all(figure.label for figure in (*IN_REPORTS, *IN_SUMMARY))
    assert all((figure.column is None) != (figure.formula is None) for figure in FIGURES)
    places = [figure.report for figure in IN_REPORTS]
    assert places == list(range(1, len(places) + 1))


PAGES = ["/", "/team/", "/organization/", "/agents/{alice}/", "/reports/"]


@pytest.mark.parametrize("page", PAGES)
def test_every_figure_has_a_card(some_calls, page):
    text = text_of(some_calls.ada, page.format(alice=some_calls.alice.pk))
    assert re.findall(r'id="card_(\w+)"', text) == [figure.name for figure in ON_CARDS]


def test_every_figure_has_a_place_in_the_totals_of_the_history(some_calls):
    client = client_of(some_calls.ada)
    text = unescape(client.get("/calls/totals/", headers={"HX-Request": "true"}).content.decode())
    assert re.findall(r"<dt>(.*?)</dt>", text) == [str(figure.label) for figure in ON_CARDS]


def tables_of(text: str) -> list[list[list[str]]]:
    """The cells of each line of each table, its heads first, as words."""
    tables = re.findall(r"<table.*?</table>", text, re.DOTALL)
    lines = [re.findall(r"<tr.*?</tr>", table, re.DOTALL) for table in tables]
    return [[cells_of(line) for line in its_lines] for its_lines in lines]


def cells_of(line: str) -> list[str]:
    """A cell that is as wide as several stands as often."""
    cells = []
    for attributes, inner in re.findall(r"<t[hd]\b([^>]*)>(.*?)</t[hd]>", line, re.DOTALL):
        wide = re.search(r'colspan="(\d+)"', attributes)
        words = " ".join(re.sub(r"<[^>]*>", " ", inner).split())
        cells += [words] * (int(wide[1]) if wide else 1)
    return cells


@pytest.mark.parametrize(
    ("page", "figures"),
    [
        ("/team/", EXPLAINED),
        ("/organization/", EXPLAINED),
        ("/plots/", EXPLAINED),
        ("/agents/{alice}/", EXPLAINED),
        ("/figures/calls_made/", EXPLAINED),
        ("/reports/", IN_REPORTS),
    ],
)
def test_every_table_of_figures_has_a_head_for_each_cell(some_calls, page, figures):
    text = text_of(some_calls.ada, page.format(alice=some_calls.alice.pk))
    heads = [str(figure.short_label) for figure in figures]
    found = [table for table in tables_of(text) if table[0][-len(heads) :] == heads]
    assert len(found) == (3 if page == "/reports/" else 1)
    for first, *lines in found:
        assert lines and {len(line) for line in lines} == {len(first)}


@pytest.mark.parametrize("page", ["/team/", "/organization/"])
def test_tables_sort_by_every_figure_and_a_phone_names_every_cell(some_calls, page):
    text = text_of(some_calls.ada, page)
    for figure in EXPLAINED:
        assert f'data-label="{figure.short_label}"' in text
        assert client_of(some_calls.ada).get(f"{page}?sort=-{figure.name}").status_code == 200


@pytest.mark.parametrize("name", [figure.name for figure in EXPLAINED])
def test_every_figure_has_a_page_with_its_sentence_that_agrees_with_the_ledger(some_calls, name):
    (figure,) = (figure for figure in EXPLAINED if figure.name == name)
    assert str(figure.sentence) in text_of(some_calls.ada, f"/figures/{name}/")
    assert "It agrees" in text_of(some_calls.ada, f"/figures/{name}/check/")


def test_every_plotted_figure_is_drawn_over_time(some_calls):
    text = text_of(some_calls.ada, "/plots/")
    for figure in FIGURES:
        assert (f'aria-label="{figure.sentence} The arrow keys' in text) == figure.is_plotted


def test_programs_read_every_figure(some_calls):
    names = [figure.name for figure in FIGURES if figure.in_api]
    api = Api(some_calls.ada)
    for path in ("metrics/me", "metrics/organization", "reports/summary"):
        body = api.get(path).json()
        assert [name for name in body if name in names] == names
    for path, lines in (
        ("metrics/team", "teams"),
        ("reports/teams", "teams"),
        ("reports/agents", "agents"),
        ("reports/days", "days"),
    ):
        for line in api.get(path).json()[lines]:
            assert [name for name in line if name in names] == names
    properties = api.get("schema").json()["components"]["schemas"]["Figures"]["properties"]
    assert list(properties) == names
    for figure in FIGURES:
        if figure.in_api:
            number = "number" if figure.unit == PERCENT else "integer"
            assert properties[figure.name]["type"] == number


@pytest.mark.parametrize("table", ["summary", "teams", "agents", "days"])
def test_every_figure_of_reports_is_in_their_files(some_calls, table):
    client = client_of(some_calls.ada)
    url = f"/reports/export.csv?period=today&bom=0&about=1&table={table}"
    head, *lines = csv.reader(io.StringIO(client.get(url).getvalue().decode()))
    assert head[-len(IN_REPORTS) :] == [figure.name for figure in IN_REPORTS]
    assert len(lines[0]) == len(head)
    for figure in EXPLAINED:
        assert [str(figure.label), str(figure.sentence)] in lines


def test_every_figure_is_in_the_workbook(some_calls):
    content = client_of(some_calls.ada).get("/reports/export.xlsx?period=today").getvalue()
    book = openpyxl.load_workbook(io.BytesIO(content))
    first = list(book["Summary"].iter_rows(values_only=True, max_col=2))
    labels = [label for label, *_rest in first]
    for figure in IN_SUMMARY:
        assert str(figure.label) in labels
    for figure in EXPLAINED:
        assert (str(figure.label), str(figure.sentence)) in first
    heads = [str(figure.short_label) for figure in IN_REPORTS]
    for name in ("Teams", "Agents", "Days"):
        assert [cell.value for cell in book[name][1]][-len(heads) :] == heads


def test_every_figure_is_on_paper(some_calls, monkeypatch):
    pages: list[str] = []
    real = pdf_file.render_to_string
    monkeypatch.setattr(pdf_file, "render_to_string", lambda *a: pages.append(real(*a)) or pages[0])
    response = client_of(some_calls.ada).get("/reports/export.pdf?period=today")
    assert response.content.startswith(b"%PDF-")
    text = unescape(pages[0])
    for figure in ON_CARDS:
        assert f'<span class="label">{figure.label}</span>' in text
    for figure in EXPLAINED:
        assert f"<dt>{figure.label}</dt><dd>{figure.sentence}</dd>" in text
    heads = [str(figure.short_label) for figure in IN_REPORTS]
    for first, *lines in tables_of(text):
        assert first[-len(heads) :] == heads
        assert {len(line) for line in lines} == {len(first)}


def test_every_figure_but_rates_is_in_the_administration(some_calls):
    for model in ("usermetrics", "dailymetrics"):
        url = f"/admin/metrics/{model}/"
        text = text_of(some_calls.ada, url)
        for figure in ON_CARDS:
            assert (f">{figure.label}<" in text) == (figure.unit != PERCENT)
        for number in range(1, 10):
            assert client_of(some_calls.ada).get(f"{url}?o=-{number}").status_code == 200


def test_every_stored_figure_is_a_column_of_all_tables():
    for model in (DailyMetrics, WeeklyMetrics, UserMetrics):
        assert {field.name for field in model._meta.get_fields()} >= {f.name for f in STORED}
