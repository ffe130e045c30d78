"""Calls as Excel and PDF, large files by the real worker, and how CSV is written for people."""

import csv
import datetime as dt
import io
import os
import re
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import openpyxl
import pytest
from django.http import QueryDict
from django.test import Client

from accounts.models import User
from calls import services, timeline
from common.instants import now
from metrics.exports import calls as call_rows
from metrics.exports import jobs, pdf_file, xlsx_file
from metrics.models import Export
from metrics.tasks import write_export
from tests.support.api import Api, error_of
from tests.support.browsing import session_cookie
from tests.support.patience import PATIENCE, await_that
from tests.support.people import make_call, many_calls
from tests.support.processes import spawn
from tests.support.server import ROOT, Server

pytestmark = pytest.mark.engines

XLSX, PDF, CSV = "/calls/export.xlsx", "/calls/export.pdf", "/calls/export.csv"


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def client_of(user: User, language: str = "en") -> Client:
    client = Client(headers={"Accept-Language": language})
    client.force_login(user)
    return client


def body(user: User, url: str, language: str = "en") -> bytes:
    response = client_of(user, language).get(url)
    assert response.status_code == 200
    return response.getvalue()


def workbook(user: User, url: str = XLSX) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(body(user, url)))


def lines(page) -> list[list[object]]:
    return [[cell.value for cell in row] for row in page.iter_rows()]


# --- Excel ----------------------------------------------------------------------------------------
def test_a_workbook_holds_dates_and_lengths_that_excel_can_reckon_with(people, settings):
    settings.TIME_ZONE = "America/Costa_Rica"
    call = make_call(people.alice, 3700, contact_phone="+50622223333", ago=5000)
    book = workbook(people.sue, f"{XLSX}?columns=start,agent,status,duration_seconds,phone,notes")
    assert book.sheetnames == ["Summary", "Calls"]
    head, row = lines(book["Calls"])
    assert head == ["Start", "Agent", "Status", "Duration", "Phone", "Notes"]
    local = call.start_time.astimezone(ZoneInfo("America/Costa_Rica")).replace(tzinfo=None)
    assert abs(row[0] - local) < dt.timedelta(milliseconds=2)
    assert row[1:] == ["Alice", "Completed", dt.timedelta(seconds=3700), "+50622223333", None]
    page = book["Calls"]
    assert page.freeze_panes == "A2"
    assert page.auto_filter.ref == "A1:F2"


def test_the_summary_says_who_when_of_what_and_what_it_adds_up_to(people, settings):
    settings.TIME_ZONE = "America/Costa_Rica"
    make_call(people.alice, 100)
    make_call(people.bob, 50)
    make_call(people.bob, 10, status=timeline.NO_ANSWER)
    page = workbook(people.sue, f"{XLSX}?status=COMPLETED&min_duration=0:20")["Summary"]
    said = {row[0]: row[1] for row in lines(page) if row[0]}
    assert said["Made by"] == "Sue (sue)"
    assert said["Filter"] == "Status: Completed · Lasting at least: 20 s"
    assert said["Time zone"] == "America/Costa_Rica"
    assert said["Calls made"] == "Every call that has ended: successful and failed together."
    figures = [row[:2] for row in lines(page) if isinstance(row[1], int | float)]
    assert ["Calls made", 2] in figures and ["Success rate", 1] in figures


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "{=1}", "http://x.y"])
def test_nothing_in_a_workbook_runs(people, start):
    call = make_call(people.alice)
    services.add_note(call, people.alice, start)
    cell = workbook(people.alice, f"{XLSX}?columns=notes")["Calls"]["A2"]
    assert (cell.value, cell.data_type, cell.hyperlink) == (start, "s", None)


def test_many_rows_go_on_on_a_further_sheet(people, monkeypatch):
    monkeypatch.setattr(xlsx_file, "ROWS_A_SHEET", 2)
    for ago in (500, 400, 300):
        make_call(people.alice, 5, ago=ago)
    book = workbook(people.alice)
    assert book.sheetnames == ["Summary", "Calls", "Calls 2"]
    assert [book[name].max_row for name in ("Calls", "Calls 2")] == [3, 2]


