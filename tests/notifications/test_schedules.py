"""Reports by mail: who is sent what, once, through a real mail server."""

import datetime as dt
import io
import re
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import openpyxl
import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import roles
from accounts.models import User
from calls import services, timeline
from common.instants import day_start, now, today
from metrics.models import SavedView
from notifications.models import ReportReceiver, ReportRun, ReportSchedule
from notifications.schedules import sending, unsubscribing
from notifications.schedules.due import next_due
from tests.support.beside import beside
from tests.support.mailbox import Mailbox, receiving_mail

pytestmark = [pytest.mark.usefixtures("noon"), pytest.mark.engines]

SITE = "https://calls.example.com"


def call_on(user: User, day: dt.date, seconds: int, status: str = timeline.COMPLETED) -> None:
    begun = day_start(day) + dt.timedelta(hours=10)
    call, _ = services.start_call(
        user, contact_phone="8765 4321", reported=services.ReportedTime(begun, explicit=True)
    )
    ended = services.ReportedTime(begun + dt.timedelta(seconds=seconds), explicit=True)
    services.end_call(call.call_id, user, status=status, reported=ended)


@pytest.fixture
def mailbox(settings, tmp_path) -> Iterator[Mailbox]:
    settings.PUBLIC_BASE_URL = SITE
    settings.DATA_DIR = tmp_path
    with receiving_mail(settings) as box:
        yield box


def reachable(*people: User, language: str = "en") -> None:
    for person in people:
        person.email, person.language = f"{person.username}@example.com", language
        person.save(update_fields=["email", "language"])


@pytest.fixture
def yesterday(people) -> dt.date:
    reachable(people.alice, people.bob, people.carol, people.sue, people.sam, people.ada)
    day = today() - dt.timedelta(days=1)
    call_on(people.alice, day, 100)
    call_on(people.bob, day, 50)
    call_on(people.carol, day, 25)
    call_on(people.carol, day - dt.timedelta(days=1), 10)
    return day


def scheduled(owner: User, *people: User, view: SavedView | None = None, **fields: Any) -> Any:
    """A daily report that is due now, without files; without `people`, for its owner alone."""
    due = now().replace(second=0, microsecond=0)
    values = {"name": "The day", "every": "day", "at": dt.time(0), "next_at": due}
    values |= {"pdf": False, "excel": False} | fields
    one = ReportSchedule.objects.create(owner=owner, view=view, **values)
    for person in people or (owner,):
        ReportReceiver.objects.create(schedule=one, person=person)
    return one


def work() -> None:
    """What the worker does each minute."""
    sending.make_due_runs()
    for pk in sending.waiting_runs():
        sending.send(pk)


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    return mail.get_body((kind,)).get_content()


def by_receiver(box: Mailbox) -> dict[str, EmailMessage]:
    return {mail["To"].partition("@")[0]: mail for mail in box.mails}


def rows_of(mail: EmailMessage, sheet: str) -> list[Any]:
    file = next(part for part in mail.iter_attachments() if part.get_filename().endswith("xlsx"))
    book = openpyxl.load_workbook(io.BytesIO(file.get_content()))
    return [row[0] for row in book[sheet].iter_rows(min_row=2, values_only=True)]


def client_of(user: User) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client


# --- What is sent ---------------------------------------------------------------------------------
def test_each_receives_only_what_that_person_may_see(people, yesterday, mailbox):
    scheduled(people.ada, people.ada, people.sue, people.carol, excel=True)
    work()
    mails = by_receiver(mailbox)
    assert sorted(mails) == ["ada", "carol", "sue"]
    assert "Calls made: 3" in text_of(mails["ada"])
    assert "Calls made: 2" in text_of(mails["sue"])
    assert "Calls made: 1" in text_of(mails["carol"])
    for part in ("plain", "html"):
        assert "Alice" not in text_of(mails["carol"], part)
        assert "Carol" not in text_of(mails["sue"], part)
    assert rows_of(mails["ada"], "Agents") == ["Carol", "Alice", "Bob"]
    assert rows_of(mails["sue"], "Agents") == ["Alice", "Bob"]
    assert rows_of(mails["carol"], "Agents") == ["Carol"]


