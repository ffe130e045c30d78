"""FreeSWITCH: call records by HTTP (mod_json_cdr, mod_xml_cdr), in microseconds, with the hold.

A call has the leg of who called and a leg for each phone that rang. Any of them is enough; more of
them agree. What is recorded is a final record: there are no live events in this way.
"""

import base64
from typing import ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.utils.translation import gettext_lazy as _

from calls.providers.base import Adapter, Forged, HookRequest, Payload, ProviderEvent, Setting
from calls.providers.freeswitch.legs import Leg
from calls.providers.freeswitch.record import record_of
from calls.providers.reading import same, text

TOKEN_HEADER = "X-CallManager-Token"
TOKEN_QUERY = "token"


class FreeSwitch(Adapter):
    kind = "freeswitch"
    title = _("FreeSWITCH (call records)")
    secret_names = ("password",)
    setting_names: ClassVar = (
        Setting("user", _("User"), _("Of the basic authentication. Empty: any.")),
        Setting(
            "b_legs",
            _("Records of B legs"),
            _("no: log-b-leg is off, so that none of them is missed."),
        ),
    )
    setup: ClassVar = (
        _(
            'In json_cdr.conf.xml or xml_cdr.conf.xml: <param name="url" value="{url}"/>, '
            '<param name="auth-scheme" value="basic"/>, <param name="cred" value="USER:PASSWORD"/>,'
            ' <param name="log-b-leg" value="true"/>.'
        ),
        _(
            "Secret password: the PASSWORD of cred. Where there can be none, the same text in the "
            "header X-CallManager-Token, or as ?token= in the address (it is not kept)."
        ),
    )

    # --- Proof ---

    def verify(self, request: HookRequest) -> None:
        user, password = _credentials(request)
        wanted = text(self.settings.get("user"))
        given = password or request.headers.get(TOKEN_HEADER.lower(), "") or _asked_token(request)
        if password and wanted and not same(user, [wanted]):
            raise Forged("The user is not the right one.")
        if not same(given, self.secret_values()):
            raise Forged("The password is missing or wrong.")

    def kept(self, request: HookRequest) -> Payload:
        query = urlencode([pair for pair in _asked(request.url) if pair[0] != TOKEN_QUERY])
        return Payload(request.body, request.received, request.content_type, query)

    # --- Events ---

    def parse(self, payload: Payload) -> list[ProviderEvent]:
        return Leg(record_of(payload), self.settings).events()


# --- Proof ---


def _credentials(request: HookRequest) -> tuple[str, str]:
    """User and password of the basic authentication; empty where there is none."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.casefold() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return user, password


def _asked(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)


def _asked_token(request: HookRequest) -> str:
    return dict(_asked(request.url)).get(TOKEN_QUERY, "")
