"""Every adapter through its real door: the hook, the store, the intake, the call."""

import json
import random
import re
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from calls import timeline
from calls.models import CallLog, ProviderAccount, ProviderIdentity, RawEvent
from calls.providers import adapters
from calls.simulation import builders
from calls.simulation.base import ScriptedCall, Target
from common.instants import from_ms
from metrics.rollups.rebuild import differences
from tests.api.test_queries import Statements
from tests.calls.providers import test_twilio as twilio
from tests.calls.providers import test_zoom as zoom
from tests.support.telling import SECRET, T

pytestmark = [pytest.mark.django_db, pytest.mark.once]

BASE = "https://calls.example.test"
KINDS = list(builders())

SCRIPT = ScriptedCall(
    call_id="c-1",
    agent="801",
    number="+50651234567",
    start=T,
    ringing=T + 2_000,
    answered=T + 9_000,
    holds=((T + 40_000, T + 52_000),),
    end=T + 110_000,
)


@pytest.fixture(autouse=True)
def public_address(settings):
    settings.PUBLIC_BASE_URL = BASE


def make_account(people, kind, name="main", secret=SECRET, **settings):
    account = ProviderAccount(kind=kind, name=name, region="CR", settings=settings)
    for one in adapters()[kind].secret_names:
        account.add_secret(one, secret)
    account.save()
    ProviderIdentity.objects.create(account=account, identity="801", user=people.alice)
    return account


@pytest.fixture
def account(people, kind):
    return make_account(people, kind)


def target_of(account):
    address = f"{BASE}/hooks/{account.kind}/{account.name}/"
    return Target(address, account.secrets, account.settings)


def requests_of(account, script=SCRIPT):
    return builders()[account.kind].requests(script, target_of(account))


def send(client, sent, body=None, **headers):
    """One request as it comes through a proxy that speaks plain HTTP to us."""
    every = sent.headers | headers
    return client.generic(
        sent.method,
        sent.url.removeprefix(BASE),
        sent.body if body is None else body,
        content_type=every.get("Content-Type", ""),
        headers={name: value for name, value in every.items() if name != "Content-Type"},
    )


def facts_of(call):
    return (
        *(call.user, call.status, call.phone_e164, call.direction, call.evidence, call.missing),
        *(call.start_time, call.answered_time, call.end_time),
        *(call.ring_seconds, call.hold_seconds, call.duration_seconds, call.talk_seconds),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("direction", ["outbound", "inbound"])
def test_a_call_is_recorded_exactly(client, people, account, kind, direction):
    script = ScriptedCall(**{**vars(SCRIPT), "direction": direction})
    for sent in requests_of(account, script):
        assert send(client, sent).status_code in (200, 204)
    call = CallLog.objects.get()
    reported = builders()[kind].as_reported(script).truth
    assert (call.user, call.status, call.direction) == (people.alice, "COMPLETED", direction)
    assert (call.start_time, call.answered_time, call.end_time) == tuple(
        from_ms(reported[name]) for name in ("start", "answered", "end")
    )
    assert (call.ring_seconds, call.hold_seconds, call.duration_seconds, call.talk_seconds) == (
        reported["ring"] // 1000,
        reported["hold"] // 1000,
        reported["duration"] // 1000,
        reported["talk"] // 1000,
    )
    assert (call.phone_e164, call.missing) == ("+50651234567", "")
    assert not RawEvent.objects.exclude(outcome__in=("taken", "ignored")).exists()
    assert differences() == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [timeline.NO_ANSWER, timeline.FAILED])
def test_a_call_that_nobody_answered_is_recorded(client, people, account, kind, status):
    script = ScriptedCall(**{**vars(SCRIPT), "answered": None, "holds": (), "status": status})
    for sent in requests_of(account, script):
        send(client, sent)
    call = CallLog.objects.get()
    assert call.status == builders()[kind].as_reported(script).status
    assert (call.ring_seconds, call.talk_seconds, call.answered_time) == (110, 0, None)
    assert call.user == people.alice


