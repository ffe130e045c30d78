"""A record as the two modules send it, mod_json_cdr and mod_xml_cdr, whatever its dress."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

from calls.providers.base import Payload, Unreadable
from calls.providers.reading import objects, part, text

_HOLDS = "hold_events"


@dataclass(frozen=True)
class Record:
    """What the record of one leg says. `profiles` are the caller's profiles, one for each turn in
    the dialplan, the oldest first; `originator` the leg that its first profile says made it;
    `applications` those that ran or were to run."""

    variables: Mapping[str, str]
    profiles: tuple[Mapping[str, str], ...] = ()
    originator: str = ""
    applications: tuple[str, ...] = ()

    @property
    def profile(self) -> Mapping[str, str]:
        """The first: what was dialled, before anybody transferred the leg."""
        return self.profiles[0] if self.profiles else {}


def record_of(payload: Payload) -> Record:
    """The record in a message. Unreadable if there is none."""
    record = _undressed(payload).strip()
    return _of_xml(record) if record.startswith("<") else _of_json(record)


def _undressed(payload: Payload) -> str:
    """The record itself: raw, or as the field `cdr` of a form in one of three encodings."""
    raw = payload.body.strip()
    if raw.startswith((b"{", b"<")):
        return raw.decode(errors="replace")
    _, field, encoded = raw.partition(b"cdr=")
    if not field:
        raise Unreadable("The body holds no record.")
    if "plain" in payload.content_type:
        return encoded.decode(errors="replace")
    value = dict(parse_qsl(raw.decode(errors="replace"))).get("cdr", "")
    if value.lstrip().startswith(("{", "<")):
        return value
    try:
        return base64.b64decode(unquote(encoded.decode("ascii")), validate=True).decode(
            errors="replace"
        )
    except ValueError as error:
        raise Unreadable("The record is not readable.") from error


def _of_json(record: str) -> Record:
    try:
        said = json.loads(record)
    except (ValueError, RecursionError) as error:
        raise Unreadable("The record is not valid JSON.") from error
    # The latest comes first; of one alone there may be no list.
    flows = objects(part(said).get("callflow")) or [part(said, "callflow")]
    profiles = [part(flow, "caller_profile") for flow in reversed(flows)]
    makers = objects(part(profiles[0], "originator").get("originator_caller_profiles"))
    logs = [part(said, "app_log"), *(part(flow, "extension") for flow in reversed(flows))]
    ran = [one for log in logs for one in objects(log.get("applications"))]
    return Record(
        variables=_texts(part(said, "variables")),
        profiles=tuple(_texts(profile) for profile in profiles),
        originator=text(makers[0].get("uuid")) if makers else "",
        applications=tuple(text(one.get("app_name")) for one in ran),
    )


def _of_xml(record: str) -> Record:
    if re.search(r"<!(DOCTYPE|ENTITY)", record, re.IGNORECASE):
        raise Unreadable("A record declares no document type.")
    try:
        root = ElementTree.fromstring(record)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise Unreadable("The record is not valid XML.") from error
    profiles = root.findall("callflow/caller_profile")[::-1]
    return Record(
        variables=_texts(_children(root.find("variables"))),
        profiles=tuple(_texts(_children(profile)) for profile in profiles),
        originator=text(profiles[0].findtext("originator//uuid")) if profiles else "",
        applications=tuple(
            text(one.get("app_name"))
            for path in ("app_log/*", "callflow/extension/application")
            for one in root.findall(path)
        ),
    )


def _children(element: ElementTree.Element | None) -> dict[str, str | None]:
    return {} if element is None else {child.tag: child.text for child in element}


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Both modules encode what stands in a value as in an address; a variable may be a list."""
    told = {
        name: unquote("|:".join(map(text, value)) if isinstance(value, list) else text(value))
        for name, value in values.items()
    }
    said = {name: text(value) for name, value in told.items()}
    if _HOLDS in values:  # a list that may be longer than any name
        said[_HOLDS] = unquote(str(values[_HOLDS]))
    return said
