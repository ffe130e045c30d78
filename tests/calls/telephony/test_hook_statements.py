"""How many statements a hook costs, that none of them reads all calls, and what none may break."""

import json

import pytest
from django.db import connection

from calls.models import CallLog, ProviderAccount, ProviderIdentity, RawEvent
from calls.providers.generic import signature
from calls.telephony import hooks, intake
from common.encryption import seal, unseal
from common.instants import isoformat, now
from tests.api.test_queries import Statements

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

SECRET, NUMBER = "a secret of the phone system", "+50651234567"


@pytest.fixture
def account(people):
    account = ProviderAccount(kind="generic", name="main", last_heard_at=now())
    account.add_secret("secret", SECRET)
    account.save()
    ProviderIdentity.objects.create(account=account, identity="801", user=people.alice)
    return account


@pytest.fixture
def tell(client, account):
    """Sends a message about the call `call`; the answer's status."""

    def tell(event, call="c-1", agent="801", **more):
        said = {"event": event, "call_id": call, "agent": agent, "number": NUMBER}
        body = json.dumps(said | {"at": isoformat(now())} | more).encode()
        headers = {
            "X-CallManager-Timestamp": "1767607311",
            "X-CallManager-Signature": signature(SECRET, "1767607311", body),
        }
        address = f"/hooks/{account.kind}/{account.name}/"
        sent = client.post(address, body, content_type="application/json", headers=headers)
        return sent.status_code

    tell("started", "another")  # the texts of the statements are made
    return tell


def test_each_message_takes_few(tell, people):
    taken = {}
    for event in ("started", "answered", "ended"):
        with Statements(connection) as seen:
            assert tell(event, direction="outbound") == 204
        taken[event] = len([sql for sql in seen.sql if "metrics_" not in sql])
    turns = int(connection.features.has_select_for_update)  # a new call waits for its agent
    most = {"started": 11 + turns, "answered": 8, "ended": 10}
    assert all(taken[event] <= most[event] for event in most), taken
    assert CallLog.objects.get(provider_call_id="c-1").user == people.alice


def test_a_message_that_came_before_is_only_counted(client, account, tell):
    same = {"at": isoformat(now())}
    assert tell("started", **same) == 204
    with Statements(connection) as seen:
        assert tell("started", **same) == 204
    assert len(seen.sql) <= 3, seen.sql
    assert sorted(RawEvent.objects.values_list("times", flat=True)) == [1, 2]


def test_a_call_is_found_by_an_index(account):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL reads a small table as a whole")
    with Statements(connection) as seen:
        intake._known(account, "c-1")
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {seen.sql[0]}")
        plan = [row[3] for row in cursor.fetchall()]
    assert "call_provider_once" in plan[0], plan


def test_what_is_heard_often_is_written_seldom(account):
    ProviderAccount.objects.filter(pk=account.pk).update(last_heard_at=None)
    account.refresh_from_db()
    hooks.heard(account)
    with Statements(connection) as seen:
        hooks.heard(account)
        hooks.heard(account, state=account.state)
    assert seen.sql == []
    hooks.heard(account, state="says something else")
    account.refresh_from_db()
    assert account.state == "says something else"


def test_a_call_and_the_outcome_of_its_message_are_written_together(account, tell, monkeypatch):
    """Or a crash between them would leave one without the other."""

    def fail(raw):
        if raw.outcome == RawEvent.TAKEN:
            raise RuntimeError("The disk is full.")
        RawEvent.objects.filter(pk=raw.pk).update(outcome=raw.outcome, note=raw.note)

    with monkeypatch.context() as patched:
        patched.setattr(RawEvent, "keep_outcome", fail)
        assert tell("started") == 204
    assert not CallLog.objects.filter(provider_call_id="c-1").exists()
    raw = RawEvent.objects.latest("pk")
    assert (raw.outcome, raw.note) == (RawEvent.FAILED, "RuntimeError: The disk is full.")
    assert hooks.read(raw) == RawEvent.TAKEN
    assert CallLog.objects.filter(provider_call_id="c-1").exists()


def test_a_message_deleted_while_it_is_read_leaves_its_call(account, tell):
    tell("started", agent="")
    raw = RawEvent.objects.latest("pk")
    CallLog.objects.all().delete()
    RawEvent.objects.all().delete()
    assert hooks.read(raw) == RawEvent.TAKEN
    assert CallLog.objects.filter(provider_call_id="c-1").exists()
    assert not RawEvent.objects.exists()


def test_an_account_is_asked_for_anew_by_each_message(account, tell):
    account.add_secret("secret", "a new one")
    account.forget_old_secrets()
    account.save()
    assert tell("started") == 403
    ProviderAccount.objects.filter(pk=account.pk).update(is_active=False)
    assert tell("started") == 403  # as if there were none


def test_what_was_unsealed_once_is_nobody_elses():
    sealed = seal({"secret": ["one"]})
    unseal(sealed)["secret"].append("two")
    assert unseal(sealed) == {"secret": ["one"]}


def test_agents_are_known_by_any_of_many_names(account, people):
    people.carol.extension = "a_%b"
    people.carol.save()
    names = [f"90{place}" for place in range(7)]
    assert ProviderIdentity.agent_of(account, [*names, "801"]) == people.alice
    assert ProviderIdentity.agent_of(account, [*names, "A_%B"]) == people.carol
    assert ProviderIdentity.agent_of(account, [*names, "axxb"]) is None


def test_a_message_takes_the_short_way_and_its_answer_looks_as_if_it_had_not(client, account, tell):
    said = {"content_type": "application/json"}
    refused = client.post("/hooks/generic/main/", b"{}", **said)
    assert refused.status_code == 403 and not hasattr(refused.wsgi_request, "session")
    assert "frame-ancestors 'none'" in refused["Content-Security-Policy"]
    assert refused["X-Frame-Options"] == "DENY" and refused["Content-Language"]
    assert refused["Content-Length"] == str(len(refused.content))
    nobodys = client.post("/hooks/nothing/main/", b"{}", **said)
    assert nobodys.status_code == 404 and b"<html" in nobodys.content
