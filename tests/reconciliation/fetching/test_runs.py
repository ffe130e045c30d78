"""From the question to the ledger: by night, by command, from the page; nothing lost or doubled."""

import datetime as dt
import io

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import translation
from huey.contrib.djhuey import HUEY

from calls.models import CallLog, ProviderIdentity
from common.instants import now
from reconciliation import imports, tasks
from reconciliation.fetching.asking import Patience
from reconciliation.fetching.coverage import DELAY, FIRST, OVERLAP, covered_until, due_of
from reconciliation.fetching.nightly import fetch_all
from reconciliation.fetching.runs import fetch
from reconciliation.models import ProviderRecord, RecordImport
from tests.support import provider_records as providers
from tests.support.receiver import receiving, saying

pytestmark = [pytest.mark.django_db, pytest.mark.engines, pytest.mark.usefixtures("queue")]

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def here_too(settings):
    settings.OUTGOING_PRIVATE_ADDRESSES = True
    with translation.override("en"):
        yield


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def account(receiver, people):
    found = providers.make_account("aircall", receiver.url("").rstrip("/"))
    ProviderIdentity.objects.create(account=found, identity="456", user=people.alice)
    return found


def aircall(number, began, seconds=60):
    start = int(began.timestamp())
    return {
        "id": number,
        "direction": "outbound",
        "status": "done",
        "started_at": start,
        "answered_at": start + 5,
        "ended_at": start + 5 + seconds,
        "duration": seconds + 5,
        "raw_digits": "+34600000001",
        "user": {"id": 456},
    }


def taken(what):
    """The import as the worker leaves it."""
    imports.run(what.pk)
    what.refresh_from_db()
    return what


def work_off():
    """What a worker would do now."""
    while (task := HUEY.dequeue()) is not None:
        getattr(tasks, task.name).call_local(*task.args, **task.kwargs)
    for what in RecordImport.objects.filter(state=RecordImport.WAITING):
        taken(what)


def by_night():
    """One night and the worker's work after it."""
    failed = fetch_all()
    work_off()
    return failed


def test_what_is_fetched_becomes_calls_and_again_changes_nothing(account, receiver, people):
    receiver.answers = [providers.Aircall([aircall(n, now() - n * HOUR) for n in (2, 3, 4)])]
    period = now() - DAY, now() - HOUR
    first = taken(fetch(account, *period))
    assert (first.state, first.created, first.origin) == (RecordImport.DONE, 3, RecordImport.FETCH)
    assert {call.user for call in CallLog.objects.all()} == {people.alice}
    again = taken(fetch(account, *period))
    assert (again.created, again.repeated) == (0, 3)
    assert CallLog.objects.count() == ProviderRecord.objects.count() == 3


def test_a_failure_is_told_in_the_list_and_nothing_is_taken_in(account, receiver, client, people):
    receiver.answers = [saying(401, b'{"error":"Unauthorized"}')]
    what = fetch(account, now() - DAY, now())
    assert what.state == RecordImport.FAILED
    assert what.message == "The provider does not accept the credentials: Unauthorized"
    client.force_login(people.ada)
    page = client.get(reverse("record_imports"), headers={"Accept-Language": "en"})
    assert what.file_name in page.content.decode()
    one = client.get(reverse("record_import", args=[what.pk]), headers={"Accept-Language": "en"})
    assert what.message in one.content.decode()


def test_a_period_without_records_is_an_import_that_says_so(account, receiver):
    receiver.answers = [providers.Aircall([])]
    what = fetch(account, now() - DAY, now())
    assert (what.state, what.records) == (RecordImport.DONE, 0)
    assert what.message == "The provider has no records of this period."


