"""The adapter of Asterisk: it has no hook; `manage.py listen_asterisk` keeps a connection to it."""

import re
import uuid
from typing import ClassVar
from urllib.parse import quote

from django.utils.translation import gettext_noop as _

from calls.providers.asterisk.ami import Reader
from calls.providers.asterisk.dialplan import PLACED, Dialplan
from calls.providers.asterisk.manager import Visit, Where
from calls.providers.asterisk.tracker import Tracker
from calls.providers.base import Gone, ProviderEvent, Setting, Unreachable
from calls.providers.lasting import Listened

_RING_MS = "30000"  # how long the agent's own phone rings
# What may stand in an extension and in a number to dial; nothing that means more to a dialplan.
_EXTENSION = re.compile(r"[\w.+-]{1,40}")
_NUMBER = re.compile(r"\+?[\d*#]{1,30}")


class Asterisk(Listened):
    kind = "asterisk"
    title = "Asterisk"
    secret_names = ("secret",)
    setting_names: ClassVar = (
        Setting("host", _("Host"), _("Where the manager interface listens."), required=True),
        Setting("username", _("Manager user"), _("Its section in manager.conf."), required=True),
        Setting("port", _("Port"), _("5038, with TLS 5039.")),
        Setting("tls", "TLS", _("1 to encrypt; needed wherever the network is not yours.")),
        Setting(
            "tls_ca", _("Certificate file"), _("Signs Asterisk's own certificate, if private.")
        ),
        Setting("trunks", _("Trunks"), _("Names of the peers that are ways out, with commas.")),
        Setting(
            "extensions",
            _("Agents' phones"),
            _("Names with * and ?, with commas. Empty: two to six digits, and who is mapped."),
        ),
        Setting("technology", _("Technology"), _("Of the agents' phones when we dial: PJSIP.")),
        Setting("context", _("Context"), _("In which calls are placed: from-internal.")),
        Setting(
            "outside_prefix",
            _("Prefix"),
            _("What stands for the + of a number: 00, 9011. Or none."),
        ),
        Setting("link", _("Link"), _("tel (as a rule) or sip.")),
        Setting("sip_domain", _("SIP domain"), _("Of sip links; empty: the host.")),
        Setting(
            "cdr_columns",
            _("Columns of the CDR files"),
            _("If neither names nor order tell: start=Call Date, channel=Canal, or all in order."),
        ),
        Setting("timezone", _("Time zone"), _("Of the CDR files, such as Europe/Madrid.")),
    )
    no_instants = "The stream has no instants: timestampevents was not set."
    has_hook = False
    can_dial = True
    setup = (
        _("In manager.conf [general]: enabled = yes, timestampevents = yes."),
        _(
            "A user of its own there: deny = 0.0.0.0/0.0.0.0 first, then permit = this machine's "
            "address; read = system,call,agent,cdr; write = system,reporting,originate."
        ),
        _("Run manage.py listen_asterisk beside the web server."),
    )

    @property
    def where(self) -> Where:
        """The manager interface. Unreachable if the account is not set up."""
        return Where.of_account(self.settings, self.secret_values())

    @property
    def dialplan(self) -> Dialplan:
        return Dialplan.of_settings(self.settings)

    def cutter(self) -> Reader:
        return Reader()

    def follower(self) -> Tracker:
        return Tracker(self.dialplan)

    def dial_url(self, number: str) -> str:
        if self._setting("link") != "sip":
            return super().dial_url(number)
        domain = self._setting("sip_domain") or self._setting("host")
        return f"sip:{quote(self.dialled(number), safe='+*')}@{domain}" if domain else ""

    def dialled(self, number: str) -> str:
        """`number` as the dialplan wants it: with the prefix 00, 0034600000001 for +34600000001."""
        if not number.startswith("+"):
            return number
        return self._setting("outside_prefix") + number[1:]

    def place_call(self, agent: str, number: str, hook: str = "") -> str:
        """Makes the phone of `agent` (an extension) ring and then calls `number`.

        Returns the Uniqueid of the agent's leg. Raises Unreachable.
        """
        if not _EXTENSION.fullmatch(agent):
            raise Unreachable(f"{agent!r:.60} is no extension.")
        if not _NUMBER.fullmatch(number):
            raise Unreachable(f"{number!r:.60} is no number to dial.")
        channel_id = f"{PLACED}{uuid.uuid4()}"
        fields = {
            "ActionID": channel_id,  # which names the call if not even a channel is made
            "Channel": f"{self._setting('technology') or 'PJSIP'}/{agent}",
            "Context": self._setting("context") or "from-internal",
            "Exten": self.dialled(number),
            "Priority": "1",
            "CallerID": f"<{agent}>",
            "Timeout": _RING_MS,
            "Async": "true",
            "ChannelId": channel_id,
        }
        with Visit(self.where) as manager:
            manager.ask("Originate", fields)
        return channel_id

    def ask(self, call_id: str) -> list[ProviderEvent] | None:
        """[] while the leg `call_id` is up. Gone once it is not: only the CDR says since when."""
        try:
            with Visit(self.where) as manager:
                manager.ask("CoreShowChannels", {})
                listed = manager.listed("CoreShowChannel")
        except Unreachable:
            return None
        if all(one.get("Uniqueid") != call_id for one in listed):
            raise Gone
        return []

    def _setting(self, name: str) -> str:
        return str(self.settings.get(name) or "").strip()