@pytest.mark.parametrize("kind", KINDS)
def test_any_order_with_duplicates_records_the_same_call(client, account, kind):
    requests = requests_of(account)
    for sent in requests:
        send(client, sent)
    wanted = facts_of(CallLog.objects.get())
    dice = random.Random(kind)
    for _ in range(3):
        CallLog.objects.all().delete()
        RawEvent.objects.all().delete()
        again = [*requests, *dice.sample(requests, len(requests) // 2)]
        dice.shuffle(again)
        for sent in again:
            assert send(client, sent).status_code in (200, 204)
        assert facts_of(CallLog.objects.get()) == wanted
    assert differences() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_replayed_request_is_kept_once_and_changes_nothing(client, account, kind):
    for sent in requests_of(account):
        send(client, sent)
    before, kept = facts_of(CallLog.objects.get()), RawEvent.objects.count()
    lines = CallLog.objects.get().events.count()
    for sent in requests_of(account):
        assert send(client, sent).status_code in (200, 204)
    assert (facts_of(CallLog.objects.get()), RawEvent.objects.count()) == (before, kept)
    assert CallLog.objects.get().events.count() == lines
    assert set(RawEvent.objects.values_list("times", flat=True)) == {2}


@pytest.mark.parametrize("kind", KINDS)
def test_a_forged_request_leaves_nothing_but_a_counter(client, people, account, kind):
    stranger = make_account(people, kind, name="stranger", secret="another-secret")
    forged = builders()[kind].requests(
        SCRIPT, Target(target_of(account).url, stranger.secrets, stranger.settings)
    )
    for sent in forged:
        answer = send(client, sent)
        assert answer.status_code == 403
        assert "error" in answer.json()
    account.refresh_from_db()
    assert account.rejected == len(forged)
    assert account.last_heard_at is None
    assert not RawEvent.objects.exists() and not CallLog.objects.exists()


def what_a_stranger_learns(client, kind, name, sent):
    """All of the answer to a request that proves nothing, and what it cost."""
    sent = replace(sent, url=sent.url.replace("/main/", f"/{name}/"))
    with Statements(connection) as seen:
        answer = send(client, sent)
    words = [re.sub(r"'main'|'nobody'|\b\d+\b", "?", sql) for sql in seen.sql]
    return answer.status_code, headers_of(answer), answer.content, words


def headers_of(answer):
    return {name: value for name, value in answer.headers.items() if name != "Expires"}  # now


@pytest.mark.parametrize("kind", KINDS)
def test_no_name_of_an_account_can_be_guessed(client, people, account, kind):
    """Whether it is another's, switched off, or not there: one answer, for the same work."""
    make_account(people, kind, name="off")
    ProviderAccount.objects.filter(name="off").update(is_active=False)
    forged = requests_of(account)
    account.add_secret(adapters()[kind].secret_names[0], "another-secret")
    account.forget_old_secrets()
    account.save()
    unsigned = replace(forged[0], headers={}, body=b"{}")
    for sent in [*forged, unsigned, replace(unsigned, method="GET", body=b"")]:
        main, off, nobody = (
            what_a_stranger_learns(client, kind, name, sent) for name in ("main", "off", "nobody")
        )
        assert main[0] == 403 and nobody == main
        assert off[:3] == main[:3]


def test_what_is_asked_before_anything_is_signed_betrays_no_name_either(client, people):
    """Zoom and RingCentral test an address when it is entered."""
    make_account(people, "zoom")
    asked = json.dumps({"event": "endpoint.url_validation", "payload": {"plainToken": "abc"}})
    said = {
        name: [client.post(f"/hooks/zoom/{name}/", asked, "application/json") for _ in range(2)]
        for name in ("main", "nobody", "anybody")
    }
    tokens = {name: [one.json()["encryptedToken"] for one in said[name]] for name in said}
    assert all(first == second for first, second in tokens.values())
    assert len({first for first, _second in tokens.values()}) == 3
    assert headers_of(said["main"][0]) == headers_of(said["nobody"][0])

    make_account(people, "ringcentral", name="ring")
    token = {"Validation-Token": "abc"}
    ring, nobody = (
        client.post(f"/hooks/ringcentral/{name}/", b"", "", headers=token)
        for name in ("ring", "nobody")
    )
    assert (ring.status_code, ring.content) == (nobody.status_code, nobody.content) == (200, b"")
    assert headers_of(ring) == headers_of(nobody)


@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_request_is_refused_or_kept_as_unreadable(client, account, kind):
    sent = requests_of(account)[-1]
    answer = send(client, sent, body=sent.body[: len(sent.body) // 2])
    assert not CallLog.objects.exists()
    if answer.status_code == 403:
        assert not RawEvent.objects.exists()
    else:  # what proves this kind is a header: the body is genuine
        assert answer.status_code in (200, 204)
        assert RawEvent.objects.get().outcome == RawEvent.UNREADABLE


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_is_kept_with_a_message(client, account, kind):
    for sent in requests_of(account):
        send(client, sent)
    kept = list(RawEvent.objects.all())
    assert kept
    for raw in kept:
        assert SECRET.encode() not in bytes(raw.body) and SECRET not in raw.query


# --- What is particular to one ---


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_event_is_kept_and_acknowledged_and_the_call_survives(client, account, kind):
    for sent in requests_of(account):
        send(client, sent)
    before = facts_of(CallLog.objects.get(conversation__gt=""))
    odd = ScriptedCall(**{**vars(SCRIPT), "call_id": "odd"})
    answer = send(client, builders()[kind].unknown(odd, target_of(account)))
    assert answer.status_code in (200, 204)
    raw = RawEvent.objects.get(outcome=RawEvent.UNKNOWN)
    assert "levitated" in raw.note.lower()
    assert facts_of(CallLog.objects.order_by("pk").first()) == before


def post(client, account, body, **headers):
    path = f"/hooks/{account.kind}/{account.name}/"
    return client.post(path, body, content_type=headers.pop("content_type"), headers=headers)


def test_the_vectors_of_twilio_make_their_call(client, people):
    account = make_account(people, "twilio", "voice", twilio.TOKEN)
    for fields, given in twilio.VECTORS:
        request = twilio.signed(fields, given)
        answer = post(
            client,
            account,
            request.body,
            content_type=request.headers["content-type"],
            **{"X-Twilio-Signature": given},
        )
        assert answer.status_code == 204
    call = CallLog.objects.get()
    assert (call.ring_seconds, call.talk_seconds, call.status) == (9, 101, "COMPLETED")
    assert call.missing == "events"


def test_the_vectors_of_zoom_make_their_call_and_answer_the_challenge(client, people):
    account = make_account(people, "zoom", secret=zoom.SECRET)
    headers = {name: value for name, value in zoom.HEADERS.items() if name != "Content-Type"}
    answer = post(client, account, zoom.BODY, content_type="application/json", **headers)
    assert answer.status_code == 204
    call = CallLog.objects.get()
    assert (call.user, call.ring_seconds, call.talk_seconds) == (people.alice, 7, 101)

    asked = zoom.challenge()
    signed = {name: asked.headers[name] for name in ("x-zm-request-timestamp", "x-zm-signature")}
    answer = post(client, account, asked.body, content_type="application/json", **signed)
    assert answer.status_code == 200
    assert answer.json()["encryptedToken"].startswith("b0ab15cc7556")
    forged = signed | {"x-zm-signature": "v0=" + "0" * 64}
    answer = post(client, account, asked.body, content_type="application/json", **forged)
    assert answer.status_code == 403
    assert RawEvent.objects.count() == 1


def test_a_new_subscription_of_ringcentral_is_answered(client, people):
    account = make_account(people, "ringcentral")
    answer = post(client, account, b"", content_type="", **{"Validation-Token": "abc"})
    assert (answer.status_code, answer["Validation-Token"]) == (200, "abc")
    assert not RawEvent.objects.exists()


def test_systems_that_cannot_sign_or_change_their_words(client, people):
    make_account(
        people,
        "generic",
        auth="token",
        token_query="key",
        fields={"call_id": "data.id"},
        values={"event": {"GONE": "ended"}},
    )
    said = {"data": {"id": 7}, "event": "GONE", "agent": "801", "at": T, "number": "51234567"}
    path = f"/hooks/generic/main/?key={SECRET}"
    answer = client.post(path, json.dumps(said), content_type="application/json")
    assert answer.status_code == 204
    call = CallLog.objects.get()
    assert (call.provider_call_id, call.user, call.phone_e164) == (
        "7",
        people.alice,
        "+50651234567",
    )
    assert client.post("/hooks/generic/main/", said, "application/json").status_code == 403
    assert RawEvent.objects.get().query == ""


@pytest.mark.parametrize("kind", KINDS)
def test_the_administration_asks_for_what_the_kind_needs(client, people, account, kind):
    client.force_login(people.ada)
    address = f"/admin/calls/provideraccount/{account.pk}/change/"
    page = client.get(address).content.decode()
    assert f"/hooks/{kind}/main/" in page and SECRET not in page
    adapter = adapters()[kind]
    for setting in adapter.setting_names:
        assert f'name="setting_{setting.name}"' in page
    for secret in adapter.secret_names + adapter.optional_secret_names:
        assert f'name="secret_{secret}"' in page


def test_settings_take_json_on_the_command_line(people, capsys):
    arguments = ["provider_account", "add", "generic", "words", "--secret", SECRET]
    call_command(*arguments, "--set", 'fields={"call_id": "data.id"}', "--set", "auth=token")
    account = ProviderAccount.objects.get()
    assert account.settings == {"fields": {"call_id": "data.id"}, "auth": "token"}
    assert f"{BASE}/hooks/generic/words/" in capsys.readouterr().out
    with pytest.raises(CommandError, match="fields: this is not valid JSON"):
        call_command("provider_account", "add", "generic", "more", "--set", "fields={")


def test_the_tokens_of_twilios_sub_accounts_are_a_secret_of_their_own(people, capsys):
    tokens = f"subaccount_tokens=AC{'2' * 32}=sales"
    call_command("provider_account", "add", "twilio", "voice", "--secret", "t", "--secret", tokens)
    account = ProviderAccount.objects.get()
    assert account.secrets == {"auth_token": ["t"], "subaccount_tokens": [f"AC{'2' * 32}=sales"]}
    assert "subaccount_tokens”" not in capsys.readouterr().out  # it is not needed
