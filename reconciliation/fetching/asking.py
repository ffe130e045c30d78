"""One provider's interface: asked politely, tried again, never without an end."""

import datetime as dt
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from common import outgoing_http
from common.outgoing_http import AddressRefused, Answer, NoAnswer

_LONGEST_ANSWER: Final = 32 * 1024 * 1024  # bytes; a page of records has one or two million
# OAuth's words (RFC 6749, 5.2), which come with a 400.
_WRONG_CREDENTIALS: Final = frozenset({"invalid_client", "invalid_grant", "unauthorized_client"})
_MILLISECONDS: Final = 1e11  # a number of seconds since 1970 is smaller


class Failed(Exception):
    """Why records could not be fetched: a sentence for people."""


class Expired(Failed):
    """The credentials are not, or no longer, accepted."""


@dataclass
class Patience:
    """How long is waited: for one answer, and until all is given up (seconds)."""

    total: float = 3600
    answer: float = 60
    first_wait: float = 2  # after a fault; then twice as long each time
    tries: int = 5
    started: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        return self.started + self.total - time.monotonic()


class Interface:
    """The REST interface at `base`, which gives JSON objects."""

    def __init__(self, base: str, patience: Patience | None = None):
        if urlsplit(base).scheme != "https" and not settings.OUTGOING_PRIVATE_ADDRESSES:
            raise Failed(_("The address of the interface must begin with https://."))
        self.base, self.patience = base, patience or Patience()

    def get(
        self, path: str, query: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> dict[str, Any]:
        """What is at `path` of the interface. Raises Failed."""
        return self._object("GET", self._url(path, query), b"", headers)

    def post_form(
        self, path: str, fields: Mapping[str, str], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        """What the interface answers to a form. Raises Failed."""
        typed = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        return self._object("POST", self._url(path, None), urlencode(fields).encode(), typed)

    def _url(self, path: str, query: Mapping[str, Any] | None) -> str:
        # What a page says comes next must not lead our password to another host.
        if not path.startswith("/") or path.startswith("//"):
            raise Failed(_("The provider's answer is not readable."))
        return f"{self.base}{path}" + (f"?{urlencode(query)}" if query else "")

    def _object(
        self, method: str, url: str, content: bytes, headers: Mapping[str, str]
    ) -> dict[str, Any]:
        answer = self._answer(method, url, content, {**headers, "Accept": "application/json"})
        said = _read(answer)
        if answer.status != 200:
            raise _refusal(answer.status, said)
        if not said:
            raise Failed(_("The provider's answer is not readable."))
        return said

    def _answer(self, method: str, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """The first answer that is no fault and no request to wait."""
        wait, faults = self.patience.first_wait, 0
        while True:
            if self.patience.left <= 0:
                raise Failed(
                    _("It took too long, and nothing was taken in: fetch a shorter period.")
                )
            try:
                seconds = min(self.patience.answer, self.patience.left)
                answer = outgoing_http.request(
                    method, url, content, headers, seconds=seconds, limit=_LONGEST_ANSWER
                )
                if answer.status == 429:
                    self._wait(asked_to_wait(answer) or wait, _too_many)
                    continue
                if answer.status < 500:
                    return answer
                trouble = _("The provider has a fault (%(status)s).") % {"status": answer.status}
            except AddressRefused as fault:
                raise Failed(str(fault)) from fault
            except NoAnswer as fault:
                trouble = str(fault)
            faults += 1
            if faults == self.patience.tries:
                raise Failed(trouble)
            self._wait(wait, lambda _seconds, trouble=trouble: trouble)
            wait *= 2

    def _wait(self, seconds: float, why: Any) -> None:
        """Waits, unless that would be longer than there is time: Failed, saying `why`."""
        if seconds > self.patience.left:
            raise Failed(why(seconds))
        time.sleep(seconds)


def _too_many(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    return _(
        "The provider answers no more requests for now (limit reached) and asks to wait"
        " %(minutes)d minutes."
    ) % {"minutes": minutes}


def asked_to_wait(answer: Answer) -> float | None:
    """Seconds from now, by the header Retry-After (seconds or an instant) or by Aircall's own
    (seconds since 1970); None where neither says."""
    asked = answer.headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return float(asked)
    reset = answer.headers.get("X-AircallApi-Reset", "").strip()
    try:
        if asked:
            instant = _instant(asked).timestamp()
        elif reset:
            instant = float(reset) / (1000 if float(reset) > _MILLISECONDS else 1)
        else:
            return None
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, instant - time.time())


def _instant(written: str) -> dt.datetime:
    """An instant as HTTP or ISO 8601 write it; without an offset it is UTC."""
    try:
        found = dt.datetime.fromisoformat(written)
    except ValueError:
        found = parsedate_to_datetime(written)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _read(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer; {} where it is none."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _words(said: Mapping[str, Any]) -> str:
    """What the provider says of a refusal, whatever it calls that."""
    names = ("message", "error_description", "reason", "troubleshoot", "error")
    found = next((said[name] for name in names if isinstance(said.get(name), str)), "")
    return " ".join(found.split())[:120]


def _refusal(status: int, said: Mapping[str, Any]) -> Failed:
    told = {"status": status, "words": _words(said) or "–"}
    if status == 401 or said.get("error") in _WRONG_CREDENTIALS:
        return Expired(_("The provider does not accept the credentials: %(words)s") % told)
    if status == 403 or "scope" in str(told["words"]).casefold():
        return Failed(
            _("The credentials lack the right to read the call records: %(words)s") % told
        )
    if 300 <= status < 400:
        return Failed(
            _("The provider's address leads elsewhere (%(status)s): check the address.") % told
        )
    return Failed(_("The provider refused (%(status)s): %(words)s") % told)
