"""What an event socket sends, as bytes."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

GREETING = b"Content-Type: auth/request\n\n"
ACCEPTED = b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n"


def message_of(said: dict[str, str], *, body: str = "", as_json: bool = False) -> bytes:
    """An event with these fields, and a text behind them."""
    if as_json:
        raw = json.dumps(said | ({"_body": body} if body else {})).encode()
        return _framed(raw, "text/event-json")
    if body:
        said = said | {"Content-Length": str(len(body.encode()))}
    lines = "".join(f"{name}: {quote(value, safe=' /,(){}')}\n" for name, value in said.items())
    return _framed(f"{lines}\n{body}".encode(), "text/event-plain")


def reply_of(said: str) -> bytes:
    return f"Content-Type: command/reply\nReply-Text: {said}\n\n".encode()


def answer_of(said: str) -> bytes:
    return _framed(said.encode(), "api/response")


def _framed(raw: bytes, kind: str) -> bytes:
    return f"Content-Length: {len(raw)}\nContent-Type: {kind}\n\n".encode() + raw


_ROWS: Mapping[str, str] = {
    "uuid": "Unique-ID",
    "direction": "Call-Direction",
    "name": "Channel-Name",
    "callstate": "Channel-Call-State",
    "initial_cid_num": "Caller-Caller-ID-Number",
    "initial_dest": "Caller-Destination-Number",
    "call_uuid": "Channel-Call-UUID",
}


def channels_of(channels: Sequence[Mapping[str, str]]) -> bytes:
    """The answer to `api show channels as json`, by what the last event said of each."""
    rows = [
        {name: said.get(field, "") for name, field in _ROWS.items()}
        | {"created_epoch": said["Caller-Channel-Created-Time"][:-6]}
        for said in channels
    ]
    listed: dict[str, Any] = {"row_count": len(rows)}
    return answer_of(json.dumps(listed | ({"rows": rows} if rows else {})))


def dump_of(said: Mapping[str, str]) -> bytes:
    """The answer to `api uuid_dump ID json`."""
    fields = {name: text for name, text in said.items() if name != "Event-Sequence"}
    return answer_of(json.dumps(fields | {"Event-Name": "CHANNEL_DATA"}))
