"""What an event socket sends, as bytes."""

import json
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