def test_programs_get_the_workbook_too_and_are_refused_in_words(people, monkeypatch):
    make_call(people.alice)
    make_call(people.bob)
    answer = Api(people.sue).get("calls/export.xlsx", columns="agent", agent="bob")
    assert answer["Content-Type"] == xlsx_file.CONTENT_TYPE
    page = openpyxl.load_workbook(io.BytesIO(answer.getvalue()))["Calls"]
    assert lines(page) == [["Agent"], ["Bob"]]
    error_of(Api(people.sue).get("calls/export.xlsx?columns=salary"), 400, "columns")
    error_of(Api(people.sue).get("calls/export.xlsx?separator=tab"), 400, "separator")
    monkeypatch.setitem(jobs.AT_ONCE, "xlsx", 1)
    assert "CSV" in error_of(Api(people.sue).get("calls/export.xlsx"), 400)


# --- CSV for people -------------------------------------------------------------------------------
def test_a_file_for_people_is_in_their_words_and_says_what_it_is(people, settings):
    settings.TIME_ZONE = "America/Costa_Rica"
    make_call(people.alice, 65)
    query = "columns=agent,status,duration_seconds&labels=1&about=1&separator=auto"
    text = body(people.sue, f"{CSV}?{query}&status=COMPLETED", "es").decode()
    assert text.startswith("\ufeffAgente;Estado;Duración\r\nAlice;Completada;65\r\n\r\n")
    assert "Sue (sue)" in text and "Estado: Completada" in text
    assert "America/Costa_Rica" in text
    text = body(people.sue, f"{CSV}?{query}&bom=0", "en").decode()
    assert text.startswith("Agent,Status,Duration\r\nAlice,Completed,65\r\n")


def test_the_columns_and_their_order_are_those_of_the_page(people):
    make_call(people.alice, 65)
    (row,) = csv.DictReader(
        io.StringIO(body(people.sue, f"{CSV}?columns=talk_seconds,agent&bom=0").decode())
    )
    assert list(row.items()) == [("talk_seconds", "65"), ("agent", "Alice")]


@pytest.mark.parametrize("query", ["separator=pipe", "bom=maybe", "labels=x", "columns=salary"])
def test_a_style_that_cannot_be_read_is_bad(people, query):
    assert client_of(people.alice).get(f"{CSV}?{query}").status_code == 400
    error_of(Api(people.alice).get(f"calls/export.csv?{query}"), 400, query.split("=")[0])


# --- PDF ------------------------------------------------------------------------------------------
def test_a_pdf_is_tagged_and_has_the_calls(people):
    make_call(people.alice, 65)
    content = body(people.alice, f"{PDF}?columns=start,agent,duration_seconds")
    assert content.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in unpacked(content)


def unpacked(content: bytes) -> bytes:
    """What the compressed parts of a PDF hold."""
    parts = re.findall(rb"FlateDecode.*?stream\n(.*?)\nendstream", content, re.DOTALL)
    return b"".join(zlib.decompressobj().decompress(part) for part in parts)


def test_paper_has_room_for_so_many_rows_and_says_so(people, monkeypatch, settings):
    monkeypatch.setattr(pdf_file, "ROWS_A_TABLE", 1)
    for ago in (300, 200):
        make_call(people.alice, 5, ago=ago)
    seen: list[str] = []
    real = pdf_file.render_to_string
    monkeypatch.setattr(pdf_file, "render_to_string", lambda *a: seen.append(real(*a)) or seen[-1])
    body(people.alice, f"{PDF}?columns=start,agent")
    assert "Only the first 1 rows are printed" in seen[0]
    assert seen[0].count("<td") == 2


def test_without_the_libraries_a_page_says_what_is_missing(people, monkeypatch, tmp_path):
    (tmp_path / "weasyprint.py").write_text('raise OSError("cannot load library pango")')
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    response = client_of(people.alice).get(PDF)
    assert response.status_code == 503
    assert "an administrator must install Pango" in response.content.decode()


