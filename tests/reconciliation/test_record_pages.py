"""The pages about records: who sees what, files from a look to the way back, decisions."""

import datetime as dt
import html
import io

import pytest
from django.test import Client
from django.utils import timezone

from calls.models import ProviderAccount
from common.instants import from_ms
from reconciliation import imports
from reconciliation.models import ProviderRecord, RecordImport
from tests.support.call_lists import HEAD, clicked, line
from tests.support.people import People, make_pbx, yesterday_noon

pytestmark = pytest.mark.once

DAYS = "period=yesterday"


@pytest.fixture
def account(people) -> ProviderAccount:
    return make_pbx(people, "generic")


def brought(account: ProviderAccount, *lines: str) -> RecordImport:
    """A file of those lines, taken in."""
    what = imports.start(account, None, "calls.csv", io.BytesIO((HEAD + "".join(lines)).encode()))
    columns = {**what.reading["columns"], "number": "Abonado B"}
    imports.set_reading(what, what.format, {**what.reading, "columns": columns, "time_zone": "UTC"})
    imports.examine(what)
    imports.take_in(what)
    imports.run(what.pk)
    what.refresh_from_db()
    assert what.state == RecordImport.DONE, what.message
    return what


def page(client: Client, user, address: str) -> str:
    client.force_login(user)
    answer = client.get(address, headers={"accept-language": "en"})
    assert answer.status_code == 200, address
    return " ".join(html.unescape(answer.content.decode()).split())


def test_supervisors_see_their_teams_and_decide_nothing(client, people: People, account):
    hers, his = clicked(people.alice, 0), clicked(people.carol, 5)
    account.identities.create(identity="1003", user=people.carol)
    brought(account, line(hers, earlier=30), line(his, "1003", earlier=30))
    for user, seen in ((people.sue, {"Alice"}), (people.sam, {"Carol"})):
        shown = page(client, user, f"/records/differences/?{DAYS}")
        assert {name for name in ("Alice", "Carol") if f"<span>{name}</span>" in shown} == seen
        assert "1</strong> open difference" in page(client, user, f"/records/?{DAYS}")
        assert "Accept the record" not in shown and "Accept all" not in shown
    for query, count in (("", 2), (f"&team={people.red.pk}", 1), ("&agent=carol", 1)):
        shown = page(client, people.ada, f"/records/differences/?{DAYS}{query}")
        assert shown.count("Accept the record") == count


def test_the_share_leads_to_the_calls_that_are_confirmed(client, people: People, account):
    sure, open_ = clicked(people.alice, 0, 65), clicked(people.alice, 10, 125)
    brought(account, line(sure), line(open_, earlier=40))
    shown = page(client, people.ada, f"/records/?{DAYS}")
    assert "33.3%</strong>" in shown and "1 min 00 s of 3 min 00 s talk time" in shown
    assert f'/calls/?agent=alice&{DAYS}&evidence=A">1 min 00 s</a>' in shown
    assert "up to date" in shown and "agrees with ours" not in shown  # two records tell nothing
    calls = page(client, people.ada, f"/calls/?agent=alice&{DAYS}&evidence=A")
    assert str(sure.call_id) in calls and str(open_.call_id) not in calls


def test_before_the_first_file_the_page_says_what_it_is_for(client, people: People):
    assert "Bring in records" in page(client, people.ada, "/records/")
    shown = page(client, people.sue, "/records/")
    assert "An administrator can bring them in." in shown and "/records/import/" not in shown


def test_calls_that_no_record_knows_are_listed_with_a_reason(client, people: People, account):
    known, unknown = clicked(people.alice, 0), clicked(people.alice, 20, number="88880000")
    brought(account, line(known), line(clicked(people.bob, 40), "1002"))
    shown = page(client, people.sue, f"/records/missing/?{DAYS}")
    assert str(unknown.call_id) in shown and str(known.call_id) not in shown
    assert "1</strong> call unknown to the phone system" in page(
        client, people.sue, f"/records/?{DAYS}"
    )
    assert str(unknown.call_id) not in page(client, people.sam, f"/records/missing/?{DAYS}")


