"""The hash chain of a call's ledger: the hash of each line holds the line and the hash before it.

So no line can be changed, removed, put in or moved without the hashes from there on being wrong.
What a line says of people may be blanked later and enters as a commitment: an HMAC whose key, the
salt, is random. Without the salt, which goes with the text, it tells nothing of it.

Pure; no Django.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from calls.timeline.events import CORRECTED

# Keys of a line's data that may be blanked. So may the reason of a correction, which is free text,
# and the values of `unread`.
PERSONAL: Final = ("notes", "number", "said")
UNREAD: Final = "unread"
REASON: Final = "reason"
_VERSION: Final = 1
_EXACT: Final = 2**53  # beyond it, engines and JSON write whole numbers in more than one way
_PLAIN: Final = (str, bool, type(None))
_NO_NAME: Final = "\0"  # of a member: PostgreSQL stores none such


def first_link(call: int) -> str:
    """What stands for the hash before the first line of the call with this key."""
    return f"call {call}"


def parted(kind: str, data: Any) -> tuple[Any, dict[str, Any]]:
    """What stays of a line's `data` whatever is blanked, and what it says of people."""
    if not isinstance(data, Mapping):
        return data, {}
    names = (*PERSONAL, REASON) if kind == CORRECTED else PERSONAL
    personal = {name: data[name] for name in names if name in data}
    unread = data.get(UNREAD)
    if not personal and not unread:
        return data, {}
    stays = {name: value for name, value in data.items() if name not in personal}
    if isinstance(unread, Mapping):
        stays[UNREAD] = dict.fromkeys(unread, "")
        if texts := {name: value for name, value in unread.items() if value != ""}:
            personal[UNREAD] = texts
    return stays, personal


def instant_text(stored: str) -> str:
    """An instant as it stands in a hash; engines leave out microseconds where there are none."""
    return stored if "." in stored else f"{stored}.000000"


def new_salt() -> str:
    return secrets.token_hex(16)


def commitment(salt: str, personal: Mapping[str, Any]) -> str:
    """What commits to these texts and, without `salt`, tells nothing of them."""
    return hmac.new(bytes.fromhex(salt), canonical(personal).encode(), hashlib.sha256).hexdigest()


def line_hash(previous: str, place: int, columns: Sequence[Any], stays: Any, committed: str) -> str:
    """The hash of the line at `place` of its call, 1 the first, behind the hash `previous`.

    `columns`: all that is neither data nor of the chain, instants as `instant_text`; `stays` and
    `committed`: the data, as `parted` and `commitment` make them.
    """
    content = json.dumps([_VERSION, previous, place, *columns, committed], separators=(",", ":"))
    return hashlib.sha256(f"{content}{canonical(stays)}".encode()).hexdigest()


def linked(
    previous: str, place: int, columns: Sequence[Any], kind: str, data: Any
) -> tuple[str, str, str]:
    """Hash, salt and commitment of a new line; see `line_hash`."""
    stays, personal = parted(kind, data)
    salt = new_salt() if personal else ""
    committed = commitment(salt, personal) if personal else ""
    return line_hash(previous, place, columns, stays, committed), salt, committed


def canonical(value: Any) -> str:
    """JSON that is the same text for values that an engine may give back in place of each other:
    any order of keys, a list for a tuple, 1 for 1.0."""
    return json.dumps(_one_form(value), sort_keys=True, separators=(",", ":"))


def _one_form(value: Any) -> Any:
    if isinstance(value, _PLAIN) or (type(value) is int and -_EXACT < value < _EXACT):
        return value
    if isinstance(value, Mapping):
        return {_name(name): _one_form(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_one_form(inner) for inner in value]
    return _number(value)


def _name(name: Any) -> str:
    """The name of a member, as JSON writes it."""
    if isinstance(name, str):
        return name
    return json.dumps(name)


def _number(value: Any) -> Any:
    """Whole numbers that are small as such; of others the digits, in a form that no data has."""
    exact = Decimal(repr(value))
    if not exact.is_finite():
        return {_NO_NAME: str(exact)}
    if exact == int(exact) and -_EXACT < exact < _EXACT:
        return int(exact)
    digits = exact.as_tuple()
    text = "".join(map(str, digits.digits)).lstrip("0")
    significant = text.rstrip("0")
    exponent = int(digits.exponent) + len(text) - len(significant)
    return {_NO_NAME: f"{'-' if digits.sign else ''}{significant}e{exponent}"}
