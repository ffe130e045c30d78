"""Zoom Phone: the account's call history, with a token of a Server-to-Server OAuth app.

GET /v2/phone/call_history; from and to are days in UTC within a month, pages are linked by
next_page_token. https://developers.zoom.us/docs/phone/understanding-call-history/
"""

import datetime as dt
from collections.abc import Iterator

from calls.providers import web
from calls.providers.reading import objects
from reconciliation.fetching.asking import Interface
from reconciliation.fetching.base import Record, SignedIn, began_in, link_in

_PAGE = 300
_SIGN_IN = "https://zoom.us"


class ZoomRecords(SignedIn):
    kind = "zoom"
    format = "zoom_api"
    address = "https://api.zoom.us"
    needs = ("account_id", "client_id")
    needs_secrets = ("client_secret",)
    longest = dt.timedelta(days=28)

    def part(self, since: dt.datetime, until: dt.datetime) -> Iterator[Record]:
        days = [instant.astimezone(dt.UTC).date().isoformat() for instant in (since, until)]
        query: dict[str, str | int] = {"from": days[0], "to": days[1], "page_size": _PAGE}
        while True:
            page = self.get("/v2/phone/call_history", query)
            # Until the end of 2026 the same list had another name.
            found = objects(page.get("call_history")) or objects(page.get("call_logs"))
            yield from (call for call in found if began_in(call.get("start_time"), since, until))
            query["next_page_token"] = link_in(page, "next_page_token")
            if not query["next_page_token"]:
                return

    def sign_in(self) -> str:
        """A token; it is had elsewhere than the records, but where an own address is set."""
        own = bool(self.setting("api_address"))
        base = self.interface.base if own else _SIGN_IN
        said = Interface(base, self.interface.patience).post_form(
            "/oauth/token",
            {"grant_type": "account_credentials", "account_id": self.setting("account_id")},
            web.basic(self.setting("client_id"), self.secret("client_secret")),
        )
        return link_in(said, "access_token")
