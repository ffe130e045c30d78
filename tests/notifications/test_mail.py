"""How mails are made: over a real SMTP server."""

import re

import pytest
from django.utils import translation

from notifications import mail
from tests.support.mailbox import receiving_mail

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.fixture
def box(settings):
    settings.PUBLIC_BASE_URL = "https://calls.example.org"
    with receiving_mail(settings) as box:
        yield box


@pytest.fixture
def templates(settings, tmp_path):
    """A mail of the site's own dress, for these tests."""
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail/trial.html").write_text(
        '{% extends "mail/base.html" %}{% block content %}'
        '<h1 class="title">{{ subject }}</h1><p class="text">{{ what }}</p>'
        '<img class="picture" src="cid:plot" alt="">{% endblock %}'
    )
    (tmp_path / "mail/trial.txt").write_text(
        '{% extends "mail/base.txt" %}{% block content %}{{ what }}{% endblock %}'
    )
    settings.TEMPLATES[0]["DIRS"].append(tmp_path)
    settings.TEMPLATES = [dict(settings.TEMPLATES[0])]
    yield
    settings.TEMPLATES[0]["DIRS"].remove(tmp_path)


def composed(**more):
    told = {"to": "ana@example.org", "subject": "Señal", "template": "mail/trial", "language": "en"}
    return mail.compose(**told | {"context": {"what": "Ana & Bob <3"}} | more)


def test_a_mail_has_inlined_rules_a_plain_text_pictures_and_files(box, templates):
    composed(pictures={"plot": PNG}, attachments=[("a.pdf", b"%PDF", "application/pdf")]).send()

    (got,) = box.mails
    assert got["Subject"] == "Señal"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Message-ID"].endswith("@calls.example.org>")
    assert [part.get_content_type() for part in got.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "application/pdf",
    ]
    html = got.get_body(("html",)).get_content()
    assert re.search(r'<p class="text" style="[^"]*margin: 0 0 14px;', html)
    assert "prefers-color-scheme: dark" in html and "Ana &amp; Bob &lt;3" in html
    text = got.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert text.startswith("Ana & Bob <3\n") and "https://calls.example.org" in text
    (picture,) = [part for part in got.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == "<plot>" and picture.get_content() == PNG
    assert picture.get_content_disposition() == "inline"


def test_a_mail_that_is_sent_again_has_the_same_id(box, templates):
    for _time in range(2):
        composed(headers={"Message-ID": mail.message_id("delivery-7")}).send()
    assert [got["Message-ID"] for got in box.mails] == ["<delivery-7@calls.example.org>"] * 2


def test_a_mail_is_in_its_language(box, templates):
    composed(language="es").send()
    assert '<html lang="es">' in box.mails[0].get_body(("html",)).get_content()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"to": "a@example.org\nBcc: b@example.org"}, "An e-mail address cannot have a line break"),
        ({"to": "a@example.org\r"}, "An e-mail address cannot have a line break"),
        ({"subject": "Hello\r\nBcc: b@example.org"}, "The subject of a mail cannot have a line"),
        ({"headers": {"X-A": "1\nBcc: b@example.org"}}, "A header of a mail cannot have a line"),
    ],
)
def test_a_line_break_makes_no_header(templates, more, sentence):
    with translation.override("en"), pytest.raises(ValueError, match=sentence):
        composed(**more)
