"""Who speaks with whom in a call of Twilio's."""

from collections.abc import Callable, Mapping
from typing import Any

from calls.providers.reading import Values, is_empty, names, number_in, other_side, text, user_in

Knows = Callable[[str], bool]
# Whom a SIP address names where the caller wants to be nobody.
_HIDDEN = frozenset({"anonymous", "restricted", "unavailable", "unknown"})


class People:
    """A person's own phone is a client or a SIP user, or named in the URL. A SIP address with a
    number is that of somebody outside, who comes by a carrier, unless we know it as one of ours."""

    def __init__(self, fields: Mapping[str, Any], values: Values, knows: Knows, to_agents: bool):
        caller, called = text(fields.get("From")), text(fields.get("To"))
        direction, child = text(fields.get("Direction")), bool(text(fields.get("ParentCallSid")))
        named, asked_for = names(fields.get("agent")), text(fields.get("number"))
        from_agent, to_agent = is_own(caller, knows), is_own(called, knows)
        if child:
            self.inbound = to_agent or (to_agents and not from_agent and not asked_for)
            other, own = (caller, called) if self.inbound else (called, "")
            own = own or (caller if from_agent else "")
            is_others = not (from_agent if self.inbound else to_agent)
        elif direction.startswith("outbound"):
            self.inbound = False
            is_ours = to_agent or bool(named)
            other, own = ("", called) if is_ours else (called, caller)
            is_others = not to_agent
        else:
            self.inbound = not from_agent
            other, own = (caller, "") if self.inbound else (called, caller)
            is_others = self.inbound or not to_agent
            if direction != "inbound" and not is_empty(fields.get("Direction")):
                values.keep("Direction", fields["Direction"])
        self.agents = names(*(name for one in (*named, own) for name in _names_of(one)))
        self.number = asked_for or (other_side(other) if is_others else "")
        self.direction = "inbound" if self.inbound else "outbound"


def is_own(address: str, knows: Knows) -> bool:
    """Whether a phone is one of ours. Who it is asked of may ask the database."""
    if not address.startswith(("client:", "sip:", "sips:", "sim:")):
        return False
    if user_in(address).casefold() in _HIDDEN:
        return False
    number = number_in(address)
    return not number or knows(address) or knows(number)


def _names_of(address: str) -> tuple[str, ...]:
    """An agent's address; without its scheme; and whom it names, a user or a number."""
    scheme, colon, rest = address.partition(":")
    bare = rest if colon and scheme in ("client", "sip", "sips", "sim") else ""
    return names(address, bare, user_in(address))
