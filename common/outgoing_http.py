"""Requests to addresses that people typed in: never into the own network, never without an end."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx


class AddressRefused(Exception):
    """The address leads where nothing may be sent, or is none. The text says why, for people."""


class NoAnswer(Exception):
    """Nobody answered in time, or not in HTTP. The text says what happened, for people."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes  # its beginning


def post(url: str, content: bytes, headers: Mapping[str, str], *, seconds: float = 10) -> Answer:
    """Sends `content`; raises AddressRefused or NoAnswer. Redirects are not followed."""
    try:
        answer = httpx.post(url, content=content, headers=dict(headers), timeout=seconds)
    except httpx.HTTPError as error:
        raise NoAnswer(str(error)) from error
    return Answer(answer.status_code, answer.headers, answer.content)