def test_the_nights_follow_each_other_without_a_gap(account, receiver):
    receiver.answers = [providers.Aircall([])]
    since, until = due_of(account)
    assert until - since == FIRST
    by_night()
    covered = covered_until(account)
    assert abs(covered - (now() - DELAY)) < dt.timedelta(minutes=1)
    assert due_of(account)[0] == covered - OVERLAP

    receiver.answers = [saying(403, b"{}")]
    assert by_night() == 1
    assert covered_until(account) == covered
    receiver.answers = [providers.Aircall([aircall(1, now() - 2 * HOUR)])]
    assert by_night() == 0
    assert covered_until(account) > covered
    assert CallLog.objects.count() == 1


def test_what_people_fetch_between_times_hides_no_gap(account, receiver):
    receiver.answers = [providers.Aircall([])]
    fetch(account, now() - HOUR, now())
    assert covered_until(account) is None


def test_an_import_that_fails_later_is_fetched_again(account, receiver):
    receiver.answers = [providers.Aircall([aircall(1, now() - 2 * HOUR)])]
    fetch_all()
    assert covered_until(account) is not None
    RecordImport.objects.update(state=RecordImport.FAILED)
    assert covered_until(account) is None


def test_one_account_that_fails_keeps_no_other_waiting(account, receiver):
    with receiving() as other:
        providers.make_account("aircall", other.url("").rstrip("/"), name="aaa")
        other.answers = [saying(403, b"{}")]
        receiver.answers = [providers.Aircall([aircall(1, now() - 2 * HOUR)])]
        assert by_night() == 1
    assert CallLog.objects.count() == 1


def test_only_accounts_with_credentials_are_asked(account, receiver):
    account.settings.pop("api_id")
    account.save()
    assert fetch_all() == 0
    assert receiver.received == []


def told(*args):
    out = io.StringIO()
    call_command("fetch_records", *args, stdout=out)
    return out.getvalue()


def test_the_command_fetches_and_takes_in(account, receiver):
    receiver.answers = [providers.Aircall([aircall(n, now() - n * HOUR) for n in (2, 3)])]
    assert "2 created" in told("--account", "aircall", "--dry-run")
    assert not CallLog.objects.exists()
    assert not RecordImport.objects.exists()
    assert "2 created, 0 repeated" in told("--account", "aircall")
    assert "0 created, 2 repeated" in told("--account", "aircall")


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["--account", "nobody"], "There is no account nobody."),
        (["--account", "aircall", "--since", "2999-01-01"], "The period is empty"),
        (["--account", "aircall"], "lack the right to read the call records"),
        (["--account", "aircall", "--dry-run"], "lack the right to read the call records"),
    ],
)
def test_the_command_says_why_it_does_not(args, why, account, receiver):
    receiver.answers = [saying(403, b"{}")]
    with pytest.raises(CommandError, match=why):
        told(*args)


def test_the_page_has_the_worker_fetch(account, receiver, client, people):
    receiver.answers = [providers.Aircall([aircall(1, now() - 2 * HOUR)])]
    client.force_login(people.ada)
    for page in ("record_imports", "record_fetch"):
        assert "fetch_title" in client.get(reverse(page)).content.decode()
    day = (now() - 3 * DAY).date().isoformat()
    sent = {"account": "aircall", "since": day, "until": (now() + DAY).date().isoformat()}
    answer = client.post(reverse("record_fetch"), sent)
    assert answer.status_code == 302
    work_off()
    what = RecordImport.objects.get()
    assert (what.person, what.created) == (people.ada, 1)
    for wrong in ({"account": "other"}, {"since": "never"}, {"since": "2999-01-01"}, {"until": ""}):
        assert client.post(reverse("record_fetch"), sent | wrong).status_code == 400


def test_nothing_lies_about_after_a_fetch_that_broke_off(account, receiver, settings):
    broken = b'{"meta": {"next_page_link": "x"}, "calls": [{"id": 1}]}'
    receiver.answers = [saying(200, broken), saying(404, b"{}")]
    patience = Patience(total=5, first_wait=0.01)
    assert fetch(account, now() - DAY, now(), patience=patience).state == RecordImport.FAILED
    assert not [path for path in settings.DATA_DIR.iterdir() if path.name.startswith("fetching")]
