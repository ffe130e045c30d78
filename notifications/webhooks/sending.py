"""Sends what is due, beside the worker's clock: a slow receiver keeps only its own threads busy."""

import datetime as dt
import json
import logging
import threading
import uuid
from collections import Counter
from email.utils import parsedate_to_datetime
from typing import Any, Final

from django.db import close_old_connections, connection
from django.utils.translation import gettext as _

from common import outgoing_http
from common.encryption import Sealed
from common.instants import UTC, isoformat, now
from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.webhooks import queue, sequencer, signing
from notifications.webhooks.messages import messages_of

logger = logging.getLogger(__name__)

SECONDS: Final = 10  # that a receiver has to answer
TEST: Final = "webhook.test"
_AT_ONCE: Final = 3  # threads an endpoint
_PASSES: Final = 5  # of the sequencer, a tick
_LONGEST_WAIT: Final = 86_400.0
_NOT_NOW: Final = (429, 503)

_guard = threading.Lock()
_running: Counter[int] = Counter()  # threads, by endpoint


def tick() -> None:
    """Numbers what was committed, and has it sent. Costs one look where there is no webhook."""
    enabled = list(WebhookEndpoint.objects.filter(enabled=True))
    if not (enabled or sequencer.is_used()):
        return
    sequencer.catch_up(_PASSES)
    last = sequencer.last_number()
    for endpoint in enabled:
        if endpoint.cursor < last:
            queue.fan_out(endpoint)
        for _number in range(_wanted_threads(endpoint)):
            thread = threading.Thread(
                target=_run, args=(endpoint.pk,), name=f"Webhook {endpoint.pk}"
            )
            thread.start()


def _wanted_threads(endpoint: WebhookEndpoint) -> int:
    """How many more are of use; they are noted as running."""
    if _is_resting(endpoint):
        return 0
    with _guard:
        free = _AT_ONCE - _running[endpoint.pk]
        wanted = min(free, queue.due(endpoint)[:free].count()) if free > 0 else 0
        _running[endpoint.pk] += wanted
    return wanted


def _is_resting(endpoint: WebhookEndpoint) -> bool:
    return endpoint.resting_until is not None and endpoint.resting_until > now()


def _run(pk: int) -> None:
    try:
        close_old_connections()
        send_due(pk)
    except Exception:
        logger.exception("Sending to webhook %d stopped; it goes on with the next tick", pk)
    finally:
        with _guard:
            _running[pk] -= 1
        connection.close()


def send_due(pk: int) -> None:
    """Sends what is due to the webhook `pk`, one after another, until nothing is, it asks to be
    left alone, or the process is about to end."""
    while threading.main_thread().is_alive():
        endpoint = WebhookEndpoint.objects.filter(pk=pk, enabled=True).first()
        if endpoint is None or _is_resting(endpoint):
            return
        delivery = queue.claim(endpoint)
        if delivery is None:
            return
        _send(endpoint, delivery)


def _send(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> None:
    assert delivery.entry is not None
    found = messages_of([delivery.entry])
    if not found:
        queue.nothing_to_send(delivery)
        return
    (message,) = found
    try:
        answer = _post(endpoint, message.id, message.body())
    except (outgoing_http.AddressRefused, outgoing_http.NoAnswer) as fault:
        queue.failed(delivery, None, str(fault))
    except Sealed:
        queue.failed(delivery, None, _unreadable())
    else:
        if 200 <= answer.status < 300:
            queue.delivered(delivery, answer.status)
        else:
            queue.failed(delivery, answer.status, wait=_asked_to_wait(answer))


def send_test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Sends an event that says nothing, now: its line in the log."""
    body = {
        "type": TEST,
        "timestamp": isoformat(now()),
        "data": {"message": "This is a test by CallManager."},
    }
    try:
        answer = _post(endpoint, f"test_{uuid.uuid4().hex}", body)
    except (outgoing_http.AddressRefused, outgoing_http.NoAnswer) as fault:
        return queue.log_test(endpoint, None, str(fault))
    except Sealed:
        return queue.log_test(endpoint, None, _unreadable())
    is_taken = 200 <= answer.status < 300
    return queue.log_test(endpoint, answer.status, "" if is_taken else f"HTTP {answer.status}")


def _post(endpoint: WebhookEndpoint, message_id: str, body: dict[str, Any]) -> outgoing_http.Answer:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "CallManager-Webhooks"}
    headers |= signing.headers(endpoint.secrets, message_id, now(), content)
    return outgoing_http.post(endpoint.url, content, headers, seconds=SECONDS)


def _unreadable() -> str:
    return _("The secret was encrypted with another key (FIELD_ENCRYPTION_KEY).")


def _asked_to_wait(answer: outgoing_http.Answer) -> float | None:
    """The seconds of Retry-After, where the receiver says that it cannot take anything now."""
    said = answer.headers.get("Retry-After", "").strip()
    if answer.status not in _NOT_NOW or not said:
        return None
    if said.isascii() and said.isdigit():
        seconds = float(said[:10])
    else:
        try:
            at = parsedate_to_datetime(said)
        except (ValueError, OverflowError):
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        seconds = (at - dt.datetime.now(UTC)).total_seconds()
    return min(max(seconds, 1.0), _LONGEST_WAIT)