def test_the_mail_is_whole(people, yesterday, mailbox):
    scheduled(people.ada, pdf=True, excel=True)
    work()
    (mail,) = mailbox.mails
    html = text_of(mail, "html")
    assert "<svg" not in html and "<script" not in html
    assert "font-size: 20px" in html  # inlined
    pictures = {
        part["Content-ID"].strip("<>"): part.get_content()
        for part in mail.walk()
        if part.get_content_type() == "image/png"
    }
    assert sorted(pictures) == sorted(re.findall(r'src="cid:(\w+)"', html)) == ["average", "calls"]
    assert all(png.startswith(b"\x89PNG") and len(png) > 1000 for png in pictures.values())
    files = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
    assert [name.rpartition(".")[2] for name in sorted(files)] == ["pdf", "xlsx"]
    assert next(file for name, file in files.items() if "pdf" in name).startswith(b"%PDF")
    assert f"{SITE}/organization/?period=range&from={yesterday}&to={yesterday}" in text_of(mail)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Unsubscribe"].strip().startswith(f"<{SITE}/reports/unsubscribe/")


def test_it_is_in_the_language_of_each_receiver(people, yesterday, mailbox):
    reachable(people.sue, language="es")
    scheduled(people.ada, people.ada, people.sue, excel=True)
    work()
    mails = by_receiver(mailbox)
    assert "Calls made: 3" in text_of(mails["ada"])
    assert "Llamadas hechas: 2" in text_of(mails["sue"])
    assert rows_of(mails["sue"], "Agentes") == ["Alice", "Bob"]


def test_a_view_is_sent_for_the_days_before_with_its_filters(people, yesterday, mailbox):
    query = "status=COMPLETED&period=today&cursor=abc"
    view = SavedView.objects.create(owner=people.sue, name="Done", path="/calls/", query=query)
    call_on(people.alice, yesterday, 5, timeline.FAILED)
    scheduled(people.sue, view=view)
    work()
    text = text_of(mailbox.mails[0])
    assert "Calls made: 2" in text
    assert "The newest calls" in text and "Failed: 0" in text
    assert f"{SITE}/calls/?status=COMPLETED&period=range&from={yesterday}" in text


@pytest.mark.parametrize("path", ["/", "/team/", "/reports/", "/plots/", "/figures/success_rate/"])
def test_every_page_that_can_be_saved_can_be_sent(people, yesterday, mailbox, path):
    view = SavedView.objects.create(owner=people.sue, name="A page", path=path)
    scheduled(people.sue, view=view)
    work()
    assert len(mailbox.mails) == 1, ReportRun.objects.get().error


def test_an_empty_period_is_said_in_a_sentence(people, mailbox):
    reachable(people.ada)
    scheduled(people.ada)
    work()
    assert "There were no calls in these days." in text_of(mailbox.mails[0])
    assert "There were no calls in these days." in text_of(mailbox.mails[0], "html")


def test_nobody_is_called_the_best_where_chance_may_explain_it(people, mailbox):
    reachable(people.ada)
    day = today() - dt.timedelta(days=1)
    for person, failed in ((people.alice, 0), (people.bob, 2), (people.carol, 3)):
        for number in range(12):
            call_on(person, day, 30, timeline.FAILED if number < failed else timeline.COMPLETED)
    scheduled(people.ada)
    work()
    text = text_of(mailbox.mails[0])
    assert "Nobody can be called the best: the intervals of Alice and Bob overlap" in text
    assert re.search(r"Alice: 100.0% \(75.\d% – 100.0%\)", text)  # Wilson, 12 of 12


