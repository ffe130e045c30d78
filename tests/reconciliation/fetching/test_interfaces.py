"""What providers are asked for their records, and what becomes of troubles on the way.

The providers are servers of our own on loopback, which check credentials and page as the real ones.
"""

import datetime as dt
import json

import pytest
from django.utils import translation

from reconciliation.fetching import fetchers, is_ready
from reconciliation.fetching.asking import Failed, Patience
from reconciliation.fetching.runs import fetched_file
from tests.support import provider_records as providers
from tests.support.receiver import dripping, endless, receiving, saying, silent

pytestmark = [pytest.mark.django_db, pytest.mark.once]

SINCE = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
UNTIL = dt.datetime(2026, 1, 8, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
KINDS = ("aircall", "ringcentral", "twilio", "zoom")


@pytest.fixture(autouse=True)
def here_too(settings):
    settings.OUTGOING_PRIVATE_ADDRESSES = True
    with translation.override("en"):
        yield


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


def twilio_call(number, at, **more):
    written = at.strftime("%a, %d %b %Y %H:%M:%S +0000")
    return {"sid": f"CA{number:032x}", "start_time": written, "status": "completed", **more}


def calls_of(kind, instants):
    """One call at each of `instants`, as the interface of `kind` gives it."""
    one = {
        "twilio": lambda n, at: twilio_call(n, at),
        "zoom": lambda n, at: {"call_id": str(n), "start_time": f"{at:%Y-%m-%dT%H:%M:%SZ}"},
        "aircall": lambda n, at: {"id": n, "started_at": int(at.timestamp()), "status": "done"},
        "ringcentral": lambda n, at: {"id": str(n), "startTime": f"{at:%Y-%m-%dT%H:%M:%S.000Z}"},
    }[kind]
    return [one(n, at) for n, at in enumerate(instants)]


def provider_of(kind, calls, **more):
    named = {
        "twilio": providers.Twilio,
        "zoom": providers.Zoom,
        "aircall": providers.Aircall,
        "ringcentral": providers.RingCentral,
    }
    return named[kind](calls, **more)


def impatient(**more):
    return Patience(**{"total": 20, "answer": 5, "first_wait": 0.01, **more})


def fetched(kind, receiver, since=SINCE, until=UNTIL, patience=None, **settings):
    account = providers.make_account(kind, receiver.url("").rstrip("/"))
    account.settings |= settings
    with fetched_file(account, since, until, patience or impatient()) as (path, count):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == count
    return lines


def failure_of(kind, receiver, **more):
    with pytest.raises(Failed) as failed:
        fetched(kind, receiver, **more)
    return str(failed.value)


def test_there_is_one_for_each_of_the_four():
    assert tuple(fetchers()) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_all_pages_of_a_period_are_fetched_once(kind, receiver):
    inside = [SINCE + n * HOUR for n in range(7)] + [UNTIL - HOUR]
    outside = [SINCE - HOUR, UNTIL, UNTIL + HOUR]
    receiver.answers = [provider_of(kind, calls_of(kind, inside + outside))]

    assert fetched(kind, receiver) == calls_of(kind, inside)
    assert len(receiver.received) >= (1 if kind == "aircall" else 4)


@pytest.mark.parametrize("kind", KINDS)
def test_faults_on_the_way_change_nothing(kind, receiver):
    calls = calls_of(kind, [SINCE + n * HOUR for n in range(3)])

    def cut_off(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"{")

    receiver.answers = [
        saying(500),
        saying(429, b"{}", Retry_After="0"),
        cut_off,
        saying(503),
        provider_of(kind, calls),
    ]
    assert fetched(kind, receiver) == calls


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_credentials_are_said_to_be_wrong(kind, receiver):
    receiver.answers = [provider_of(kind, [])]
    account = providers.make_account(kind, receiver.url("").rstrip("/"))
    account.add_secret(next(iter(providers.SECRETS[kind])), "another")
    with (
        pytest.raises(Failed, match=r"^The provider does not accept the credentials: "),
        fetched_file(account, SINCE, UNTIL, impatient()),
    ):
        pass


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (403, {"message": "needs [ReadCallLog] permission"}, "lack the right to read the call rec"),
        (400, {"code": 4711, "message": "does not contain scopes"}, "lack the right to read the c"),
        (404, {"message": "Not found"}, "The provider refused (404): Not found"),
        (302, {}, "leads elsewhere"),
        (200, [], "The provider's answer is not readable."),
    ],
)
def test_a_refusal_is_told_in_the_providers_words(status, body, said, receiver):
    receiver.answers = [saying(status, json.dumps(body).encode())]
    assert said in failure_of("twilio", receiver)
    assert len(receiver.received) == 1


