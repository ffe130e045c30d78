"""Signatures as Standard Webhooks describe them: https://www.standardwebhooks.com.

`webhook-signature` is a list of `v1,<base64>` with a space between, one for each secret that is
valid; whoever receives it needs only one of them to fit.
"""

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Any, Final

from common.instants import from_ms, to_ms

_PREFIX: Final = "whsec_"


def new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def valid(known: Iterable[dict[str, Any]], at: dt.datetime) -> list[dict[str, Any]]:
    """Those of WebhookEndpoint.secrets that are valid at the instant `at`."""
    return [one for one in known if one["until"] is None or from_ms(one["until"]) > at]


def headers(
    known: Iterable[dict[str, Any]], message_id: str, at: dt.datetime, body: bytes
) -> dict[str, str]:
    """What proves that `body`, sent at the instant `at`, is ours."""
    seconds = str(to_ms(at) // 1000)
    signed = b".".join([message_id.encode(), seconds.encode(), body])
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(
            _signature(one["secret"], signed) for one in valid(known, at)
        ),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
