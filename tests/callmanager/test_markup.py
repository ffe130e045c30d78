"""What every page's markup keeps to: nothing inline, one heading, a language, a title."""

import re
from typing import Any

import pytest
from django.test import Client

from tests.support.doors import PAGES, rows

pytestmark = pytest.mark.once

INLINE = re.compile(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|javascript:", re.I)
# Files, a mail as it is sent, what scripts read, and the timer and the bell, which are parts of
# every page.
NO_PAGE = re.compile(
    r"\.(csv|xlsx|vcf|pdf)(\?|$)|/file/$|/mail/$|/words/$|^/timer/$|/bell/$|^/phone/who/"
)
# Who is sent to a page that several may see: whoever has most to see there.
EYES = ("alice", "sue", "ada", "nobody")


def pages_of(things: dict[str, Any]) -> list[tuple[str, str]]:
    """(viewer, address) of every page that a table of doors names, each once."""
    found = []
    for method, address, expected in rows(PAGES):
        viewer = next((who for who in EYES if expected[who] == 200), None)
        if method == "GET" and viewer is not None and not NO_PAGE.search(address):
            found.append((viewer, address.format(**things)))
    return found


@pytest.mark.django_db
def test_no_page_has_anything_inline(people, things):
    for viewer, url in pages_of(things):
        client = Client()
        if viewer != "nobody":
            client.force_login(getattr(people, viewer))
        text = client.get(url).content.decode()
        assert "<!doctype html>" in text, url
        assert INLINE.findall(text) == [], url
        assert len(re.findall(r"<h1[ >]", text)) == 1, url
        assert re.search(r'<html lang="(es|en)"', text), url
        assert re.search(r"<title>\s*\S", text), url
