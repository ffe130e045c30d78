"""Twilio: the list of calls of an account, parents and children each by themselves.

GET /2010-04-01/Accounts/{sid}/Calls.json; StartTime> and StartTime< are days in UTC, pages are
linked by next_page_uri, the newest first. https://www.twilio.com/docs/voice/api/call-resource
"""

import datetime as dt
from collections.abc import Iterator
from urllib.parse import quote

from calls.providers import web
from calls.providers.reading import objects, text
from reconciliation.fetching.base import Fetcher, Record, began_in, link_in

_PAGE = 500  # of at most 1000
_DAY = dt.timedelta(days=1)
_GOES_ON = frozenset({"queued", "initiated", "ringing", "in-progress"})


class TwilioRecords(Fetcher):
    kind = "twilio"
    format = "twilio_api"
    address = "https://api.twilio.com"
    needs = ("account_sid",)
    needs_secrets = ("auth_token",)

    def part(self, since: dt.datetime, until: dt.datetime) -> Iterator[Record]:
        sid = self.setting("account_sid")
        headers = web.basic(sid, self.secret("auth_token"))
        path = f"/2010-04-01/Accounts/{quote(sid, safe='')}/Calls.json"
        query: dict[str, str | int] | None = {
            "StartTime>": since.astimezone(dt.UTC).date().isoformat(),
            "StartTime<": (until.astimezone(dt.UTC).date() + _DAY).isoformat(),
            "PageSize": _PAGE,
        }
        while path:
            page = self.interface.get(path, query, headers)
            yield from (call for call in objects(page.get("calls")) if _is_of(call, since, until))
            path, query = link_in(page, "next_page_uri"), None


def _is_of(call: Record, since: dt.datetime, until: dt.datetime) -> bool:
    """Whether `call` is over and began in the period; a child may begin after its parent's."""
    is_child = bool(call.get("parent_call_sid"))
    began = call.get("start_time") or call.get("date_created")
    return text(call.get("status")) not in _GOES_ON and began_in(
        began, since, None if is_child else until
    )