# --- Once, and to whom ----------------------------------------------------------------------------
def test_it_is_sent_once_however_often_the_worker_looks(people, yesterday, mailbox):
    one = scheduled(people.ada)
    work()
    work()
    assert len(mailbox.mails) == 1
    one.refresh_from_db()
    assert one.next_at == next_due(one, now())


@pytest.mark.django_db(transaction=True)
def test_several_workers_at_once_send_it_once(live_people, mailbox):
    reachable(live_people.ada, live_people.sue)
    scheduled(live_people.ada, live_people.ada, live_people.sue)
    with beside(work), beside(work), beside(work):
        work()
    work()
    assert sorted(mail["To"] for mail in mailbox.mails) == ["ada@example.com", "sue@example.com"]
    assert ReportRun.objects.count() == 2
    connection.close()


def test_missed_times_are_made_up_once(people, yesterday, mailbox):
    one = scheduled(people.ada, next_at=day_start(today() - dt.timedelta(days=20)))
    work()
    work()
    assert len(mailbox.mails) == 1
    assert ReportRun.objects.get().due == day_start(today())
    one.refresh_from_db()
    assert one.next_at == day_start(today() + dt.timedelta(days=1))


def test_a_server_that_refuses_for_a_while_is_tried_again(people, yesterday, mailbox):
    one = scheduled(people.ada)
    mailbox.answers[:] = ["451 come back later", "250 taken"]
    work()
    run = ReportRun.objects.get()
    assert (run.state, run.attempts) == ("waiting", 1)
    assert run.try_at > now() + dt.timedelta(seconds=30)
    assert "451 come back later" in run.error
    page = client_of(people.ada).get(f"/reports/schedules/{one.pk}/").content.decode()
    assert "451 come back later" in page
    work()
    assert mailbox.mails == []
    ReportRun.objects.update(try_at=now())
    work()
    assert len(mailbox.mails) == 1
    assert ReportRun.objects.get().state == "sent"