def test_a_call_says_what_its_record_says(client, people: People, account):
    call = clicked(people.alice, 0)
    brought(account, line(call))
    shown = page(client, people.alice, f"/calls/{call.call_id}/")
    assert "What the phone system’s record says" in shown and "calls.csv, line 2" in shown
    assert "/records/import/" not in shown
    assert "/records/import/" in page(client, people.ada, f"/calls/{call.call_id}/")


def upload(client: Client, account: ProviderAccount, content: bytes, name="llamadas.csv"):
    file = io.BytesIO(content)
    file.name = name
    return client.post("/records/import/", {"account": account.pk, "file": file})


def test_a_file_is_looked_at_read_in_another_way_and_cancelled(client, people: People, account):
    client.force_login(people.ada)
    bad = "31/13/2026 10:00:00;;;1001;8888 7777;contestada\n"
    content = (HEAD + line(clicked(people.alice, 0)) + bad).encode("cp1252")
    address = upload(client, account, content)["Location"]
    shown = page(client, people.ada, address)
    assert "Leave out the line that cannot be read" in shown and "“31/13/2026" in shown
    faults = client.get(f"{address}faults.csv").getvalue().decode("utf-8-sig")
    assert faults.splitlines()[1].startswith("3;")
    what = RecordImport.objects.get()
    form = {"format": "table", "time_zone": "America/Costa_Rica", "encoding": "cp1252"}
    form |= {"separator": ";", "date_order": "dmy", "column_start": "0", "column_end": "2"}
    form |= {"column_extension": "3", "column_number": "4", "look": "1"}
    assert client.post(address, form).status_code == 302
    what.refresh_from_db()
    assert what.reading["columns"]["number"] == "Abonado B"
    assert what.reading["time_zone"] == "America/Costa_Rica"
    begun = from_ms(yesterday_noon()) + dt.timedelta(hours=6)
    assert f"{timezone.localtime(begun):%H}:00:00" in page(client, people.ada, address)
    assert client.post(address, form | {"column_start": ""}).status_code == 400
    assert client.post(f"{address}cancel/").status_code == 302
    assert not RecordImport.objects.exists()


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\x02\x03" * 100, b"PK\x03\x04 not really an Excel file"]
)
def test_what_is_no_file_of_records_is_refused_with_a_sentence(client, people, account, content):
    client.force_login(people.ada)
    answer = upload(client, account, content)
    assert answer.status_code == 400
    assert b'class="field-error" role="alert"' in answer.content
    assert not RecordImport.objects.exists()


def test_lines_that_cannot_be_read_are_left_out_only_when_said(client, people: People, account):
    client.force_login(people.ada)
    content = HEAD + line(clicked(people.alice, 0)) + "31/13/2026;;;1001;1;contestada\n"
    address = upload(client, account, content.encode())["Location"]
    refused = client.post(address, {"take": "1"})
    assert refused.status_code == 400 and b"notice-bad" in refused.content
    assert client.post(address, {"take": "1", "skip_bad": "1"}).status_code == 302
    assert RecordImport.objects.get().state != RecordImport.DRAFT


def test_a_decision_is_shown_in_its_place(client, people: People, account):
    call, other = clicked(people.alice, 0), clicked(people.alice, 10)
    brought(account, line(call, earlier=30), line(other, earlier=30))
    client.force_login(people.ada)
    first, second = ProviderRecord.objects.order_by("start_time")
    part = {"HTTP_HX_REQUEST": "true"}
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    refused = client.post(f"/records/differences/{first.pk}/keep/", {"reason": " "}, **part)
    assert "Say in a sentence" in refused.content.decode()
    kept = client.post(f"/records/differences/{first.pk}/keep/", {"reason": "I know."}, **part)
    assert kept.headers["HX-Trigger-After-Settle"] == "decided"
    assert "our times stay" in kept.content.decode() and "I know." in kept.content.decode()
    taken = client.post(f"/records/differences/{second.pk}/accept/", **part)
    assert "the phone system’s times stand" in html.unescape(taken.content.decode())
    other.refresh_from_db()
    assert other.evidence == "A" and other.duration_seconds == 30
    assert "Nothing" not in page(client, people.ada, "/records/differences/?state=decided")


