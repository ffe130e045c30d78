"""The whole way of a phone system's list, in a real browser, with a real worker: looked at, mapped,
taken in, what differs decided, and taken back."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from calls.models import CallLog
from tests.support.browsing import Visits, settle
from tests.support.call_lists import HEAD, clicked, line
from tests.support.people import People, make_pbx
from tests.support.processes import kill, spawn
from tests.support.server import ROOT, Server

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]

BAD_LINE = "31/13/2026 10:00:00;;;1001;8888 7777;contestada\n"


@pytest.fixture
def worker(server: Server) -> Iterator[None]:
    process = spawn(
        [sys.executable, "manage.py", "run_huey", "--skip-checks"],
        cwd=ROOT,
        env=server.surroundings(),
    )
    yield
    kill(process)


@pytest.mark.engines
def test_a_list_is_brought_in_decided_and_taken_back(
    visit: Visits, live_people: People, worker, tmp_path: Path
):
    make_pbx(live_people, "generic")
    sure, late = clicked(live_people.alice, 0, 65), clicked(live_people.alice, 20, 65)
    unknown = clicked(live_people.bob, 30, number="88880000")
    last = clicked(live_people.bob, 60, 65)
    file = tmp_path / "llamadas.csv"
    file.write_text(
        HEAD + line(sure) + line(late, earlier=30) + BAD_LINE + line(last, "1002"),
        encoding="cp1252",
    )
    page = visit(live_people.ada, "/records/?period=yesterday")
    settle(page)
    page.get_by_role("link", name="Bring in records").click()
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Look at the file").click()

    expect(page.get_by_text("is no time")).to_have_count(2)  # among the first, and as a fault
    page.get_by_label("Time zone of the file").select_option("UTC")
    page.get_by_label("Number of the other side").select_option(label="Abonado B (8888 7777)")
    page.get_by_role("button", name="Look again").click()
    plan = page.locator("#import_plan")
    expect(plan.locator("dl > div", has_text="Confirmed")).to_contain_text("2")
    expect(plan.locator("dl > div", has_text="Different")).to_contain_text("1")
    plan.get_by_label("Leave out the line that cannot be read").check()
    plan.get_by_role("button", name="Take in").click()
    expect(page.locator("#import_run").get_by_text("taken in")).to_be_visible()  # by itself
    imported = page.url

    page.goto("/records/?period=yesterday")
    before = shown_share(page)
    page.get_by_role("link", name="1 open difference").click()
    row = page.locator("article.difference")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Ours")
    row.get_by_role("button", name="Accept the record").press("Enter")
    expect(row.get_by_text("the phone system’s times stand")).to_be_visible()
    expect(page.locator("#difference_kinds")).to_be_hidden()
    page.goto("/records/?period=yesterday")
    assert shown_share(page) > before > 0
    page.get_by_role("link", name="1 call unknown to the phone system").click()
    expect(page.locator("#missing tbody tr")).to_have_count(1)
    assert str(unknown.call_id) in page.locator("#missing tbody a").get_attribute("href")

    page.goto(imported)
    page.get_by_text("Take back", exact=True).click()
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator("#import_run").get_by_text("taken back", exact=True)).to_be_visible()
    page.goto("/records/?period=yesterday")
    assert shown_share(page) == 0
    again = CallLog.objects.get(pk=late.pk)
    assert again.end_time == late.end_time and again.evidence == late.evidence


def shown_share(page) -> float:
    return float(page.locator(".record-share").inner_text().removesuffix("%"))
