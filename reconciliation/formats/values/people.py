"""Who called whom, from what files say of both sides."""

from collections.abc import Callable
from typing import NamedTuple

from calls.providers.reading import names, names_in, number_in, other_side
from common.phones import to_e164

_EXTENSION_DIGITS = 6


class Sides(NamedTuple):
    """The system's names for our agent, the other side as given, and the direction."""

    agents: tuple[str, ...]
    number: str
    direction: str


def sides(
    caller: str,
    called: str,
    direction: str,
    knows: Callable[[str], bool],
    agents: tuple[str, ...] = (),
) -> Sides:
    """By the direction; where none is told, by whom we know, else by which looks like an
    extension."""
    way = direction or _between(caller, called, knows)
    own, other = (called, caller) if way == "inbound" else (caller, called)
    return Sides(names(*agents, *names_in(own)) if way else agents, other_side(other), way)


def _between(caller: str, called: str, knows: Callable[[str], bool]) -> str:
    for is_ours in (lambda one: any(map(knows, names_in(one))), is_extension):
        found = is_ours(caller), is_ours(called)
        if any(found):
            return {(True, True): "internal", (True, False): "outbound"}.get(found, "inbound")
    return ""


def is_extension(address: str) -> bool:
    bare = address.strip()
    return bare.isascii() and bare.isdigit() and len(bare) <= _EXTENSION_DIGITS


def is_number(text: str, region: str) -> bool:
    return bool(number_in(text) or to_e164(text, region or None))
