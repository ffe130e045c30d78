"""Phone systems in the administration: accounts, secrets, identities, messages, calls of nobody."""

import datetime as dt
import json
import time

import pytest
from django.test import Client

from calls.models import CallLog, ProviderAccount, ProviderIdentity, RawEvent
from calls.providers.base import ProviderEvent
from calls.providers.generic import signature
from calls.telephony import intake
from common.instants import now, to_ms
from metrics.models import UserMetrics
from tests.support.client import NOWHERE

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def ada(people):
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(people.ada)
    return client


@pytest.fixture
def pbx(people):
    account = ProviderAccount(kind="generic", name="pbx")
    account.add_secret("secret", "first secret")
    account.save()
    return account


def change_page(account):
    return f"/admin/calls/provideraccount/{account.pk}/change/"


def saved(ada, account, **fields):
    """Saves the account's page with `fields`; the rest as it stands, no identities."""
    form = ada.get(change_page(account)).context["adminform"].form
    shown = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    body = {name: value for name, value in shown.items() if value not in (None, False)}
    formset = {"identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}
    return ada.post(change_page(account), body | formset | fields)


def post(account, said, secret):
    body = json.dumps(said).encode()
    stamp = str(int(time.time()))
    signed = {
        "X-CallManager-Timestamp": stamp,
        "X-CallManager-Signature": signature(secret, stamp, body),
    }
    url = f"/hooks/generic/{account.name}/"
    return Client().post(url, body, "application/json", headers=signed)


def test_a_new_account_leads_to_its_settings_its_address_and_what_to_do(ada):
    added = ada.post("/admin/calls/provideraccount/add/", {"kind": "twilio", "name": "voice"})
    account = ProviderAccount.objects.get()
    assert added["Location"] == change_page(account)
    page = ada.get(change_page(account)).content.decode()
    assert "/hooks/twilio/voice/" in page
    assert "Still needed: the secret “auth_token”." in page


def test_a_name_that_would_make_no_address_is_refused(ada):
    answer = ada.post("/admin/calls/provideraccount/add/", {"kind": "twilio", "name": "My voice"})
    assert "Small letters, digits" in answer.content.decode()
    assert not ProviderAccount.objects.exists()


def test_secrets_are_sealed_never_shown_and_two_are_valid_during_a_rotation(ada, pbx):
    assert saved(ada, pbx, secret_secret="second secret").status_code == 302
    pbx.refresh_from_db()
    assert pbx.secrets == {"secret": ["second secret", "first secret"]}
    assert "secret" not in pbx.sealed
    page = ada.get(change_page(pbx)).content.decode()
    assert "second secret" not in page and "2 values are valid now." in page
    said = {"event": "started", "call_id": "c1", "at": time.time()}
    for secret in ("first secret", "second secret"):
        assert post(pbx, said, secret).status_code == 204

    action = {"action": "forget_old_secrets", "_selected_action": pbx.pk}
    ada.post("/admin/calls/provideraccount/", action)
    assert post(pbx, said, "second secret").status_code == 204
    assert post(pbx, said, "first secret").status_code == 403
    pbx.refresh_from_db()
    assert (pbx.rejected, RawEvent.objects.get().times) == (1, 3)


def test_settings_are_kept_as_they_are_meant(ada, pbx):
    fields = '{"call_id": "data.uid"}'
    assert saved(ada, pbx, setting_fields=fields, setting_record="yes").status_code == 302
    pbx.refresh_from_db()
    assert pbx.settings == {"fields": {"call_id": "data.uid"}, "record": "yes"}
    assert saved(ada, pbx, setting_record="").status_code == 302
    pbx.refresh_from_db()
    assert pbx.settings == {"fields": {"call_id": "data.uid"}}
    refused = saved(ada, pbx, setting_fields="{nonsense")
    assert "This is not valid JSON." in refused.content.decode()


def heard(account, call, agent, seconds=60):
    begun = to_ms(now() - dt.timedelta(hours=1))
    common = {"call": call, "agents": (agent,)}
    events = [
        ProviderEvent("started", at=begun, **common),
        ProviderEvent("answered", at=begun, **common),
        ProviderEvent("ended", at=begun + seconds * 1000, data={"status": "COMPLETED"}, **common),
    ]
    return intake.record(account, events, received=now())[0]


def test_an_identity_gives_its_agent_the_calls_that_waited(ada, people, pbx):
    for number in range(3):
        heard(pbx, f"c{number}", "1999" if number else "2000")
    row = {"account": pbx.pk, "identity": "1999", "user": people.carol.pk}
    ada.post("/admin/calls/provideridentity/add/", row)
    assert CallLog.objects.filter(user=people.carol).count() == 2
    assert CallLog.objects.unassigned().count() == 1
    assert UserMetrics.objects.get(user=people.carol).total_talk_time == 120
    again = ada.post("/admin/calls/provideridentity/add/", row | {"user": people.bob.pk})
    assert "This identity already means somebody." in again.content.decode()


def test_a_call_of_nobody_is_found_and_assigned_with_all_that_wait(ada, people, pbx):
    call = heard(pbx, "c1", "1999")
    heard(pbx, "c2", "1999")
    listed = ada.get("/admin/calls/calllog/?agent=unknown").content.decode()
    assert f"/admin/calls/calllog/{call.pk}/change/" in listed
    url = f"/admin/calls/calllog/{call.pk}/assign/"
    assert url in ada.get(f"/admin/calls/calllog/{call.pk}/change/").content.decode()
    assert "1999 is always this agent" in ada.get(url).content.decode()
    assert ada.post(url, {"agent": people.bob.pk, "remember": "on"}).status_code == 302
    assert set(CallLog.objects.values_list("user", flat=True)) == {people.bob.pk}
    assert ProviderIdentity.objects.get().user == people.bob
    assert ada.get(url).status_code == 404


def test_one_call_may_be_assigned_alone(ada, people, pbx):
    call, other = heard(pbx, "c1", "1999"), heard(pbx, "c2", "1999")
    ada.post(f"/admin/calls/calllog/{call.pk}/assign/", {"agent": people.bob.pk})
    assert CallLog.objects.unassigned().get() == other
    assert not ProviderIdentity.objects.exists()
    assert ada.post(f"/admin/calls/calllog/{other.pk}/assign/", {}).status_code == 200


def test_what_nobody_understood_is_kept_shown_and_read_again(ada, people, pbx):
    said = {"type": "beginning", "event": "?", "call_id": "c1", "at": time.time()}
    assert post(pbx, said, "first secret").status_code == 204
    raw = RawEvent.objects.get()
    assert raw.outcome == "unknown" and not CallLog.objects.exists()
    assert "beginning" in ada.get(f"/admin/calls/rawevent/{raw.pk}/change/").content.decode()

    pbx.settings = {"fields": {"event": "type"}, "values": {"event": {"beginning": "started"}}}
    pbx.save()
    ada.post("/admin/calls/rawevent/", {"action": "read_again", "_selected_action": raw.pk})
    raw.refresh_from_db()
    assert raw.outcome == "taken"
    assert CallLog.objects.get().provider_call_id == "c1"


def test_administrators_are_told_of_calls_of_nobody_and_of_what_was_not_understood(
    ada, people, pbx
):
    assert "has no agent yet" not in ada.get("/organization/").content.decode()
    heard(pbx, "c1", "1999")
    post(pbx, {"event": "?", "call_id": "c2", "at": time.time()}, "first secret")
    for page in ("/organization/", "/admin/"):
        shown = ada.get(page).content.decode()
        assert "1 call of a phone system has no agent yet." in shown
        assert "1 message of a phone system in the last week was not understood." in shown
    ada.force_login(people.sue)
    assert "has no agent yet" not in ada.get("/team/").content.decode()


def test_the_hook_is_tried_through_the_sites_own_address(ada, pbx, settings):
    settings.PUBLIC_BASE_URL = NOWHERE
    page = ada.get(change_page(pbx)).content.decode()
    assert f"/admin/calls/provideraccount/{pbx.pk}/try/" in page
    answer = ada.post(f"/admin/calls/provideraccount/{pbx.pk}/try/", follow=True)
    assert "The site could not be reached" in answer.content.decode()
    listened = ProviderAccount.objects.create(kind="asterisk", name="exchange")
    assert ada.post(f"/admin/calls/provideraccount/{listened.pk}/try/").status_code == 404
