"""What the kinds of channels have in common: a message, an address, how sending may end."""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol

from django.utils.translation import gettext_noop

from common import outgoing_http
from common.instants import now
from common.outgoing_http import Answer, Fault

LONGEST_WAIT: Final = dt.timedelta(hours=1)  # that a service may ask for
SECONDS: Final = 10
_DETAIL_LENGTH: Final = 160
_SHORT: Final = 5  # what is no longer is a word, not a secret


class Refused(Fault):
    """It will never arrive as it is: an address that is gone, a token that is wrong."""


class TryAgain(Fault):
    """It may arrive later; `after` says when the service wants to be asked again, if it did."""

    def __init__(self, message: str, after: dt.timedelta | None = None, **values: str | int):
        super().__init__(message, **values)
        self.after = after


@dataclass(frozen=True)
class Message:
    """What is said, in the channel's language; plain text, which each kind escapes in its way."""

    reference: str  # the same each time that this message is sent
    language: str
    title: str
    sentence: str
    link: str  # absolute
    link_label: str
    facts: tuple[tuple[str, str], ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)  # for programs


@dataclass(frozen=True)
class Entry:
    """Something that a person types in to set up a channel. What is `secret` is not shown again."""

    name: str
    label: Any
    help: Any
    clean: Callable[[str], str]  # raises ValidationError
    secret: bool = True
    required: bool = True


class Kind(Protocol):
    """One way to tell people."""

    @property
    def entries(self) -> tuple[Entry, ...]: ...

    @property
    def help(self) -> Any:
        """How to get the address, for people."""

    @property
    def personal(self) -> bool:
        """Whether a person may have one of their own."""

    def send(self, secrets: Mapping[str, str], message: Message) -> None:
        """Raises Refused, TryAgain, or the faults of common.outgoing_http."""


def post_json(
    url: str, body: Any, *, secrets: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> Answer:
    """Sends JSON and returns the answer of who took it; else Refused or TryAgain."""
    content = json.dumps(body, ensure_ascii=False).encode()
    answer = outgoing_http.post(
        url,
        content,
        {"Content-Type": "application/json; charset=utf-8", **(headers or {})},
        seconds=SECONDS,
    )
    require_taken(answer, secrets.values())
    return answer


def require_taken(answer: Answer, secrets: Iterable[str]) -> None:
    """Raises Refused or TryAgain unless the status says that the message was taken."""
    if 200 <= answer.status < 300:
        return
    if answer.status in (408, 425, 429) or answer.status >= 500:
        raise TryAgain(
            gettext_noop("The service answered %(status)s: it is busy or has a fault."),
            after=_asked_wait(answer),
            status=answer.status,
        )
    if 300 <= answer.status < 400:
        raise Refused(
            gettext_noop(
                "The address leads on to another one (%(status)s), which is not followed. Enter"
                " the final address."
            ),
            status=answer.status,
        )
    detail = masked(_detail(answer), secrets)
    if not detail:
        raise Refused(
            gettext_noop("The service refused the message (%(status)s)."), status=answer.status
        )
    raise Refused(
        gettext_noop("The service refused the message (%(status)s): %(detail)s"),
        status=answer.status,
        detail=detail,
    )


def masked(text: str, secrets: Iterable[str]) -> str:
    """`text` without any of the secrets, or of the parts of one that is an address."""
    for secret in secrets:
        for part in (secret, *re.split(r"[/:?&=@#\s]", secret)):
            if len(part) > _SHORT:
                text = text.replace(part, "•••")
    return text


def _detail(answer: Answer) -> str:
    """What the service says of itself, if that is short: a word, or a description in JSON."""
    text = answer.body.decode(errors="replace").strip()
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if isinstance(told, dict):
        text = str(told.get("description") or told.get("message") or told.get("error") or "")
    elif text.startswith("<"):
        return ""  # a page for browsers
    return " ".join("".join(filter(_printed, text)).split())[:_DETAIL_LENGTH]


def _printed(character: str) -> bool:
    return character.isprintable() or character.isspace()


def _asked_wait(answer: Answer) -> dt.timedelta | None:
    """From Retry-After (seconds or a date), or from what Telegram and Discord write instead."""
    said: Any = answer.headers.get("retry-after")
    if said is None:
        try:
            told = json.loads(answer.body)
            said = told.get("retry_after") or told["parameters"]["retry_after"]
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
    try:
        wait = dt.timedelta(seconds=float(said))
    except (ValueError, TypeError, OverflowError):
        try:
            wait = parsedate_to_datetime(str(said)) - now()
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(wait, dt.timedelta()), LONGEST_WAIT)
