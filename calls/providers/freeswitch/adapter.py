"""FreeSWITCH: call records by HTTP (mod_json_cdr, mod_xml_cdr), in microseconds, with the hold; and
calls as they happen, by the event socket to which `manage.py listen_freeswitch` is connected.

A call has the leg of who called and a leg for each phone that rang. Any of their records is enough;
more of them agree, and both ways name a call the same: a record confirms what was heard live.
"""

import base64
import re
import uuid
from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.utils.translation import gettext_lazy as _

from calls.providers.base import (
    Forged,
    Gone,
    HookRequest,
    Payload,
    ProviderEvent,
    Setting,
    Unreachable,
)
from calls.providers.freeswitch.event_socket.esl import Reader
from calls.providers.freeswitch.event_socket.tracker import Tracker
from calls.providers.freeswitch.event_socket.visit import Visit
from calls.providers.freeswitch.event_socket.where import Where
from calls.providers.freeswitch.legs import Leg
from calls.providers.freeswitch.record import record_of
from calls.providers.lasting import Listened
from calls.providers.reading import same, text

TOKEN_HEADER = "X-CallManager-Token"
TOKEN_QUERY = "token"
_RING_SECONDS = 30  # how long the agent's own phone rings
# What may stand in an extension and in a number to dial; nothing that means more to a dialplan.
_EXTENSION = re.compile(r"[\w.+-]{1,40}")
_NUMBER = re.compile(r"\+?[\d*#]{1,30}")
_CONTEXT = re.compile(r"[\w.-]{1,60}")


class FreeSwitch(Listened):
    kind = "freeswitch"
    title = "FreeSWITCH"
    secret_names = ("password",)
    optional_secret_names = ("event_socket_password",)
    can_dial = True
    no_instants = "The stream has no events of a FreeSWITCH."
    setting_names: ClassVar = (
        Setting("user", _("User"), _("Of the basic authentication. Empty: any.")),
        Setting(
            "b_legs",
            _("Records of B legs"),
            _("no: log-b-leg is off, so that none of them is missed."),
        ),
        Setting("host", _("Host"), _("Where the event socket listens, to hear calls live.")),
        Setting("port", _("Port"), _("Of the event socket: 8021.")),
        Setting(
            "event_socket_user",
            _("User of the event socket"),
            _("user@domain, to enter as a user of the directory. Empty: by the password alone."),
        ),
        Setting(
            "dial_string",
            _("Dial string"),
            _("Of an agent's phone when we dial: user/{agent}, or with a domain user/{agent}@pbx."),
        ),
        Setting("context", _("Context"), _("In which calls are placed: default.")),
        Setting(
            "outside_prefix",
            _("Prefix"),
            _("What stands for the + of a number: 00, 9011. Or none."),
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
        _(
            "To hear calls while they happen: in event_socket.conf.xml a listen-ip that this "
            "machine reaches, an apply-inbound-acl that lets it in, and a password of your own, "
            "which is the secret event_socket_password here; then run manage.py listen_freeswitch."
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

    # --- Event socket ---

    @property
    def where(self) -> Where:
        """The event socket. Unreachable if the account is not set up for it."""
        return Where.of_account(self.settings, self._event_socket_passwords())

    def _event_socket_passwords(self) -> Sequence[str]:
        return self.secret_values("event_socket_password") or self.secret_values()

    def cutter(self) -> Reader:
        return Reader()

    def follower(self) -> Tracker:
        return Tracker()

    def place_call(self, agent: str, number: str, hook: str = "") -> str:
        """Makes the phone of `agent` (an extension) ring and then calls `number`.

        Returns the id of the agent's leg. Raises Unreachable.
        """
        context = text(self.settings.get("context")) or "default"
        for said, shape, what in (
            (agent, _EXTENSION, "extension"),
            (number, _NUMBER, "number to dial"),
            (context, _CONTEXT, "context"),
        ):
            if not shape.fullmatch(said):
                raise Unreachable(f"{said!r:.60} is no {what}.")
        leg = str(uuid.uuid4())
        variables = (
            f"origination_uuid={leg},origination_caller_id_number={agent},dialed_user={agent},"
            f"originate_timeout={_RING_SECONDS},ignore_early_media=true"
        )
        phone = (text(self.settings.get("dial_string")) or "user/{agent}").replace("{agent}", agent)
        order = f"bgapi originate {{{variables}}}{phone} {self.dialled(number)} XML {context}"
        with Visit(self.where) as socket:
            socket.ask(order, {"Job-UUID": leg})  # by which a failure names the call
        return leg

    def dialled(self, number: str) -> str:
        """`number` as the dialplan wants it: with the prefix 00, 0034600000001 for +34600000001."""
        if not number.startswith("+"):
            return number
        return text(self.settings.get("outside_prefix")) + number[1:]

    def ask(self, call_id: str) -> list[ProviderEvent] | None:
        """[] while the leg `call_id` is up; Gone once it is not: its record says since when."""
        try:
            if not _EXTENSION.fullmatch(call_id):
                return None
            with Visit(self.where) as socket:
                answer = socket.ask(f"api uuid_exists {call_id}")
        except Unreachable:
            return None
        if answer == "false":
            raise Gone
        return [] if answer == "true" else None


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