# --- Large files ----------------------------------------------------------------------------------
@pytest.fixture
def small_limits(monkeypatch):
    for form in jobs.AT_ONCE:
        monkeypatch.setitem(jobs.AT_ONCE, form, 2)


@pytest.mark.parametrize(("url", "form"), [(CSV, "csv"), (XLSX, "xlsx")])
def test_a_large_file_is_offered_to_the_worker(people, small_limits, url, form):
    for ago in (400, 300, 200):
        make_call(people.alice, 5, ago=ago)
    client = client_of(people.alice)
    assert client.get(f"{url}?status=FAILED").status_code == 200
    response = client.get(f"{url}?status=COMPLETED&columns=start")
    assert response.status_code == 302
    page = client.get(response["Location"]).content.decode()
    assert "more than 2 calls" in page and "Status: Completed" in page
    sent = {"form": form, "query": "status=COMPLETED&columns=start"}
    assert client.post("/exports/new/", sent).status_code == 302
    export = Export.objects.get()
    assert (export.owner, export.form, export.state) == (people.alice, form, Export.WAITING)


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"form": "exe"},
        {"form": "csv", "query": "status=LOST"},
        {"form": "csv", "query": "columns=x"},
    ],
)
def test_what_makes_no_sense_is_not_written(people, sent):
    assert client_of(people.alice).post("/exports/new/", sent).status_code == 400
    assert client_of(people.alice).get("/exports/?form=exe").status_code == 400
    assert not Export.objects.exists()


def requested(user: User, form: str = "csv", query: str = "") -> Export:
    return jobs.request_export(user, form, QueryDict(query))


def written(user: User, form: str = "csv", query: str = "") -> Export:
    export = requested(user, form, query)
    write_export.call_local(export.pk)
    export.refresh_from_db()
    return export


def test_the_worker_writes_what_the_owner_may_see(people):
    for person in (people.alice, people.bob, people.carol):
        make_call(person)
    export = written(people.sue, "csv", "columns=agent")
    assert (export.state, export.rows_total, export.rows_done) == (Export.DONE, 2, 2)
    text = body(people.sue, f"/exports/{export.token}/file/").decode("utf-8-sig")
    assert sorted(text.split()) == ["Alice", "Bob", "agent"]
    path = jobs.path_of(export)
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0


def test_the_worker_writes_workbooks_in_the_owners_language(people):
    make_call(people.alice)
    from django.utils import translation

    with translation.override("es"):
        export = requested(people.alice, "xlsx")
    write_export.call_local(export.pk)
    book = openpyxl.load_workbook(io.BytesIO(body(people.alice, f"/exports/{export.token}/file/")))
    assert book.sheetnames[1] == "Llamadas"


def test_a_right_that_was_taken_meanwhile_is_taken(people):
    export = requested(people.alice)
    people.alice.groups.clear()
    write_export.call_local(export.pk)
    export.refresh_from_db()
    assert export.state == Export.FAILED
    assert "may not export" in export.message
    assert list(jobs.folder().iterdir()) == []


def test_a_cancelled_export_stops_and_leaves_nothing(people, monkeypatch):
    monkeypatch.setattr(call_rows, "CHUNK", 1)
    for ago in (400, 300, 200):
        make_call(people.alice, 5, ago=ago)
    export = requested(people.alice)
    client = client_of(people.alice)
    seen = []
    real = call_rows.in_chunks

    def then_cancel(*args):
        for chunk in real(*args):
            seen.append(chunk)
            if len(seen) == 2:
                client.post(f"/exports/{export.token}/cancel/")
            yield chunk

    monkeypatch.setattr(call_rows, "in_chunks", then_cancel)
    write_export.call_local(export.pk)
    export.refresh_from_db()
    assert (export.state, len(seen)) == (Export.CANCELLED, 2)
    assert list(jobs.folder().iterdir()) == []
    assert client.get(f"/exports/{export.token}/file/").status_code == 404


def test_cancelled_before_it_began_it_never_begins(people):
    export = requested(people.alice)
    assert jobs.cancel(export)
    write_export.call_local(export.pk)
    export.refresh_from_db()
    assert export.state == Export.CANCELLED
    assert not jobs.cancel(export)