def test_all_of_a_kind_are_accepted_after_their_number_is_confirmed(
    client, people: People, account
):
    calls = [clicked(people.alice, 10 * place) for place in range(3)]
    brought(account, *(line(call, earlier=20 + place) for place, call in enumerate(calls)))
    (kind,) = set(ProviderRecord.objects.values_list("reasons__0", flat=True))
    address = f"/records/differences/accept/?kind={kind}"
    assert "Accept 3 records" in page(client, people.ada, address)
    assert client.post(address).status_code == 302
    assert set(ProviderRecord.objects.values_list("outcome", flat=True)) == {"accepted"}
    assert "no open differences" in page(client, people.ada, address)


def test_the_inbox_asks_as_much_of_the_database_for_many_as_for_few(
    client, people: People, account, django_assert_max_num_queries
):
    call = clicked(people.alice, 0)
    what = brought(account, line(call, earlier=30))
    pattern = ProviderRecord.objects.get()
    fields = [
        f.attname for f in ProviderRecord._meta.concrete_fields if f.attname not in ("id", "key")
    ]
    values = {name: getattr(pattern, name) for name in fields}
    ProviderRecord.objects.bulk_create(
        ProviderRecord(**values, key=f"copy {number}") for number in range(200)
    )
    client.force_login(people.ada)
    with django_assert_max_num_queries(60):
        answer = client.get("/records/differences/")
    assert answer.content.count(b"<article") == 25 and b'rel="next"' in answer.content
    assert what.account == account


@pytest.mark.parametrize(
    "query", ["kind=nonsense", "state=3", "agent=nobody", "cursor=x", "period=range&from=1"]
)
def test_a_filter_that_cannot_be_read_is_said(client, people: People, account, query):
    brought(account, line(clicked(people.alice, 0)))
    client.force_login(people.ada)
    answer = client.get(f"/records/differences/?{query}")
    assert answer.status_code == 400 and b"notice-bad" in answer.content


HUGE = "9" * 30


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"/records/import/{HUGE}/", 404),
        (f"/records/import/{HUGE}/faults.csv", 404),
        ("/records/import/?before=x", 200),
        (f"/records/import/?before={HUGE}", 200),
        ("/records/?period=nonsense", 400),
        ("/records/?period=range&from=0001-01-01&to=9999-12-31", 400),
        ("/records/missing/?cursor=x", 400),
        ("/records/missing/?period=range&from=2026-02-31&to=2026-03-01", 400),
        (f"/records/differences/?account={HUGE}", 400),
        ("/records/differences/?agent=%00&kind=%00", 400),
        ("/records/differences/accept/?kind=x", 302),
    ],
)
def test_nonsense_is_answered_and_breaks_nothing(client, people: People, account, address, status):
    brought(account, line(clicked(people.alice, 0)))
    client.force_login(people.ada)
    assert client.get(address).status_code == status


@pytest.mark.parametrize("address", ["accept", "keep"])
def test_nothing_is_decided_about_what_is_not_there(client, people: People, address):
    client.force_login(people.ada)
    assert client.post(f"/records/differences/{HUGE}/{address}/").status_code == 404


def test_a_reading_that_makes_no_sense_changes_nothing(client, people: People, account):
    client.force_login(people.ada)
    address = upload(client, account, (HEAD + line(clicked(people.alice, 0))).encode())["Location"]
    before = RecordImport.objects.get()
    for form in (
        {"look": "1"},
        {"look": "1", "format": "nonsense", "time_zone": "Mars/Olympus"},
        {"look": "1", "format": "table", "time_zone": "UTC", "column_start": HUGE},
        {"look": "1", "format": "table", "column_start": "-1", "date_order": "\x00"},
    ):
        answer = client.post(address, form)
        assert answer.status_code == 400 and b"field-error" in answer.content, form
    after = RecordImport.objects.get()
    assert (after.format, after.reading) == (before.format, before.reading)


def test_before_there_are_records_nothing_is_said_to_agree(people, client, settings):
    settings.LANGUAGE_CODE = "en"
    client.force_login(people.ada)
    page = client.get("/records/differences/").content.decode()
    assert "No records of a phone system yet" in page
    assert "No open differences" not in page
    assert 'class="record-tabs"' in client.get("/records/").content.decode()  # the way to the bill
