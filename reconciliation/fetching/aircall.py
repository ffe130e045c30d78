"""Aircall: the list of calls, with the company's API id and token.

GET /v1/calls; from and to are seconds since 1970, pages of at most 50 are numbered, and of a
question no more than 10,000 calls can be had: then it is asked in halves.
https://developer.aircall.io/api-references/
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from calls.providers import web
from calls.providers.reading import number_of, objects, part, text
from reconciliation.fetching.base import Fetcher, Record

_PAGE, _MOST = 50, 10_000
_SECOND = dt.timedelta(seconds=1)


class AircallRecords(Fetcher):
    kind = "aircall"
    format = "aircall_api"
    address = "https://api.aircall.io"
    needs = ("api_id",)
    needs_secrets = ("api_token",)

    def part(self, since: dt.datetime, until: dt.datetime) -> Iterator[Record]:
        answer = self._page(since, until, 1)
        if (number_of(part(answer, "meta").get("total")) or 0) > _MOST and until - since > _SECOND:
            middle = (since + (until - since) / 2).replace(microsecond=0)
            yield from self.part(since, middle)
            yield from self.part(middle, until)
            return
        page = 1
        while True:
            found = objects(answer.get("calls"))
            yield from (call for call in found if text(call.get("status")) in ("done", ""))
            if not found or not part(answer, "meta").get("next_page_link"):
                return
            page += 1
            answer = self._page(since, until, page)

    def _page(self, since: dt.datetime, until: dt.datetime, page: int) -> dict[str, Any]:
        """Both ends belong to what is asked for, and to the second: the last one is the next's."""
        query = {
            "from": int(since.timestamp()),
            "to": int(until.timestamp()) - 1,
            "order": "asc",
            "per_page": _PAGE,
            "page": page,
        }
        headers = web.basic(self.setting("api_id"), self.secret("api_token"))
        return self.interface.get("/v1/calls", query, headers)