def test_files_go_away_by_themselves(people):
    kept, old = written(people.alice), written(people.alice)
    Export.objects.filter(pk=old.pk).update(expires_at=now())
    assert client_of(people.alice).get(f"/exports/{old.token}/file/").status_code == 404
    assert jobs.tidy() == 1
    assert list(Export.objects.all()) == [kept]
    assert list(jobs.folder().iterdir()) == [jobs.path_of(kept)]


def test_an_export_whose_worker_is_gone_is_given_up(people):
    lost = requested(people.alice)
    Export.objects.update(state=Export.RUNNING, touched_at=now() - jobs.SILENT * 2)
    jobs.tidy()
    lost.refresh_from_db()
    assert lost.state == Export.FAILED
    assert lost.message in client_of(people.alice).get("/exports/").content.decode()


def test_the_page_shows_progress_and_asks_few_queries(people, django_assert_max_num_queries):
    for _ in range(5):
        requested(people.alice, query="status=FAILED")
    Export.objects.update(state=Export.RUNNING, rows_total=200, rows_done=50)
    client = client_of(people.alice)
    with django_assert_max_num_queries(8):
        page = client.get("/exports/").content.decode()
    assert page.count('value="25"') == 5 and "50 of 200 calls" in page
    assert 'hx-trigger="every 1s"' in page


class Worker:
    """The real worker in a process of its own, on the test database."""

    def __init__(self, folder: Path):
        self.process = spawn(
            [sys.executable, "manage.py", "run_huey", "--skip-checks"],
            cwd=ROOT,
            env=Server(DATA_DIR=str(folder)).surroundings(),
            stderr=subprocess.DEVNULL,
        )

    @contextmanager
    def paused(self) -> Iterator[None]:
        self.process.send_signal(signal.SIGSTOP)
        yield
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Reader:
    """A person's browser, without the pictures."""

    def __init__(self, user: User, url: str):
        self.http = httpx.Client(
            base_url=url,
            cookies={"sessionid": session_cookie(user)},
            headers={"Accept-Language": "en"},
            timeout=PATIENCE,
            follow_redirects=True,
        )
        self.http.get("/exports/")

    def post(self, path: str, **fields: str) -> None:
        fields["csrfmiddlewaretoken"] = self.http.cookies["csrftoken"]
        assert self.http.post(path, data=fields).status_code == 200


@pytest.fixture
def installation(live_people, tmp_path) -> Iterator[tuple[str, Worker]]:
    """A site and its worker in one data folder: the site's address, and the worker."""
    server, worker = Server(DATA_DIR=str(tmp_path)), Worker(tmp_path)
    yield server.start().url, worker
    worker.kill()
    server.kill()


@pytest.mark.server
def test_the_real_worker_writes_and_stops_when_cancelled(live_people, installation):
    url, worker = installation
    many_calls(live_people.alice, 2 * call_rows.CHUNK)
    alice = Reader(live_people.alice, url)
    alice.post("/exports/new/", form="xlsx", query="columns=start,agent")
    done = await_that(lambda: Export.objects.filter(state=Export.DONE).first())
    content = alice.http.get(f"/exports/{done.token}/file/").content
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    assert book["Calls"].max_row == 2 * call_rows.CHUNK + 2

    with worker.paused():
        alice.post("/exports/new/", form="csv", query="")
        export = Export.objects.get(state=Export.WAITING)
        part = jobs.path_of(export).with_suffix(".part")
        os.mkfifo(part)  # what is written there waits for its reader
    await_that(lambda: Export.objects.filter(state=Export.RUNNING))
    with part.open() as pipe:
        begun = pipe.read(1)
        alice.post(f"/exports/{export.token}/cancel/")
        text = begun + pipe.read()
    assert 0 < len(text.splitlines()) < 2 * call_rows.CHUNK
    await_that(lambda: list(part.parent.iterdir()) == [jobs.path_of(done)])
    export.refresh_from_db()
    assert export.state == Export.CANCELLED
