"""Calls, contacts and figures in the administration: everything to see, little to change."""

import csv
import datetime as dt
import io
import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import User
from calls import services, timeline
from calls.models import CallEvent, CallLog, Contact
from common.instants import now
from metrics.models import DailyMetrics, UserMetrics
from metrics.rollups.daily import totals_of
from tests.support.people import make_call

pytestmark = pytest.mark.once

CALLS = "/admin/calls/calllog/"
CONTACTS = "/admin/calls/contact/"


@pytest.fixture
def ada(people) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(people.ada)
    return client


def url_of(call: CallLog, action: str = "change") -> str:
    return f"{CALLS}{call.pk}/{action}/"


def fields_of(response: HttpResponse) -> dict[str, str]:
    """What the forms of the page would send, untouched."""
    text = response.content.decode()
    fields = {}
    for tag in re.findall(r"<input[^>]*>", text):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            fields[name[1]] = value[1] if value else ""
    for name, value in re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>(.*?)</textarea>', text, re.S):
        fields[name] = value.strip()
    return fields


def text_of(response: HttpResponse) -> str:
    """The words on the page, single-spaced."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def act(client: Client, action: str, *calls: CallLog, **more: Any) -> HttpResponse:
    chosen = [call.pk for call in calls]
    return client.post(CALLS, {"action": action, "_selected_action": chosen} | more, follow=True)


def stale_call(user: User) -> CallLog:
    """A call that the watchdog closed and nobody has confirmed."""
    begun = services.ReportedTime(now() - dt.timedelta(days=1), explicit=True)
    call, _ = services.start_call(user, reported=begun)
    services.close_stale_calls()
    return CallLog.objects.get(pk=call.pk)


class TestList:
    def test_a_line_says_who_whom_when_how_long_and_how_sure(self, people, ada):
        contact = Contact.objects.create(name="Ñandú S. A.", phone="88887777")
        call = make_call(people.alice, 75, contact=contact)
        text = text_of(ada.get(CALLS))
        started = f"{timezone.localtime(call.start_time):%H:%M:%S}"
        for words in ("Alice", "Ñandú S. A.", started, "01:15", "Completed", "the agent's click"):
            assert words in text or words.replace("'", "&#x27;") in text

    @pytest.mark.parametrize(
        "term",
        ["+50688887777", "8888-7777", "8888", "andú", "ALICE", "alice smith", "crm-7", "{id}"],
    )
    def test_search_finds_numbers_names_references_and_ids(self, people, ada, term):
        User.objects.filter(pk=people.alice.pk).update(last_name="Smith")
        contact = Contact.objects.create(name="Ñandú", phone="88887777", external_id="crm-7")
        wanted = make_call(people.alice, contact=contact)
        make_call(people.bob, contact_phone="22223333")
        found = ada.get(CALLS, {"q": term.format(id=wanted.call_id)}).context["cl"].result_list
        assert list(found) == [wanted]

    @pytest.mark.parametrize("term", ["nobody", "99999999", str(uuid.UUID(int=1)), "²³¹", "%", "'"])
    def test_search_for_what_is_not_there_finds_nothing(self, people, ada, term):
        make_call(people.alice, contact_phone="22223333")
        response = ada.get(CALLS, {"q": term})
        assert list(response.context["cl"].result_list) == []

    @pytest.mark.parametrize(
        "query", ["q=%00", "q=" + "9" * 5000, "p=9999", "p=x", "o=99", "status__exact=LOST"]
    )
    def test_a_crooked_address_is_no_error_of_ours(self, people, ada, query):
        make_call(people.alice)
        assert ada.get(f"{CALLS}?{query}", follow=True).status_code == 200

    @pytest.mark.parametrize("query", ["user__password__startswith=a", "events__data=x"])
    def test_the_address_cannot_ask_for_what_the_list_does_not_show(self, people, ada, query):
        assert ada.get(f"{CALLS}?{query}").status_code == 400

    def test_filters(self, people, ada):
        made = make_call(people.alice)
        failed = make_call(people.carol, status=timeline.FAILED)
        stale = stale_call(people.bob)

        def found(**query: Any) -> set[CallLog]:
            return set(ada.get(CALLS, query).context["cl"].result_list)

        assert found(status__exact="FAILED") == {failed}
        assert found(evidence__exact="E") == {stale}
        assert found(user__team__id__exact=people.red.pk) == {made, stale}

    @pytest.mark.parametrize("url", [CALLS, CONTACTS, "/admin/metrics/dailymetrics/"])
    def test_more_lines_cost_no_more_queries(
        self, people, ada, url, django_assert_max_num_queries, django_assert_num_queries
    ):
        def add() -> None:
            for person in (people.alice, people.bob, people.carol):
                name = f"Elena {Contact.objects.count()}"
                contact = Contact.objects.create(
                    name=name, phone="88887777", owner=person, team=people.red
                )
                make_call(person, contact=contact, ago=CallLog.objects.count() * 90_000 + 3600)

        def lines() -> int:
            return len(ada.get(url).context["cl"].result_list)

        add()
        lines()
        with django_assert_max_num_queries(14) as few:
            assert lines() == 3
        add()
        add()
        with django_assert_num_queries(len(few)):
            assert lines() == 9


class TestOneCall:
    def test_the_ledger_says_who_said_what_and_when(self, people, ada):
        call = make_call(people.alice, 75, ago=7200)
        services.correct_call(call, people.sue, reason="It was dropped", status=timeline.DROPPED)
        text = text_of(ada.get(url_of(call)))
        for event in CallEvent.objects.filter(call=call):
            for instant in (event.occurred_at, event.received_at):
                assert f"{timezone.localtime(instant):%H:%M:%S.%f}"[:-3] in text
        for words in ("Started", "the agent", "Sue", "Reason: It was dropped", "Status: Dropped"):
            assert words.lower() in text.lower()

    def test_what_nobody_knows_is_a_dash(self, people, ada):
        call, _ = services.start_call(people.alice)
        text = text_of(ada.get(url_of(call)))
        for label in ("Answered", "End", "Reason of the end", "Ended by"):
            assert f"{label}: —" in text

    def test_notes_can_be_written_and_nothing_else(self, people, ada):
        call = make_call(people.alice, 75)
        before = CallLog.objects.values().get()
        page = ada.get(url_of(call))
        sent = fields_of(page) | {
            "notes": "Asked for an offer",
            "status": "FAILED",
            "duration_seconds": "1",
            "start_time_0": "2020-01-01",
            "start_time_1": "00:00:00",
            "user": people.bob.pk,
            "events-0-kind": "ended",
            "events-0-source": "forged",
            "events-0-DELETE": "on",
        }
        assert ada.post(url_of(call), sent).status_code == 302
        assert CallLog.objects.values().get() == before | {"notes": "Asked for an offer"}
        lines = list(CallEvent.objects.filter(call=call).values_list("kind", "source", "actor"))
        assert lines == [
            ("started", "agent", people.alice.pk),
            ("ended", "agent", people.alice.pk),
            ("noted", "admin", people.ada.pk),
        ]

    def test_notes_that_stay_as_they_are_leave_no_line(self, people, ada):
        call = make_call(people.alice)
        services.add_note(call, people.alice, "First\r\nsecond")
        sent = fields_of(ada.get(url_of(call))) | {"notes": "First\r\nsecond"}
        assert ada.post(url_of(call), sent).status_code == 302
        assert CallEvent.objects.filter(kind=timeline.NOTED).count() == 1

    def test_notes_of_a_running_call_bear_what_happens_meanwhile(self, people, ada):
        call, _ = services.start_call(people.alice)
        sent = fields_of(ada.get(url_of(call))) | {"notes": "Angry"}
        services.step(call.call_id, people.alice, "hold")
        services.end_call(call.call_id, people.alice)
        assert ada.post(url_of(call), sent).status_code == 302
        call.refresh_from_db()
        assert (call.notes, call.status) == ("Angry", timeline.COMPLETED)

    @pytest.mark.parametrize("changes", [{"notes": "x" * 10_001}, {"events-TOTAL_FORMS": "many"}])
    def test_what_cannot_be_saved_is_said(self, people, ada, changes):
        call = make_call(people.alice)
        response = ada.post(url_of(call), fields_of(ada.get(url_of(call))) | changes)
        assert response.status_code == 200
        assert "errornote" in response.content.decode()
        call.refresh_from_db()
        assert call.notes == ""

    def test_a_long_ledger_costs_no_more_queries(
        self, people, ada, django_assert_max_num_queries, django_assert_num_queries
    ):
        call = make_call(people.alice)
        ada.get(url_of(call))
        with django_assert_max_num_queries(12) as few:
            assert ada.get(url_of(call)).status_code == 200
        for number in range(8):
            services.add_note(call, people.sue, f"Note {number}")
        with django_assert_num_queries(len(few)):
            assert "Note 7" in text_of(ada.get(url_of(call)))

    def test_a_call_cannot_be_added(self, people, ada):
        assert ada.post(f"{CALLS}add/", {"notes": "x"}).status_code == 403
        assert not CallLog.objects.exists()

    @pytest.mark.parametrize("action", ["change", "delete", "history"])
    @pytest.mark.parametrize("which", ["999999", "x", "_00"])
    def test_a_call_that_is_gone_is_said_to_be_gone(self, people, ada, which, action):
        response = ada.get(f"{CALLS}{which}/{action}/", follow=True)
        assert response.status_code == 200
        assert "doesn’t exist" in text_of(response)
        assert ada.get(f"{CALLS}{which}/correct/").status_code == 404


class TestCorrection:
    def correct(self, client: Client, call: CallLog, **changes: Any) -> HttpResponse:
        url = url_of(call, "correct")
        sent = fields_of(client.get(url)) | {"status": call.status} | changes
        return client.post(url, sent)

    def test_changes_what_was_given_and_the_figures_with_it(self, people, ada):
        call = make_call(people.alice, 75, ago=7200)
        end = timezone.localtime(call.end_time).replace(microsecond=0) + dt.timedelta(seconds=31)
        response = self.correct(
            ada, call, end=f"{end:%Y-%m-%dT%H:%M:%S}", status="DROPPED", reason="The line broke"
        )
        assert response.status_code == 302
        started = call.start_time
        call.refresh_from_db()
        assert (call.start_time, call.end_time, call.status) == (started, end, timeline.DROPPED)
        said = call.events.get(kind=timeline.CORRECTED)
        assert (said.actor, said.source) == (people.ada, "admin")
        assert said.data["reason"] == "The line broke"
        sums = totals_of(people.alice.pk)
        assert (sums.calls_success, sums.calls_dropped) == (0, 1)
        assert sums.total_talk_time == call.duration_seconds
        history = text_of(ada.get(url_of(call, "history")))
        assert "The line broke" in history and "Ada" in history

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({}, "This field is required."),
            ({"reason": "   "}, "This field is required."),
            ({"reason": "x", "end": "2020-01-01T00:00:00"}, "cannot end before it started"),
            ({"reason": "x", "end": "2999-01-01T00:00:00"}, "The end is in the future."),
            ({"reason": "x", "answered": "2020-01-01T00:00"}, "must lie between start and end"),
            ({"reason": "x", "end": "yesterday"}, "Enter a valid date/time."),
            ({"reason": "x", "end": ""}, "This field is required."),
            ({"reason": "x", "status": "IN_PROGRESS"}, "Select a valid choice."),
            ({"reason": "x\0"}, "Null characters are not allowed."),
        ],
    )
    def test_nonsense_is_refused_in_the_form(self, people, ada, changes, said):
        call = make_call(people.alice)
        response = self.correct(ada, call, **changes)
        assert response.status_code == 200
        assert said in text_of(response)
        assert not call.events.filter(kind=timeline.CORRECTED).exists()

    def test_a_running_call_must_end_first(self, people, ada):
        call, _ = services.start_call(people.alice)
        assert "Correct this call" not in text_of(ada.get(url_of(call)))
        end = f"{timezone.localtime():%Y-%m-%dT%H:%M:%S}"
        response = self.correct(ada, call, status="FAILED", end=end, reason="x")
        assert "still running" in text_of(response)
        call.refresh_from_db()
        assert call.status == timeline.IN_PROGRESS

    def test_confirming_makes_estimates_count_and_leaves_the_rest_alone(self, people, ada):
        stale, sure = stale_call(people.alice), make_call(people.alice)
        assert totals_of(people.alice.pk).calls_made == 1
        response = act(ada, "confirm", stale, sure)
        assert "1 call confirmed" in text_of(response)
        assert totals_of(people.alice.pk).calls_made == 2
        stale.refresh_from_db()
        assert stale.is_counted
        assert not sure.events.filter(kind=timeline.CORRECTED).exists()
        assert "0 calls confirmed" in text_of(act(ada, "confirm", stale, sure))


class TestDeletion:
    def test_is_asked_about_and_takes_the_call_out_of_the_figures(self, people, ada):
        gone, stays = make_call(people.alice, 100, ago=60), make_call(people.alice, 30, ago=120)
        assert "Are you sure" in text_of(ada.get(url_of(gone, "delete")))
        assert CallLog.objects.count() == 2
        assert ada.post(url_of(gone, "delete"), {"post": "yes"}).status_code == 302
        assert list(CallLog.objects.all()) == [stays]
        assert not CallEvent.objects.filter(call_id=gone.pk).exists()
        sums = totals_of(people.alice.pk)
        assert (sums.calls_made, sums.total_talk_time) == (1, 30)

    def test_of_many_at_once_recomputes_everybody(self, people, ada):
        calls = [make_call(person) for person in (people.alice, people.bob, people.carol)]
        assert "Are you sure" in text_of(act(ada, "delete_selected", *calls[:2]))
        act(ada, "delete_selected", *calls[:2], post="yes")
        assert list(CallLog.objects.all()) == calls[2:]
        made = [totals_of(p.pk).calls_made for p in (people.alice, people.bob, people.carol)]
        assert made == [0, 0, 1]


class TestExport:
    def test_holds_the_chosen_calls_and_runs_no_formula(self, people, ada):
        chosen = make_call(people.alice, contact_ref="=cmd()")
        make_call(people.bob)
        response = act(ada, "export_csv", chosen)
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        text = b"".join(response.streaming_content).decode().removeprefix("\ufeff")
        (line,) = csv.DictReader(io.StringIO(text))
        assert (line["call_id"], line["contact"]) == (str(chosen.call_id), "'=cmd()")

    def test_of_all_that_the_filter_found_not_only_of_the_page(self, people, ada):
        calls = [make_call(people.alice, ago=ago) for ago in range(3600, 3660)]
        make_call(people.bob)
        response = ada.post(
            f"{CALLS}?q=alice",
            {"action": "export_csv", "_selected_action": [calls[0].pk], "select_across": "1"},
        )
        text = b"".join(response.streaming_content).decode()
        assert len(text.splitlines()) == 61
        assert "Bob" not in text


def numbers(*rows: tuple[str, str], of: Contact | None = None) -> dict[str, str]:
    """What the form sends of the numbers of a contact: those that it has, changed as in `rows`, and
    new ones. "" for the number: this one goes."""
    stored = list(of.numbers.all()) if of else []
    sent = {"numbers-TOTAL_FORMS": str(len(rows)), "numbers-INITIAL_FORMS": str(len(stored))}
    for place, (number, kind) in enumerate(rows):
        sent |= {f"numbers-{place}-number": number, f"numbers-{place}-kind": kind}
        if place < len(stored):
            was = stored[place]
            sent |= {f"numbers-{place}-id": str(was.pk), f"numbers-{place}-contact": str(of.pk)}
            if not number:
                sent |= {f"numbers-{place}-number": was.number, f"numbers-{place}-DELETE": "on"}
    return sent


MOBILE, WORK, HOME = ("+50688887777", "mobile"), ("+50622221001", "work"), ("+50622221002", "home")


class TestNumbersOfContacts:
    @pytest.fixture
    def ana(self, people) -> Contact:
        contact = Contact(name="Ana")
        contact.set_numbers([MOBILE, WORK])
        return contact

    def change(self, client: Client, ana: Contact, *rows: tuple[str, str], **fields: str) -> Any:
        given = {"name": "Ana", "phone": ana.phone} | numbers(*rows, of=ana) | fields
        return client.post(f"{CONTACTS}{ana.pk}/change/", given)

    def kept(self) -> list[tuple[str, str]]:
        contact = Contact.objects.get()
        assert contact.phone == contact.numbered[0][0]
        return contact.numbered

    def test_a_new_contact_has_its_phone_and_the_numbers_below(self, people, ada):
        given = {"name": "Bo", "phone": "8888-7777"} | numbers(("2222 1001", "work"), ("", "other"))
        assert ada.post(f"{CONTACTS}add/", given).status_code == 302
        assert self.kept() == [("+50688887777", "other"), WORK]

    def test_numbers_are_changed_added_and_taken_away(self, people, ada, ana):
        page = ada.get(f"{CONTACTS}{ana.pk}/change/").content.decode()
        assert page.index("+50688887777") < page.index("+50622221001")
        assert self.change(ada, ana, MOBILE, ("22221003", "work"), HOME).status_code == 302
        assert self.kept() == [MOBILE, ("+50622221003", "work"), HOME]
        self.change(ada, ana, ("", ""), ("22221003", "fax"), HOME)
        assert self.kept() == [("+50622221003", "fax"), HOME]

    def test_another_phone_is_preferred(self, people, ada, ana):
        self.change(ada, ana, MOBILE, WORK, phone="2222-1001")
        assert self.kept() == [WORK, MOBILE]
        ana.refresh_from_db()
        self.change(ada, ana, WORK, MOBILE, phone="2222-1002")
        assert self.kept() == [("+50622221002", "work"), MOBILE]

    def test_a_changed_first_number_is_the_phone(self, people, ada, ana):
        self.change(ada, ana, ("8888 0000", "mobile"), WORK)
        assert self.kept() == [("+50688880000", "mobile"), WORK]

    def test_one_number_stays(self, people, ada, ana):
        self.change(ada, ana, ("", ""), ("", ""))
        assert [number for number, _kind in self.kept()] == ["+50688887777"]

    @pytest.mark.parametrize("number", ["12", "none"])
    def test_what_is_no_number_is_refused(self, people, ada, ana, number):
        response = self.change(ada, ana, MOBILE, (number, "work"))
        assert "This is not a phone number." in text_of(response)
        assert self.kept() == [MOBILE, WORK]


class TestContacts:
    def add(self, client: Client, **fields: str) -> HttpResponse:
        given = {"name": "Elena", "phone": "8888-7777"} | numbers() | fields
        return client.post(f"{CONTACTS}add/", given)

    def test_a_number_is_kept_in_its_international_form(self, people, ada):
        assert self.add(ada, team=str(people.red.pk)).status_code == 302
        assert Contact.objects.get().phone == "+50688887777"
        assert "+506 8888 7777" in text_of(ada.get(CONTACTS))

    @pytest.mark.parametrize("phone", ["none", "12", "+", "8" * 30, "١٢"])
    def test_what_is_no_number_is_refused(self, people, ada, phone):
        assert "This is not a phone number." in text_of(self.add(ada, phone=phone))
        assert not Contact.objects.exists()

    def test_a_missing_number_is_missed_once(self, people, ada):
        response = text_of(self.add(ada, phone=""))
        assert "This field is required." in response
        assert "This is not a phone number." not in response

    def test_a_reference_belongs_to_one_contact(self, people, ada):
        self.add(ada, external_id="crm-7")
        response = self.add(ada, external_id="crm-7", name="Another")
        assert "Another contact has this reference." in text_of(response)
        assert Contact.objects.count() == 1
        kept = Contact.objects.get()
        again = {"name": "Elena M.", "phone": kept.phone, "external_id": "crm-7"} | numbers()
        assert ada.post(f"{CONTACTS}{kept.pk}/change/", again).status_code == 302

    def test_a_contact_can_go_and_its_calls_stay(self, people, ada):
        contact = Contact.objects.create(name="Elena", phone="88887777")
        call = make_call(people.alice, contact=contact)
        ada.post(f"{CONTACTS}{contact.pk}/delete/", {"post": "yes"})
        call = CallLog.objects.get(pk=call.pk)
        assert (call.contact, call.pretty_phone) == (None, "+506 8888 7777")


@pytest.mark.usefixtures("noon")  # both calls are one day's
class TestFigures:
    def test_are_shown_and_cannot_be_written(self, people, ada):
        make_call(people.alice, 75)
        make_call(people.alice, 15, status=timeline.FAILED)
        row = DailyMetrics.objects.get()
        for model, pk in (("usermetrics", people.alice.pk), ("dailymetrics", row.pk)):
            url = f"/admin/metrics/{model}/"
            text = text_of(ada.get(url))
            assert "Alice" in text and "Red" in text
            assert ada.post(f"{url}{pk}/change/", {"calls_made": 9}).status_code == 403
            assert ada.post(f"{url}{pk}/delete/", {"post": "yes"}).status_code == 403
        assert UserMetrics.objects.get(user=people.alice).calls_made == 2


def test_very_many_calls_are_not_counted_one_by_one(ada, people):
    call = make_call(people.alice)
    assert ada.get(CALLS).context["cl"].paginator.count == 1
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE pg_class SET reltuples = 2500000 WHERE relname = 'calls_calllog'"
            )
    else:  # as if so many had been made
        call.pk, call.call_id = 2_500_000, uuid.uuid4()
        CallLog.objects.bulk_create([call])
    assert ada.get(CALLS).context["cl"].paginator.count == 2_500_000
    assert ada.get(f"{CALLS}?status__exact=FAILED").context["cl"].paginator.count == 0
