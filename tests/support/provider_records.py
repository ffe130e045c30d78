"""Providers' interfaces of call records: each answers as the real one does, for a `receiving()`.

`receiver.answers = [saying(500), Twilio(calls)]` has a fault first, and answers then. What they
ask for (credentials, paging, filters) is what the providers' documents say.
"""

import base64
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from calls.models import ProviderAccount

ACCOUNT_SID = "AC" + "0" * 31 + "1"
SETTINGS: Mapping[str, dict[str, str]] = {
    "twilio": {"account_sid": ACCOUNT_SID},
    "zoom": {"account_id": "acc-1", "client_id": "client-1"},
    "aircall": {"api_id": "api-1"},
    "ringcentral": {"client_id": "client-1"},
}
SECRETS: Mapping[str, dict[str, str]] = {
    "twilio": {"auth_token": "secret-1"},
    "zoom": {"client_secret": "secret-1"},
    "aircall": {"api_token": "secret-1"},
    "ringcentral": {"client_secret": "secret-1", "jwt": "jwt-1"},
}


def make_account(kind: str, address: str, name: str = "", region: str = "ES") -> ProviderAccount:
    """An account that has all that is needed to fetch from a provider at `address`."""
    settings = {**SETTINGS[kind], "api_address": address}
    account = ProviderAccount(kind=kind, name=name or kind, region=region, settings=settings)
    for secret, value in SECRETS[kind].items():
        account.add_secret(secret, value)
    account.save()
    return account


def give(handler: Any, status: int, body: Mapping[str, Any], **headers: str) -> None:
    raw = json.dumps(body).encode()
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(raw)))
    handler.end_headers()
    handler.wfile.write(raw)


def _basic(handler: Any, user: str, password: str) -> bool:
    expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    return handler.headers.get("Authorization") == expected


class Twilio:
    """The newest first, as its list is; links lead from page to page."""

    refused: Mapping[str, Any] = {"code": 20003, "message": "Authenticate", "status": 401}

    def __init__(self, calls: Sequence[Mapping[str, Any]], page: int = 2):
        self.calls, self.page = list(calls), page

    def __call__(self, handler: Any) -> None:
        url = urlsplit(handler.path)
        if not _basic(handler, ACCOUNT_SID, "secret-1"):
            return give(handler, 401, self.refused)
        if url.path != f"/2010-04-01/Accounts/{ACCOUNT_SID}/Calls.json":
            return give(handler, 404, {"code": 20404, "message": "Not found"})
        asked = dict(parse_qsl(url.query))
        first, before = asked["StartTime>"], asked["StartTime<"]
        found = [call for call in self.calls if first <= _day(call["start_time"]) < before]
        number = int(asked.get("Page", 0))
        end = (number + 1) * self.page
        more = {**asked, "Page": number + 1, "PageToken": f"PA{'x' * 300}"}
        following = f"{url.path}?{urlencode(more)}" if end < len(found) else None
        return give(
            handler, 200, {"calls": found[end - self.page : end], "next_page_uri": following}
        )


def _day(written: str) -> str:
    return dt.datetime.strptime(written, "%a, %d %b %Y %H:%M:%S %z").date().isoformat()


class Zoom:
    """A token first, which is not good for ever; then pages by next_page_token."""

    def __init__(
        self,
        calls: Sequence[Mapping[str, Any]],
        page: int = 2,
        named: str = "call_history",
        lasts: int = 1000,
    ):
        self.calls, self.page, self.named, self.lasts = list(calls), page, named, lasts
        self.tokens, self.used = 0, 0

    def __call__(self, handler: Any) -> None:
        url = urlsplit(handler.path)
        if url.path == "/oauth/token":
            return self._sign_in(handler)
        self.used += 1
        good = handler.headers.get("Authorization") == f"Bearer token-{self.tokens}"
        if not good or self.used > self.lasts:
            return give(handler, 401, {"code": 124, "message": "Invalid access token."})
        asked = dict(parse_qsl(url.query))
        found = [
            call for call in self.calls if asked["from"] <= call["start_time"][:10] <= asked["to"]
        ]
        start = int(asked.get("next_page_token", "t0")[1:])
        end = start + self.page
        following = f"t{end}" if end < len(found) else ""
        body = {"from": asked["from"], "to": asked["to"], "next_page_token": following}
        return give(handler, 200, {**body, self.named: found[start:end]})

    def _sign_in(self, handler: Any) -> None:
        if not _basic(handler, "client-1", "secret-1"):
            wrong = {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}
            return give(handler, 400, wrong)
        self.tokens, self.used = self.tokens + 1, 0
        return give(handler, 200, {"access_token": f"token-{self.tokens}", "expires_in": 3599})


class Aircall:
    """Numbered pages; of one question no more than `most` calls can be had."""

    def __init__(self, calls: Sequence[Mapping[str, Any]], most: int = 10_000):
        self.calls, self.most = list(calls), most

    def __call__(self, handler: Any) -> None:
        url = urlsplit(handler.path)
        if not _basic(handler, "api-1", "secret-1"):
            return give(handler, 401, {"error": "Unauthorized", "troubleshoot": "Check the key"})
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        since, until = int(asked["from"]), int(asked["to"])
        found = [call for call in self.calls if since <= call["started_at"] <= until]
        size, number = int(asked["per_page"]), int(asked["page"])
        shown = found[: self.most][(number - 1) * size : number * size]
        more = number * size < min(len(found), self.most)
        following = f"https://api.aircall.io/v1/calls?page={number + 1}" if more else None
        # What is counted is more than what can be had: that says that the question is too large.
        total = 10_001 if len(found) > self.most else len(found)
        meta = {"total": total, "current_page": number, "next_page_link": following}
        return give(handler, 200, {"meta": meta, "calls": shown})


class RingCentral:
    """A token for a user's JWT, then numbered pages."""

    def __init__(self, records: Sequence[Mapping[str, Any]], page: int = 2):
        self.records, self.page = list(records), page

    def __call__(self, handler: Any) -> None:
        url = urlsplit(handler.path)
        if url.path == "/restapi/oauth/token":
            if not _basic(handler, "client-1", "secret-1"):
                wrong = {"error": "invalid_client", "error_description": "Unknown client"}
                return give(handler, 400, wrong)
            return give(handler, 200, {"access_token": "token-1", "expires_in": 3600})
        if handler.headers.get("Authorization") != "Bearer token-1":
            return give(handler, 401, {"errorCode": "TokenInvalid", "message": "No token"})
        asked = dict(parse_qsl(url.query))
        found = [
            record
            for record in self.records
            if asked["dateFrom"] <= record["startTime"] < asked["dateTo"]
        ]
        number = int(asked["page"])
        end = number * self.page
        navigation = {"nextPage": {"uri": "https://…"}} if end < len(found) else {}
        shown = found[end - self.page : end]
        return give(handler, 200, {"records": shown, "navigation": navigation})
