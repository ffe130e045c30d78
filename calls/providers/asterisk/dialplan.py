"""How an account's Asterisk names things: which channels are agents' phones, what was dialled."""

import re
from collections.abc import Container, Mapping, Set
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

LOCAL = "Local"
# PJSIP/1001-0000002a, Local/1001@office-00000003;1, IAX2/branch-2-17
_CHANNEL = re.compile(r"(?P<technology>[^/]+)/(?P<peer>.+?)(?:-[0-9a-f]+)?(?:;[12])?$", re.I)
_LOCAL_EXTEN = re.compile(rf"{LOCAL}/(?:[A-Z]+-)?(?P<exten>[^@/]+)@")
_DIGITS = re.compile(r"\d{2,6}")
# With this begin the Uniqueids of calls that we place.
PLACED = "callmanager-"


@dataclass
class Dialplan:
    """The names that matter, as the account's settings give them.

    A peer is an agent's if it is `known` (mapped to a person; in small letters), fits one of
    `patterns` (`*` and `?` as in file names) or, without patterns, is two to six digits; and it is
    not one of `trunks`.
    """

    trunks: Set[str] = frozenset()
    patterns: tuple[str, ...] = ()
    known: Container[str] = field(default_factory=frozenset)

    @classmethod
    def of_settings(cls, settings: Mapping[str, Any]) -> "Dialplan":
        return cls(
            trunks=frozenset(names(settings.get("trunks"))),
            patterns=names(settings.get("extensions")),
        )

    def is_agent(self, peer: str) -> bool:
        if not peer or peer in self.trunks:
            return False
        if peer.casefold() in self.known:
            return True
        if self.patterns:
            return any(fnmatchcase(peer, pattern) for pattern in self.patterns)
        return _DIGITS.fullmatch(peer) is not None

    def dialled_number(self, dial_string: str) -> str:
        """The number in what was handed to the channel driver: `15551234567@trunk`,
        `trunk/15551234567`, `trunk/sip:15551234567@host`; "" where there is none."""
        target = dial_string.split("/")[-1]
        target = re.sub(r"^sips?:", "", target.split("@")[0], flags=re.I)
        return "" if target in self.trunks else target


def names(value: Any) -> tuple[str, ...]:
    """A setting that lists names, given as a list or with commas or spaces between them."""
    listed = value if isinstance(value, list | tuple) else re.split(r"[,\s]+", str(value or ""))
    return tuple(name for name in (str(one).strip() for one in listed) if name)


def peer_of(channel: str) -> str:
    """`1001` of `PJSIP/1001-0000002a`; "" for a Local channel, which is nobody's phone."""
    found = _CHANNEL.match(channel)
    if found is None or found["technology"] == LOCAL:
        return ""
    return found["peer"]


def is_local(channel: str) -> bool:
    return channel.startswith(f"{LOCAL}/")


def local_exten(channel: str) -> str:
    """`1001` of `Local/1001@from-queue-00000003;1` and of `Local/FMPR-1001@...`; "" for others."""
    found = _LOCAL_EXTEN.match(channel)
    return found["exten"] if found else ""


def half_of(channel: str) -> str:
    """What the two halves of a Local channel, `...;1` and `...;2`, have in common."""
    return channel.rpartition(";")[0] or channel
