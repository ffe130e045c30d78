"""Who may read what a call says: fields that depend on the reader, in searches and in writing."""

import pytest

from accounts.models import User
from calls import services
from calls.models import CallLog, Contact, fulltext, readers
from calls.models.readers import Agents
from tests.support.doors import client_of
from tests.support.people import make_call
from tests.support.shown import WORD

pytestmark = pytest.mark.engines


def own_calls(viewer: User) -> Agents:
    return frozenset({viewer.pk})


def no_calls(viewer: User) -> Agents:
    return frozenset()


# --- Search ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(("rule", "finds"), [(own_calls, True), (no_calls, False)])
def test_words_may_be_in_different_fields_if_all_may_be_read(people, monkeypatch, rule, finds):
    monkeypatch.setitem(readers.RULES, "notes", rule)
    contact = Contact.objects.create(name="Elena", phone="+50688887777")
    call = make_call(people.alice, contact=contact)
    services.add_note(call, people.alice, WORD)
    for viewer, expected in ((people.alice, finds), (people.sue, False)):
        seen = CallLog.objects.visible_to(viewer)
        assert list(seen.search("elena")) == [call]
        assert list(seen.search(f"elena {WORD}")) == ([call] if expected else [])
        assert list(seen.search(f"elena {WORD}", people.alice.pk)) == ([call] if expected else [])


def test_a_rule_may_name_several_agents_and_the_calls_of_nobody(people, monkeypatch):
    calls = [make_call(person) for person in (people.alice, people.bob, people.carol)]
    for call in calls:
        services.add_note(call, people.ada, WORD)
    CallLog.objects.filter(pk=calls[2].pk).update(user=None)
    for of, expected in (({people.alice.pk, people.bob.pk}, calls[:2]), ({None}, calls[2:])):
        monkeypatch.setitem(readers.RULES, "notes", lambda viewer, of=of: frozenset(of))
        found = CallLog.objects.visible_to(people.ada)
        assert set(found.search(WORD)) == set(expected)
        assert {call for call in found if call.notes} == set(expected)


def test_without_a_reader_a_search_leaves_the_words_of_some_out(people):
    services.add_note(make_call(people.alice), people.alice, WORD)
    assert not CallLog.objects.search(WORD).exists()


def test_a_very_long_word_of_notes_does_no_harm(people):
    for length in (2039, 2046, 3000):
        call = services.add_note(make_call(people.alice), people.alice, f"{WORD} {'x' * length}")
        assert call in CallLog.objects.visible_to(people.alice).search(WORD)


def test_every_field_with_a_rule_stands_apart_in_the_index():
    assert readers.RULES.keys() & set(fulltext.WATCHED) <= set(fulltext.APART)


# --- What is not read is not written either -------------------------------------------------------
def test_whoever_may_not_read_the_notes_cannot_write_them_away(people, things, said, monkeypatch):
    monkeypatch.setitem(readers.RULES, "notes", no_calls)
    page = client_of(people.ada).get(f"/admin/calls/calllog/{said.pk}/change/")
    assert "notes" not in page.context["adminform"].form.fields
    ledger = {"events-TOTAL_FORMS": 0, "events-INITIAL_FORMS": 0, "notes": "gone"}
    saved = client_of(people.ada).post(f"/admin/calls/calllog/{said.pk}/change/", ledger)
    assert saved.status_code == 302
    url = f"/calls/{said.call_id}/note/"
    assert client_of(people.alice).post(url, {"notes": "gone"}).status_code == 404
    assert CallLog.objects.get(pk=said.pk).notes == f"then {WORD}"


def test_a_row_that_lacks_a_field_is_not_saved_over_it(people, monkeypatch):
    monkeypatch.setitem(readers.RULES, "notes", no_calls)
    call = services.add_note(make_call(people.alice), people.alice, WORD)
    row = CallLog.objects.visible_to(people.alice).get()
    row.refresh_from_db()
    assert row.notes == ""
    for fields in (None, ["status", "notes"]):
        with pytest.raises(TypeError, match="lacks"):
            row.save(update_fields=fields)
    row.save(update_fields=["status"])
    assert CallLog.objects.get(pk=call.pk).notes == WORD


@pytest.mark.parametrize("names", [("pk", "notes"), ()])
def test_values_of_a_field_that_some_may_not_read_are_not_to_be_had(people, names):
    with pytest.raises(TypeError, match="rows"):
        CallLog.objects.visible_to(people.alice).values(*names)
    with pytest.raises(TypeError, match="rows"):
        CallLog.objects.visible_to(people.alice).values_list(*names)
