"""What people, and days of failures, do with a webhook."""

import datetime as dt
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet

from common.encryption import Sealed
from common.instants import from_ms, now, to_ms
from notifications.models import SendState, WebhookDelivery, WebhookEndpoint
from notifications.webhooks import sequencer, signing
from notifications.webhooks.signals import endpoint_switched_off, endpoint_switched_on

OLD_SECRET_LASTS: Final = dt.timedelta(hours=24)
_PASSES: Final = 50


class FeedBehind(Exception):
    """So much was committed before anybody asked for the feed that its end is not known yet."""


def locked(pk: int) -> WebhookEndpoint:
    """The webhook, locked. DoesNotExist if it is gone."""
    return WebhookEndpoint.objects.select_for_update().get(pk=pk)


def add(endpoint: WebhookEndpoint) -> str:
    """Saves a new webhook, which is sent what happens from now on: its secret, shown once.

    FeedBehind where that cannot be said yet; the worker goes on with the feed meanwhile.
    """
    if not sequencer.catch_up(_PASSES):
        raise FeedBehind
    endpoint.cursor = sequencer.last_number()
    secret = signing.new_secret()
    endpoint.secrets = [{"secret": secret, "until": None}]
    endpoint.save()
    return secret


def rotate(endpoint: WebhookEndpoint) -> str:
    """Gives the webhook another secret: the new one. The one before stays valid for a day."""
    secret = signing.new_secret()
    with transaction.atomic():
        known = locked(endpoint.pk)
        until = to_ms(now() + OLD_SECRET_LASTS)
        before = [one | {"until": until} for one in readable_secrets(known)[:1]]
        known.secrets = [{"secret": secret, "until": None}, *before]
        known.save(update_fields=["sealed"])
    return secret


def end_old_secret(endpoint: WebhookEndpoint) -> None:
    """From now on only the newest secret is valid."""
    with transaction.atomic():
        known = locked(endpoint.pk)
        if newest := readable_secrets(known)[:1]:
            known.secrets = newest
            known.save(update_fields=["sealed"])


def readable_secrets(endpoint: WebhookEndpoint) -> list[dict[str, Any]]:
    """The secrets; none where they were encrypted with a key that is not here any more."""
    try:
        return endpoint.secrets
    except Sealed:
        return []


def old_secret_until(endpoint: WebhookEndpoint) -> dt.datetime | None:
    """Until when the secret before the present one is valid; None if it is not."""
    old = signing.valid(readable_secrets(endpoint)[1:], now())
    return from_ms(old[0]["until"]) if old else None


def switch(endpoint: WebhookEndpoint, on: bool) -> None:
    """Off: nothing is sent. On again: it goes on where it had stopped."""
    with transaction.atomic():
        known = locked(endpoint.pk)
        known.enabled = on
        known.switched_off_at, known.off_reason = None, ""
        if on:
            known.failing_since = known.resting_until = None
            _begin_again(_waiting(known))
        known.save()
        if on:
            endpoint_switched_on.send(WebhookEndpoint, endpoint=known)


def switch_off_by_itself(endpoint: WebhookEndpoint, reason: str) -> None:
    """Because of its failures. What waits goes on waiting. The row is locked by the caller."""
    endpoint.enabled = False
    endpoint.switched_off_at, endpoint.off_reason = now(), reason
    endpoint.save()
    endpoint_switched_off.send(WebhookEndpoint, endpoint=endpoint)


def send_again_after(endpoint: WebhookEndpoint, number: int) -> None:
    """Sends everything behind the entry `number` of the feed, whether it was sent before or not.
    With a number at or behind the end: nothing but what comes from then on."""
    with transaction.atomic():
        known = locked(endpoint.pk)
        known.cursor = min(number, sequencer.last_number())
        known.resting_until = None
        known.save(update_fields=["cursor", "resting_until"])
        _begin_again(known.deliveries.filter(entry__gt=known.cursor))
        _waiting(known).filter(entry__lte=known.cursor).delete()


def send_again(delivery: WebhookDelivery) -> None:
    """Sends one event once more."""
    _begin_again(WebhookDelivery.objects.filter(pk=delivery.pk))


def _begin_again(deliveries: QuerySet[WebhookDelivery]) -> None:
    """As if they had not been tried yet; what is being sent just now goes on."""
    deliveries.filter(Q(claimed_until=None) | Q(claimed_until__lte=now())).update(
        state=SendState.WAITING, attempts=0, queued_at=now(), due_at=now(), claimed_until=None
    )


def _waiting(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    return endpoint.deliveries.filter(state=SendState.WAITING, entry__isnull=False)
