"""calls/timeline/chain.py as it was when the lines that were there got their hashes: 0019 and what
comes after it must not change with the code."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from decimal import Decimal

# Keys of a line's data that may be blanked. So may the reason of a correction, which is free text,
# and the values of `unread`.
PERSONAL = ("notes", "number", "said")
UNREAD = "unread"
REASON = "reason"
_VERSION = 1
_EXACT = 2**53  # beyond it, engines and JSON write whole numbers in more than one way
_PLAIN = (str, bool, type(None))
_NO_NAME = "\0"  # of a member: PostgreSQL stores none such


def first_link(call):
    return f"call {call}"


def parted(kind, data):
    if not isinstance(data, Mapping):
        return data, {}
    names = (*PERSONAL, REASON) if kind == "corrected" else PERSONAL
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


def instant_text(stored):
    return stored if "." in stored else f"{stored}.000000"


def new_salt():
    return secrets.token_hex(16)


def commitment(salt, personal):
    return hmac.new(bytes.fromhex(salt), canonical(personal).encode(), hashlib.sha256).hexdigest()


def line_hash(previous, place, columns, stays, committed):
    content = json.dumps([_VERSION, previous, place, *columns, committed], separators=(",", ":"))
    return hashlib.sha256(f"{content}{canonical(stays)}".encode()).hexdigest()


def linked(previous, place, columns, kind, data):
    stays, personal = parted(kind, data)
    salt = new_salt() if personal else ""
    committed = commitment(salt, personal) if personal else ""
    return line_hash(previous, place, columns, stays, committed), salt, committed


def canonical(value):
    return json.dumps(_one_form(value), sort_keys=True, separators=(",", ":"))


def _one_form(value):
    if isinstance(value, _PLAIN) or (type(value) is int and -_EXACT < value < _EXACT):
        return value
    if isinstance(value, Mapping):
        return {_name(name): _one_form(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_one_form(inner) for inner in value]
    return _number(value)


def _name(name):
    if isinstance(name, str):
        return name
    return json.dumps(name)


def _number(value):
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
