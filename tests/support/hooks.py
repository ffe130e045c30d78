"""Messages of phone systems as JSON, sent to their hooks with the proof that each system gives."""

import json
from pathlib import Path
from urllib.parse import urlencode

from calls.models import CallLog, ProviderAccount, ProviderIdentity
from calls.providers import adapters, generic, twilio, zoom
from tests.support.server import ROOT

BASE = "https://calls.example.test"
SECRET = "a-secret-for-tests-1"
INPUTS = ROOT / "tests" / "fixtures" / "phone_systems"


def inputs(name):
    """The messages of a file, in the order in which they were sent."""
    return json.loads(Path(INPUTS / f"{name}.json").read_text())


def make_account(kind, settings=None, **identities):
    """An account `main` in Costa Rica; `identities`: names of its own by user, in lists."""
    account = ProviderAccount(kind=kind, name="main", region="CR", settings=settings or {})
    for name in adapters()[kind].secret_names:
        account.add_secret(name, SECRET)
    account.save()
    return account


def map_to(account, user, *names):
    for name in names:
        ProviderIdentity.objects.create(account=account, identity=name, user=user)


def tell(client, account, *messages):
    """Sends each message to the account's hook, and finds that it was taken in."""
    for said in messages:
        path = f"/hooks/{account.kind}/{account.name}/"
        body, headers = _PROOFS[account.kind](said, BASE + path)
        form = account.kind == "twilio"
        content_type = "application/x-www-form-urlencoded" if form else "application/json"
        sent = client.post(path, body, content_type=content_type, headers=headers)
        assert sent.status_code in (200, 204), sent.content


def _generic(said, url):
    body = json.dumps(said).encode()
    given = generic.signature(SECRET, "1", body)
    return body, {"X-CallManager-Timestamp": "1", "X-CallManager-Signature": given}


def _twilio(said, url):
    pairs = [(name, str(value)) for name, value in said.items()]
    return urlencode(pairs), {"X-Twilio-Signature": twilio.signature(url, pairs, SECRET)}


def _zoom(said, url):
    body = json.dumps(said).encode()
    given = zoom.signature(SECRET, "1", body)
    return body, {"x-zm-request-timestamp": "1", "x-zm-signature": given}


def _ringcentral(said, url):
    return json.dumps(said).encode(), {"Verification-Token": SECRET}


def _aircall(said, url):
    return json.dumps({**said, "token": SECRET}).encode(), {}


_PROOFS = {
    "generic": _generic,
    "twilio": _twilio,
    "zoom": _zoom,
    "ringcentral": _ringcentral,
    "aircall": _aircall,
}


def calls():
    """All calls in words: (agent, status, direction, ring, talk, hold) in the order of starts."""
    return [
        (
            call.user.username if call.user else "",
            *(call.status, call.direction, call.ring_seconds, call.talk_seconds),
            call.hold_seconds,
        )
        for call in CallLog.objects.select_related("user").order_by("start_time", "user__username")
    ]