def test_who_asks_for_too_long_a_wait_is_asked_another_time(receiver):
    receiver.answers = [saying(429, b"{}", Retry_After="5400")]
    said = failure_of("twilio", receiver)
    assert "limit reached" in said
    assert "90 minutes" in said


def test_a_wait_that_is_asked_for_is_kept(receiver):
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    receiver.answers = [saying(429, b"{}", Retry_After=later), providers.Twilio([])]
    began = dt.datetime.now(dt.UTC)
    assert fetched("twilio", receiver) == []
    assert dt.datetime.now(dt.UTC) - began > dt.timedelta(milliseconds=500)


@pytest.mark.parametrize("answer", [silent, dripping, endless])
def test_an_answer_without_an_end_is_given_up(answer, receiver, monkeypatch):
    receiver.answers = [answer]
    monkeypatch.setattr("reconciliation.fetching.asking._LONGEST_ANSWER", 100_000)
    assert failure_of("twilio", receiver, patience=impatient(answer=0.3, tries=2))


def test_nothing_lasts_longer_than_the_patience(receiver):
    receiver.answers = [saying(429, b"{}")]
    assert failure_of("twilio", receiver, patience=impatient(total=0.3, first_wait=0.05))


def test_nobody_there_is_said_so(receiver):
    with receiving() as gone:
        address = gone.url("").rstrip("/")
    said = failure_of("zoom", receiver, api_address=address)
    assert said == "No connection to 127.0.0.1 could be made."


def test_private_addresses_and_plain_http_need_leave(receiver, settings):
    settings.OUTGOING_PRIVATE_ADDRESSES = False
    assert "must begin with https://" in failure_of("aircall", receiver)
    receiver_in_tls = {"api_address": f"https://127.0.0.1:{receiver.port}"}
    assert "private network" in failure_of("zoom", receiver, **receiver_in_tls)
    assert receiver.received == []


def test_credentials_never_follow_a_link_to_another_host(receiver):
    body = {"calls": [], "next_page_uri": "//elsewhere.test/steal"}
    receiver.answers = [saying(200, json.dumps(body).encode())]
    assert failure_of("twilio", receiver) == "The provider's answer is not readable."


def test_a_token_that_expires_meanwhile_is_renewed(receiver):
    calls = calls_of("zoom", [SINCE + n * HOUR for n in range(9)])
    provider = providers.Zoom(calls, lasts=2)
    receiver.answers = [provider]
    assert fetched("zoom", receiver) == calls
    assert provider.tokens == 3


def test_zooms_list_is_read_by_its_older_name_too(receiver):
    calls = calls_of("zoom", [SINCE, SINCE + HOUR])
    receiver.answers = [providers.Zoom(calls, named="call_logs")]
    assert fetched("zoom", receiver) == calls


def test_long_periods_are_asked_for_in_parts(receiver):
    instants = [SINCE + dt.timedelta(days=n) for n in range(70)]
    calls = calls_of("zoom", instants)
    receiver.answers = [providers.Zoom(calls, page=300)]
    assert fetched("zoom", receiver, until=SINCE + dt.timedelta(days=70)) == calls


def test_what_aircall_cannot_give_at_once_is_asked_for_in_halves(receiver):
    calls = calls_of("aircall", [SINCE + n * dt.timedelta(minutes=7) for n in range(400)])
    receiver.answers = [providers.Aircall(calls, most=60)]
    assert fetched("aircall", receiver) == calls


def test_calls_that_go_on_wait_for_the_next_time(receiver):
    over, going = twilio_call(1, SINCE), twilio_call(2, SINCE, status="in-progress")
    receiver.answers = [providers.Twilio([going, over])]
    assert fetched("twilio", receiver) == [over]


def test_a_child_that_begins_after_the_period_belongs_to_its_parent(receiver):
    parent = twilio_call(1, UNTIL - HOUR)
    child = twilio_call(2, UNTIL + HOUR, parent_call_sid=parent["sid"])
    receiver.answers = [providers.Twilio([child, twilio_call(3, UNTIL + HOUR), parent])]
    assert fetched("twilio", receiver) == [child, parent]


@pytest.mark.parametrize("kind", KINDS)
def test_an_account_is_ready_once_it_lacks_nothing(kind):
    account = providers.make_account(kind, "")
    assert is_ready(account)
    account.settings = {}
    assert not is_ready(account)
    with pytest.raises(Failed, match=r"^The account lacks: "), fetched_file(account, SINCE, UNTIL):
        pass
