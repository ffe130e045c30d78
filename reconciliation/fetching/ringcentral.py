"""RingCentral: the account's call log, with a token that a user's JWT is exchanged for.

GET /restapi/v1.0/account/~/call-log; dateFrom and dateTo are instants, pages are numbered. Ten
requests a minute are answered, as a rule; Retry-After says when the next.
https://developers.ringcentral.com/guide/voice/call-log
"""

import datetime as dt
from collections.abc import Iterator

from calls.providers import web
from calls.providers.reading import objects, part, text
from reconciliation.fetching.base import Record, SignedIn, link_in

_PAGE = 250  # with all legs
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_GOES_ON = "In Progress"


class RingCentralRecords(SignedIn):
    kind = "ringcentral"
    format = "ringcentral_api"
    address = "https://platform.ringcentral.com"
    needs = ("client_id",)
    needs_secrets = ("client_secret", "jwt")

    def part(self, since: dt.datetime, until: dt.datetime) -> Iterator[Record]:
        query: dict[str, str | int] = {
            "dateFrom": _written(since),
            "dateTo": _written(until),
            "view": "Detailed",
            "type": "Voice",
            "perPage": _PAGE,
            "page": 1,
        }
        while True:
            page = self.get("/restapi/v1.0/account/~/call-log", query)
            found = objects(page.get("records"))
            yield from (call for call in found if text(call.get("result")) != _GOES_ON)
            if not found or not part(page, "navigation", "nextPage"):
                return
            query["page"] = int(query["page"]) + 1

    def sign_in(self) -> str:
        fields = {"grant_type": _GRANT, "assertion": self.secret("jwt")}
        headers = web.basic(self.setting("client_id"), self.secret("client_secret"))
        said = self.interface.post_form("/restapi/oauth/token", fields, headers)
        return link_in(said, "access_token")


def _written(instant: dt.datetime) -> str:
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