def test_a_server_that_is_away_is_tried_again_and_given_up_after_a_day(people, yesterday, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_URL, settings.EMAIL_HOST, settings.EMAIL_PORT = "smtp://x", "127.0.0.1", 1
    scheduled(people.ada)
    work()
    run = ReportRun.objects.get()
    assert run.state == "waiting" and "cannot be reached" in run.error
    ReportRun.objects.update(try_at=now(), attempts=len(sending.BACKOFF))
    work()
    assert ReportRun.objects.get().state == "failed"


def test_an_address_with_a_line_break_is_refused_in_a_sentence(people, yesterday, mailbox):
    User.objects.filter(pk=people.ada.pk).update(email="ada@example.com\nBcc: all@example.com")
    scheduled(people.ada)
    work()
    assert mailbox.mails == []
    run = ReportRun.objects.get()
    assert run.state == "failed"
    assert run.error == "The e-mail address of Ada has a line break or a space at its end."


def test_roles_receive_it_and_whoever_may_no_longer_see_it_does_not(people, yesterday, mailbox):
    view = SavedView.objects.create(owner=people.ada, name="All", path="/organization/")
    scheduled(people.ada, roles=[roles.SUPERVISOR], view=view)
    work()
    assert sorted(by_receiver(mailbox)) == ["ada"]
    failed = ReportRun.objects.exclude(sent_at__isnull=False)
    assert {run.person.username for run in failed} == {"sue", "sam"}
    assert failed[0].error.endswith("may not see what this report is about.")


def test_who_is_inactive_or_out_of_the_owners_sight_receives_nothing(people, yesterday, mailbox):
    scheduled(people.sue, people.sue, people.alice, people.bob, people.carol)
    people.bob.is_active = False
    people.bob.save()
    work()
    assert sorted(by_receiver(mailbox)) == ["alice", "sue"]


def test_an_owner_who_lost_the_rights_sends_nothing_to_others(people, yesterday, mailbox):
    scheduled(people.ada, people.sue, roles=[roles.AGENT])
    people.ada.groups.clear()
    work()
    assert mailbox.mails == []


def test_a_schedule_goes_with_its_view(people):
    view = SavedView.objects.create(owner=people.ada, name="All", path="/organization/")
    scheduled(people.ada, view=view)
    client_of(people.ada).post(f"/views/{view.pk}/delete/")
    assert not ReportSchedule.objects.exists()


# --- Leaving and coming back ----------------------------------------------------------------------
def test_one_click_unsubscribes_without_signing_in(people, yesterday, mailbox):
    one = scheduled(people.ada, people.ada, people.sue)
    work()
    address = by_receiver(mailbox)["sue"]["List-Unsubscribe"].strip(" <>").removeprefix(SITE)
    program = Client(enforce_csrf_checks=True)
    page = program.get(address)
    assert page.status_code == 200
    assert not unsubscribing.has_left(one, people.sue)  # a look changes nothing
    answer = program.post(address, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    ReportSchedule.objects.update(next_at=now())
    mailbox.mails.clear()
    work()
    assert sorted(by_receiver(mailbox)) == ["ada"]
    program.post(address, {"again": "1"})
    ReportSchedule.objects.update(next_at=now())
    ReportRun.objects.all().delete()
    mailbox.mails.clear()
    work()
    assert sorted(by_receiver(mailbox)) == ["ada", "sue"]


def test_who_receives_it_by_a_role_may_leave_it_too(people, yesterday, mailbox):
    one = scheduled(people.ada, roles=[roles.SUPERVISOR])
    Client().post(unsubscribing.address_of(one, people.sue))
    work()
    assert sorted(by_receiver(mailbox)) == ["ada", "sam"]


def test_a_forged_address_leads_nowhere_and_a_deleted_report_is_said(people):
    one = scheduled(people.ada)
    address = unsubscribing.address_of(one, people.ada)
    assert Client().post(address.replace(":", ":x")).status_code == 404
    one.delete()
    page = Client(headers={"Accept-Language": "en"}).post(address)
    assert page.status_code == 200
    assert "This report is not sent any more." in page.content.decode()


# --- The pages ------------------------------------------------------------------------------------
FORM = {"view": "", "name": "", "every": "month", "weekday": "0", "day": "31", "at": "07:30"}


def test_the_form_makes_one_and_changes_it(people):
    reachable(people.sue, people.alice)
    client = client_of(people.sue)
    chosen = [str(people.sue.pk), str(people.alice.pk)]
    made = client.post("/reports/schedules/new/", FORM | {"people": chosen, "pdf": "on"})
    one = ReportSchedule.objects.get()
    assert made.headers["Location"] == f"/reports/schedules/{one.pk}/"
    assert (one.name, one.day, one.pdf, one.excel) == ("Executive report", 31, True, False)
    assert one.next_at == next_due(one, now())
    client.post(f"/reports/schedules/{one.pk}/edit/", FORM | {"name": "Mine", "people": chosen[:1]})
    one.refresh_from_db()
    assert one.name == "Mine"
    assert [row.person for row in one.receivers.all()] == [people.sue]


def test_many_reports_are_listed_with_as_many_statements_as_few(people):
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/reports/schedules/").status_code == 200
        return len(asked)

    def lay() -> None:
        for owner, receiver in ((people.ada, people.sue), (people.sam, people.ada)):
            schedule = scheduled(owner, receiver)
            sending.add_runs(schedule, [receiver], now())

    client = client_of(people.ada)
    lay()
    client.get("/reports/schedules/")
    few = statements()
    for _ in range(4):
        lay()
    assert statements() == few


def test_only_those_may_be_chosen_whom_one_may_see(people):
    reachable(people.sue, people.carol, people.alice)
    answer = client_of(people.sue).post(
        "/reports/schedules/new/", FORM | {"people": [str(people.carol.pk)]}
    )
    assert answer.status_code == 400
    client_of(people.alice).post(
        "/reports/schedules/new/", FORM | {"people": [str(people.sue.pk)], "roles": [roles.ADMIN]}
    )
    one = ReportSchedule.objects.get()
    assert [row.person for row in one.receivers.all()] == [people.alice]
    assert one.roles == []


def test_who_has_no_address_is_told_so(people):
    answer = client_of(people.alice).post("/reports/schedules/new/", FORM)
    assert answer.status_code == 400
    assert "Alice has no e-mail address." in answer.content.decode()


def test_the_preview_is_the_very_mail(people, yesterday, mailbox):
    one = scheduled(people.ada)
    page = client_of(people.ada).get(f"/reports/schedules/{one.pk}/mail/")
    assert "sandbox" in page.headers["Content-Security-Policy"]
    text = page.content.decode()
    assert "The day" in text and text.count("data:image/png;base64,") == 2
    assert mailbox.mails == []


def test_a_paused_one_is_not_sent_and_what_fell_into_the_pause_is_not_made_up(
    people, yesterday, mailbox
):
    one = scheduled(people.ada)
    client = client_of(people.ada)
    client.post(f"/reports/schedules/{one.pk}/pause/", {"paused": "1"})
    ReportSchedule.objects.update(next_at=now() - dt.timedelta(days=3))
    work()
    client.post(f"/reports/schedules/{one.pk}/pause/", {"paused": "0"})
    work()
    assert mailbox.mails == []
    one.refresh_from_db()
    assert not one.paused and one.next_at > now()


def test_a_page_is_sent_at_once_to_whoever_looks_at_it(people, yesterday, mailbox):
    client = client_of(people.alice)
    menu = client.get("/views/?path=/&query=period=yesterday", headers={"HX-Request": "true"})
    assert 'action="/reports/send/"' in menu.content.decode()
    answer = client.post("/reports/send/", {"path": "/", "query": "period=yesterday"})
    assert answer.headers["Location"] == "/?period=yesterday"
    for pk in sending.waiting_runs():
        sending.send(pk)
    (mail,) = mailbox.mails
    assert mail["To"] == "alice@example.com"
    assert "Calls made: 1" in text_of(mail)
    assert mail["List-Unsubscribe"] is None
    assert ReportRun.objects.get().query == ""  # it may have named a number


@pytest.mark.parametrize("path", ["/organization/", "/nowhere/", "//example.com/", "/me/", ""])
def test_what_is_not_ones_own_to_see_is_not_sent(people, yesterday, mailbox, path):
    client_of(people.alice).post("/reports/send/", {"path": path, "query": ""})
    assert not ReportRun.objects.exists()


def test_without_a_mail_server_nothing_is_promised(people, yesterday, settings):
    settings.EMAIL_URL = ""
    client = client_of(people.alice)
    answer = client.post("/reports/send/", {"path": "/", "query": ""}, follow=True)
    assert "This site sends no mail yet" in answer.content.decode()
    assert not ReportRun.objects.exists()


def test_what_waits_to_be_sent_about_a_removed_person_is_dropped(people):
    wanted = {"person": people.ada, "due": now(), "try_at": now(), "path": "/history/"}
    for query in ("q=%2B52+55+1234+5678&a=1", "status=completed"):
        ReportRun.objects.create(query=query, **wanted)
    call_command("forget", phone="+525512345678", yes=True, stdout=io.StringIO())
    assert [run.query for run in ReportRun.objects.all()] == ["status=completed"]


@pytest.mark.parametrize("query", ["x=a\0b", "\0"])
def test_a_page_asked_for_with_a_byte_that_is_no_text_is_refused(people, mailbox, query):
    reachable(people.ada)
    answer = client_of(people.ada).post("/reports/send/", {"path": "/reports/", "query": query})
    assert (answer.status_code, ReportRun.objects.count()) == (302, 0)
