"""Who has a line, and what their page is told of it."""

from typing import Any

from django.utils.translation import gettext as _

from calls.models import DialChoice, DialLink
from calls.models.dial_links import SERVER
from calls.providers.webphone import WebPhone
from calls.telephony.hooks import adapter_of
from common.encryption import Sealed
from webphone.models import PhoneLine


class NotSetUp(Exception):
    """The line cannot be used as it is; says why, in the agent's words."""


def hand_out(line: PhoneLine) -> None:
    """Saves `line`. Its agent may choose to call with it, and does so unless they chose already."""
    line.save()
    way = DialLink.objects.filter(account=line.account).first()
    if way is None:
        way = DialLink.objects.create(kind=SERVER, account=line.account)
    if line.is_active and not DialChoice.objects.filter(user=line.user).exists():
        DialChoice.of_user(line.user, way)


def adapter_of_line(line: PhoneLine) -> WebPhone:
    adapter = adapter_of(line.account)
    assert isinstance(adapter, WebPhone)
    return adapter


def configuration(line: PhoneLine) -> dict[str, Any]:
    """All that the phone of `line` needs to register, the password too. NotSetUp."""
    adapter = adapter_of_line(line)
    try:
        password, found = line.password, adapter.configuration(line.sip_user, str(line.user))
    except Sealed as error:
        raise NotSetUp(
            _("Your line’s password cannot be opened. Ask for it to be entered again.")
        ) from error
    if not (adapter.origin and found["uri"]):
        raise NotSetUp(
            _("The SIP server’s address is missing or cannot be read. Ask your administrator.")
        )
    return found | {"password": password}
