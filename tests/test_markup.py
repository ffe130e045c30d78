"""What every page's markup keeps to: nothing inline, one heading, a language, a title."""

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.people import People
from tests.test_roles import PAGES, rows, things  # noqa: F401

INLINE = re.compile(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|javascript:", re.I)
FILE = re.compile(r"\.(csv|xlsx|vcf|pdf)(\?|$)")
# Who is sent to a page that several may see: whoever has most to see there.
EYES = ("alice", "sue", "ada")


def whole_page(answer: HttpResponse) -> bool:
    is_html = answer.headers.get("Content-Type", "").startswith("text/html")
    if answer.status_code != 200 or not is_html or answer.streaming:
        return False
    return "<!doctype html>" in answer.content.decode()


def pages_of(people: People, things: dict[str, Any]) -> list[tuple[str, str]]:  # noqa: F811
    """(viewer, address) of every page that a table of doors names, each once."""
    found = []
    for param in rows(PAGES):
        method, address, expected = param.values
        url = address.format(**things)
        viewer = next((who for who in EYES if expected[who] == 200), None)
        if method != "GET" or FILE.search(url) or (viewer is None and expected["nobody"] != 200):
            continue
        client = Client(raise_request_exception=False)  # what fails is told by test_roles
        if viewer is not None:
            client.force_login(getattr(people, viewer))
        if whole_page(client.get(url)):
            found.append((viewer or "nobody", url))
    return found


@pytest.mark.django_db
def test_no_page_has_anything_inline(people, things):  # noqa: F811
    pages = pages_of(people, things)
    assert len(pages) >= 14
    for viewer, url in pages:
        client = Client()
        if viewer != "nobody":
            client.force_login(getattr(people, viewer))
        text = client.get(url).content.decode()
        assert INLINE.findall(text) == [], url
        assert len(re.findall(r"<h1[ >]", text)) == 1, url
        assert re.search(r'<html lang="(es|en)"', text), url
        assert re.search(r"<title>\s*\S", text), url
