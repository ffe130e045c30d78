"""Who may read what a call says, at every door there is."""

import pytest

from calls.models import readers
from tests.calls.test_readers import no_calls, own_calls
from tests.support.shown import REASON, WORD, assert_shown_to_nobody_but, doors_that_show

# A walk over every door for everybody; what the engines find by words is asked of both elsewhere.
pytestmark = pytest.mark.once


def test_a_field_shows_to_nobody_but_whom_its_rule_names(people, things, said, monkeypatch):
    monkeypatch.setitem(readers.RULES, "notes", own_calls)
    monkeypatch.setitem(readers.RULES, "end_reason", no_calls)
    assert_shown_to_nobody_but({WORD: {"alice"}, REASON: set()}, said, people, things)


def test_the_walk_finds_a_field_wherever_it_is_shown(people, things, said):
    """Today notes are read by whoever sees the call; so the walk is not blind."""
    shown = doors_that_show([WORD, REASON], said, people, "ada", things)
    pages = {"GET /calls/{ended}/", "GET /admin/calls/calllog/{ended_pk}/change/"}
    programs = {"GET /api/calls/log", "GET /api/calls/{ended}", "GET /api/events"}
    files = {"/exports/", *(f"/calls/export.{form}" for form in ("csv", "xlsx", "pdf"))}
    files |= {f"/api/calls/export.{form}" for form in ("csv", "xlsx")}
    found = {"/calls/", "/calls/totals/", "/api/calls/log", *files} - {"/exports/"}
    assert shown[REASON] == {"/calls/", *pages, *programs, *files} - {"/exports/"}
    statements = {
        *("GET /calls/{ended}/statement/", "GET /calls/{ended}/statement.pdf"),
        *("GET /reports/statement/", "GET /reports/statement/?team={red}"),
        *("GET /reports/statement.pdf", "GET /reports/statement.pdf?agent={alice}"),
    }
    assert shown[WORD] == {
        *("/calls/", *pages, *programs, *files, *statements),
        *(f"GET {door}" for door in files - {"/exports/", "/calls/export.pdf"}),
        *(f"search {door}" for door in found),
    }
