"""Links that call a number: the kinds there are, what each honestly does, templates of one's own.

Pure. A template is an address with {number} (E.164), {digits} (the same without +), {national} (as
dialled within its country, digits only) and {extension} (the agent's own).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

import phonenumbers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# What following a link does: it calls, only opens something, or has the agent's phone ring first.
CALLS, OPENS, CALLS_BACK = "calls", "opens", "calls_back"
EFFECTS: Final = (
    (CALLS, gettext_lazy("calls the number")),
    (OPENS, gettext_lazy("only opens; the person calls there")),
    (CALLS_BACK, gettext_lazy("rings the person first, then the number")),
)

TEL, TEMPLATE, SERVER = "tel", "template", "server"
# The kind of account whose phone is a window of this site, and what its links begin with: the
# pages' own script opens them (static/js/phone_link.js).
IN_PAGE: Final = "webphone"


@dataclass(frozen=True)
class Kind:
    """A kind of link. `says` is what the page tells of it; "" where its effect says enough.

    `is_offered`: whether people may choose it before an administrator has said anything.
    """

    title: Any
    template: str = ""
    effect: str = CALLS
    says: Any = ""
    is_offered: bool = True


_PHONE_PROGRAM = gettext_lazy("Opens this computer’s phone program, which calls the number.")
KINDS: Final[Mapping[str, Kind]] = {
    TEL: Kind(gettext_lazy("Phone program (tel:)"), "tel:{number}", CALLS, _PHONE_PROGRAM),
    "callto": Kind(
        gettext_lazy("Phone program (callto:)"), "callto:{number}", CALLS, _PHONE_PROGRAM
    ),
    "sip": Kind(
        gettext_lazy("Softphone (sip:)"),
        "sip:{number}",
        CALLS,
        gettext_lazy("Opens your softphone, which calls the number."),
    ),
    "zoom": Kind("Zoom Phone", "zoomphonecall://{number}"),
    "teams": Kind(
        "Microsoft Teams",
        "https://teams.microsoft.com/l/call/0/0?users=4:{number}",
        CALLS,
        gettext_lazy(
            "Opens Microsoft Teams, which calls once you confirm. It needs a Teams Phone plan."
        ),
    ),
    "ringcentral": Kind("RingCentral", "rcmobile://call?number={digits}"),
    "google_voice": Kind(
        "Google Voice", "https://voice.google.com/calls?a=nc,{number}", CALLS_BACK
    ),
    "whatsapp": Kind(
        "WhatsApp",
        "https://wa.me/{digits}",
        OPENS,
        gettext_lazy("Opens the chat in WhatsApp and does not call: press the phone there."),
    ),
    "viber": Kind(
        "Viber",
        "viber://keypad?number={digits}",
        OPENS,
        gettext_lazy("Opens Viber’s keypad with the number and does not call: press call there."),
    ),
    "skype": Kind(
        gettext_lazy("Skype (old installations)"), "skype:{number}?call", CALLS, is_offered=False
    ),
    "interphone": Kind("InterPhone", "interphone:{number}", CALLS, is_offered=False),
    TEMPLATE: Kind(gettext_lazy("An address of your own"), is_offered=False),
    SERVER: Kind(gettext_lazy("A phone system that dials"), effect=CALLS_BACK, is_offered=False),
}

_PLACES: Final = ("number", "digits", "national", "extension")
_PLACE = re.compile(r"\{(\w*)\}")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(?=.)", re.IGNORECASE)
# Addresses that run scripts or show what somebody made up, instead of calling.
_REFUSED: Final = frozenset(
    [
        "javascript",
        "data",
        "vbscript",
        "livescript",
        "mocha",
        "about",
        "blob",
        "file",
        "filesystem",
        "view-source",
        "jar",
        "chrome",
        "ws",
        "wss",
        "ftp",
        "mailto",
    ]
)


def fault(template: str) -> str:
    """What is wrong with `template`, in the administrator's words; "" if nothing is."""
    if re.search(r"[\s\x00-\x20\x7f-\xa0\\\"'<>`]", template):
        return _("No spaces, quotes, backslashes or angle brackets: %(how)s.") % {"how": "%20 ..."}
    scheme = _SCHEME.match(template)
    if scheme is None:
        return _("Begin with the name of a program and a colon, such as tel: or https:")
    if scheme[1].lower() in _REFUSED:
        return _("An address that begins with %(scheme)s: does not call.") % {"scheme": scheme[1]}
    named = _PLACE.findall(template)
    unknown = [name for name in named if name not in _PLACES]
    if unknown or re.search(r"[{}]", _PLACE.sub("", template)):
        return _("Only {number}, {digits}, {national} and {extension} may stand in braces.")
    if not {"number", "digits", "national"} & set(named):
        return _("Say where the number goes: {number}, {digits} or {national}.")
    return _web_fault(template, scheme[1].lower())


def _web_fault(template: str, scheme: str) -> str:
    """A web address must name its host itself: a number there could lead anywhere."""
    if scheme not in ("http", "https"):
        return ""
    try:
        host = urlsplit(template).netloc
    except ValueError:
        host = ""
    if not host or "{" in host or "@" in host:
        return _("A web address needs a host, and no number in it.")
    return ""


def link(template: str, e164: str, extension: str = "") -> str:
    """The address that `template` makes of a number in E.164; "" where there is no number.

    Every value is percent-encoded. A + stays one before a `?`; behind it, it would be a space.
    """
    if not e164:
        return ""
    values = {
        "number": e164,
        "digits": e164.removeprefix("+"),
        "national": national(e164),
        "extension": extension,
    }

    def value(place: re.Match[str]) -> str:
        in_query = "?" in template[: place.start()]
        return quote(values[place[1]], safe="" if in_query else "+")

    return _PLACE.sub(value, template)


def national(e164: str) -> str:
    """A number in E.164 as it is dialled within its own country: digits only."""
    try:
        parsed = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return ""
    spelt = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return "".join(filter(str.isdigit, spelt))
