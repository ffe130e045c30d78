"""Whom a word is shown to: a walk over every door, searches and live lines included."""

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
import weasyprint
from django.test import Client

from accounts.models import User
from calls.history.columns import COLUMNS
from calls.models import CallLog
from metrics.live.rooms import payload
from tests.support.doors import ADMIN, API, PAGES, answers, client_of, written_export
from tests.support.people import People, key_of

# Words that nothing but a test says.
WORD, REASON = "xylophone", "zeppelin"
# The agent, the supervisor and the administrator, who see the call, and a team mate, who does not.
EYES = ("alice", "bob", "sue", "ada")
KINDS = ("call_started", "call_changed", "call_ended")
EVERY = f"columns={','.join(COLUMNS)}"
# What the doors show only when they are asked for it.
ASKED = (
    *(f"/calls/?{EVERY}", f"/calls/export.csv?{EVERY}", f"/calls/export.xlsx?{EVERY}"),
    *(f"/calls/export.pdf?{EVERY}", f"/api/calls/export.csv?{EVERY}"),
    *(f"/api/calls/export.xlsx?{EVERY}",),
)
# Where words are looked for: what is found shows the call's id, or is found in the administration.
SEARCHES = (
    *("/calls/?columns=call_id&search=", "/calls/export.csv?columns=call_id&search="),
    *("/calls/export.xlsx?columns=call_id&search=", "/calls/export.pdf?columns=call_id&search="),
    *("/api/calls/log?search=", "/api/calls/export.csv?columns=call_id&search="),
    *("/api/calls/export.xlsx?columns=call_id&search=", "/admin/calls/calllog/?q="),
)
TOTALS = "/calls/totals/?search="
Doors = dict[str, set[str]]  # by word: where it is shown, or finds the call


def assert_shown_to_nobody_but(
    readers: Mapping[str, Iterable[str]], call: CallLog, people: People, things: dict[str, Any]
) -> None:
    """Each word of `readers`, which `call` says and nothing else does, is shown to its readers and
    to nobody else, at any door; and no search tells anybody else that it is said."""
    shown = {name: doors_that_show(readers, call, people, name, things) for name in EYES}
    others = [
        (word, name, door)
        for name, doors in shown.items()
        for word, found in doors.items()
        for door in found
        if name not in readers[word]
    ]
    assert others == []
    assert all(shown[name][word] for word, names in readers.items() for name in names)
    # A room is an audience of several: it hears nothing that some of them may not read.
    heard = json.dumps([payload(kind, call) for kind in KINDS])
    assert [word for word in readers if word in heard] == []


def doors_that_show(
    words: Iterable[str], call: CallLog, people: People, name: str, things: dict[str, Any]
) -> Doors:
    """The doors at which this person comes upon each of `words`, or finds the `call` by it."""
    viewer: User = getattr(people, name)
    page, program = client_of(viewer), Client(headers={"X-API-Key": key_of(viewer)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weasyprint, "HTML", Paper)
        said = all_that_is_said(viewer, page, program, things)
        return {
            word: {door for door, text in said.items() if word in text}
            | searches_that_find(word, call, page, program)
            for word in words
        }


class Paper:
    """Prints nothing: what would stand on the paper is the file."""

    def __init__(self, string: str, **_: Any):
        self.string = string

    def render(self, **_: Any) -> "Paper":
        return self

    def write_pdf(self, **_: Any) -> bytes:
        return self.string.encode()


def all_that_is_said(
    viewer: User, page: Client, program: Client, things: dict[str, Any]
) -> dict[str, str]:
    found = answers(PAGES, things, page) | answers(API, things, program)
    if viewer.is_staff or viewer.has_perm("accounts.use_admin"):
        found |= answers(ADMIN, things, page)
    file = f"/exports/{written_export(viewer).token}/file/"
    asked = {url.split("?")[0]: text_at(url, page, program) for url in ASKED}
    said = {door: text_of(answer) for door, answer in found.items()}
    return said | asked | {"/exports/": text_at(file, page, program)}


def searches_that_find(word: str, call: CallLog, page: Client, program: Client) -> set[str]:
    signs = (str(call.call_id), f"/calllog/{call.pk}/change/")
    texts = {url.split("?")[0]: text_at(url + word, page, program) for url in SEARCHES}
    totals = page.get(TOTALS + word, headers={"HX-Request": "true"}).context["sums"]
    found = {door for door, text in texts.items() if any(sign in text for sign in signs)}
    found |= {"/calls/totals/"} if totals.calls_made else set()
    return {f"search {door}" for door in found}


def text_at(url: str, page: Client, program: Client) -> str:
    return text_of((program if url.startswith("/api/") else page).get(url))


def text_of(answer: Any) -> str:
    content = answer.getvalue()
    if content.startswith(b"PK"):
        book = zipfile.ZipFile(io.BytesIO(content))
        content = b"".join(book.read(name) for name in book.namelist())
    return content.decode(errors="replace")
