"""Statements: what they say, whom of, and that they say so where something was changed."""

import re
import zlib
from datetime import timedelta

import pytest

from calls import services
from calls.models import CallLog
from calls.proof.anchoring import make_anchor
from common.instants import local_day, today
from metrics.exports import statement
from tests.support.attacks import attack
from tests.support.doors import client_of
from tests.support.people import make_call

pytestmark = [pytest.mark.django_db, pytest.mark.once]

ENGLISH, SPANISH = {"Accept-Language": "en"}, {"Accept-Language": "es"}


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture
def call(people):
    call = make_call(people.alice, 65, contact_phone="+50688887777")
    services.add_note(call, people.alice, "quiere <b>dos</b>")
    services.correct_call(call, people.sue, reason="Lo dijo ella", status="DROPPED")
    return CallLog.objects.get(pk=call.pk)


def page(user, address, language=ENGLISH, status=200):
    answer = client_of(user).get(address, headers=language)
    assert answer.status_code == status, address
    text = re.sub(r"<(script|head).*?</\1>", "", answer.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def paper(user, address, language=ENGLISH):
    """The number of pages of the file, and what its compressed parts hold."""
    answer = client_of(user).get(address, headers=language)
    assert answer.status_code == 200 and answer["Content-Type"] == "application/pdf"
    assert 'filename="statement-' in answer["Content-Disposition"]
    parts = re.findall(rb"FlateDecode.*?stream\n(.*?)\nendstream", answer.content, re.S)
    held = b"".join(zlib.decompressobj().decompress(part) for part in parts)
    return len(re.findall(rb"/Type /Page\b", answer.content + held)), held


def test_a_call_says_who_said_what_when_and_its_hashes(people, call):
    make_anchor(today())
    said = page(people.alice, f"/calls/{call.call_id}/statement/")
    assert "C · the agent" in said and str(call.call_id) in said
    assert "Made by Alice (alice)" in said and "+506 8888 7777" in said
    for event in call.events.all():
        assert event.hash in said
    assert "Notes: quiere &lt;b&gt;dos&lt;/b&gt;" in said and "Reason: Lo dijo ella" in said
    assert "end − start − paused" in said and "The call was verified when this was made" in said
    (anchor,) = (anchor for anchor, _head in statement.anchored_heads(call.pk))
    assert said.count(anchor.root) == 2
    assert f"manage.py verify_ledger --call {call.call_id}" in said
    shown = client_of(people.alice).get(f"/calls/{call.call_id}/").content.decode()
    assert f'href="/calls/{call.call_id}/statement/"' in shown


def test_a_call_on_paper_in_both_languages(people, call):
    address = f"/calls/{call.call_id}/statement.pdf"
    for language in (ENGLISH, SPANISH):
        pages, held = paper(people.sue, address, language)
        assert pages >= 1 and b"/StructTreeRoot" in held
    said = page(people.alice, f"/calls/{call.call_id}/statement/", SPANISH)
    assert "Constancia de una llamada" in said and "C · clic del agente" in said


def test_a_period_says_its_figures_with_their_formulas_and_its_calls(people, call):
    make_call(people.bob, 30, ago=1800)
    make_call(people.carol, 30, ago=1800)
    day = local_day(call.start_time)
    make_anchor(today())
    days = f"period=range&from={day}&to={today()}"
    said = page(people.sue, f"/reports/statement/?{days}")
    assert "Calls made 2 1 + 1 = 2" in said and "2 C · the agent" in said
    assert "Alice" in said and "Bob" in said and "Carol" not in said
    assert "Reason: Lo dijo ella" in said
    assert f"verify_ledger --since {day} --until {today()}" in said
    own = page(people.alice, f"/reports/statement/?{days}&agent={people.alice.pk}")
    assert "Bob" not in own and "Calls made 1" in own
    pages, _held = paper(people.sue, f"/reports/statement.pdf?{days}&team={people.red.pk}")
    assert pages >= 1
    for link in ("/reports/?period=today", f"/calls/?period=today&agent={people.alice.username}"):
        shown = client_of(people.sue).get(link).content.decode()
        assert "/reports/statement/?" in shown


def test_many_calls_have_their_last_hash_each_and_too_many_are_refused(people, call, monkeypatch):
    other = make_call(people.alice, 5, ago=600)
    monkeypatch.setattr(statement, "WITH_EVENTS", 1)
    days = f"period=range&from={local_day(call.start_time)}&to={today()}"
    said = page(people.alice, f"/reports/statement/?{days}")
    assert "printed for up to 1 calls" in said and "Reason: Lo dijo ella" not in said
    for one in (call, other):
        assert one.events.order_by("place").last().hash[:12] in said
    monkeypatch.setattr(statement, "MOST_CALLS", 1)
    for address in (f"/reports/statement/?{days}", f"/reports/statement.pdf?{days}"):
        said = page(people.alice, address, status=400)
        assert "There are 2 calls in this period, and a statement holds 1." in said
    page(people.alice, "/reports/statement.pdf?period=someday", status=400)


def test_what_was_changed_is_said_instead_of_the_seal(people, call):
    attack("UPDATE calls_calllog SET talk_seconds = 1 WHERE id = %s", call.pk)
    said = page(people.alice, f"/calls/{call.call_id}/statement/")
    assert "This is not what was written:" in said and "was verified when" not in said
    assert "talk_seconds" in said


def test_a_period_without_calls_is_a_statement_too(people):
    day = today() - timedelta(days=40)
    said = page(people.alice, f"/reports/statement/?period=range&from={day}&to={day}")
    assert "No calls in this period." in said
