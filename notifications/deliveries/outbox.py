"""Puts messages on their way; `sending` says how they go."""

import datetime as dt
from collections.abc import Iterable
from functools import partial
from typing import Final

from django.db import transaction

from accounts.models import User
from common.instants import now
from notifications.deliveries import sending, worker
from notifications.models import Alert, Channel, Delivery
from notifications.models.deliveries import DeliveryState

_GIVE_UP_AFTER: Final = dt.timedelta(days=1)


def send_alert(alert: Alert, people: Iterable[User], channels: Iterable[Channel]) -> None:
    """Stores what is to be sent, in the transaction that stored the alert; the worker sends it once
    that has committed. `people` have their own channels beside their bell."""
    own = Channel.objects.filter(owner__in=list(people))
    told = {channel.pk for channel in (*channels, *own) if channel.enabled}
    moment = now()
    Delivery.objects.bulk_create(
        [
            Delivery(channel_id=pk, alert=alert, due_at=moment, give_up_at=moment + _GIVE_UP_AFTER)
            for pk in sorted(told)
        ],
        ignore_conflicts=True,  # an alert comes once to a channel
    )
    for delivery in Delivery.objects.filter(alert=alert, channel__in=told):
        _send_soon(delivery.pk)


def send_again(delivery: Delivery) -> bool:
    """Has a delivery that was given up sent once more, for another day; False if it was not."""
    moment = now()
    with transaction.atomic():
        taken = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.DEAD).update(
            state=DeliveryState.WAITING,
            attempts=0,
            due_at=moment,
            give_up_at=moment + _GIVE_UP_AFTER,
        )
        if taken:
            _send_soon(delivery.pk)
    return bool(taken)


def send_test(channel: Channel) -> Delivery:
    """Sends a test at once, tried once only, and returns how that ended. Takes seconds."""
    moment = now()
    delivery = Delivery.objects.create(channel=channel, due_at=moment, give_up_at=moment)
    sending.attempt(delivery.pk)
    delivery.refresh_from_db()
    return delivery


def _send_soon(pk: int) -> None:
    """Robust: what does not get into the queue is found by the clock."""
    transaction.on_commit(partial(worker.send, pk), robust=True)
