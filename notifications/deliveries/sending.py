"""How a delivery is sent: at least once, and by one worker at a time.

A worker takes a delivery by moving its time to when the attempt would count as lost, in one
statement, so no two take it. What a worker leaves behind that dies is taken again at that time. If
it died between sending and writing that down, the message comes twice: the same Message-ID (mail)
or Idempotency-Key (webhook) tells receivers that know one; chat services know none.
"""

import datetime as dt
import logging
import random
import traceback
from typing import Final

from django.db.models import F
from django.utils.translation import gettext_noop

from common.encryption import Sealed
from common.instants import cut, now
from common.outgoing_http import AddressRefused, Fault
from notifications.channels.base import Refused, TryAgain
from notifications.channels.kinds import KINDS
from notifications.deliveries.messages import message_of
from notifications.models import Channel, Delivery
from notifications.models.deliveries import DeliveryState

logger = logging.getLogger(__name__)

LOST_AFTER: Final = dt.timedelta(minutes=3)  # longer than any attempt takes
FIRST_WAIT: Final = dt.timedelta(seconds=30)
LONGEST_WAIT: Final = dt.timedelta(hours=1)
KEPT_FOR: Final = dt.timedelta(days=30)


def due() -> list[int]:
    """The deliveries whose time has come, the oldest first; a thousand at most."""
    waiting = Delivery.objects.filter(state=DeliveryState.WAITING, due_at__lte=now())
    return list(waiting.order_by("due_at").values_list("pk", flat=True)[:1000])


def attempt(pk: int) -> dt.timedelta | None:
    """Sends a delivery if its time has come and nobody else does. Returns how long to wait before
    the next attempt, where there is to be one."""
    delivery = _taken(pk)
    if delivery is None:
        return None
    try:
        _send(delivery)
    except (Refused, AddressRefused) as fault:
        _give_up(delivery, fault)
        return None
    except Fault as fault:
        return _put_off(delivery, fault)
    except Exception as error:
        # What nobody foresaw; without its text, which may hold what opens the channel.
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.error("Delivery %d failed: %s\n%s", pk, type(error).__name__, where)
        return _put_off(delivery, Fault(gettext_noop("Something here failed while sending.")))
    _note(delivery, state=DeliveryState.SENT, sent_at=now(), fault={})
    return None


def wait_after(attempts: int) -> dt.timedelta:
    """Twice as long after each attempt, up to an hour, and by chance up to a quarter more, so that
    what failed together does not come back together."""
    doubled: dt.timedelta = FIRST_WAIT * 2 ** min(attempts - 1, 16)
    jitter = 1 + random.random() / 4
    return dt.timedelta(seconds=min(doubled, LONGEST_WAIT).total_seconds() * jitter)


def tidy() -> None:
    """Removes deliveries that ended long ago."""
    ended = Delivery.objects.exclude(state=DeliveryState.WAITING)
    ended.filter(due_at__lt=now() - KEPT_FOR).delete()


def _taken(pk: int) -> Delivery | None:
    moment = now()
    mine = Delivery.objects.filter(pk=pk, state=DeliveryState.WAITING, due_at__lte=moment).update(
        due_at=moment + LOST_AFTER, attempts=F("attempts") + 1
    )
    if not mine:
        return None
    related = ("channel__owner", "alert__call", "alert__agent", "alert__team")
    return Delivery.objects.select_related(*related).get(pk=pk)


def _send(delivery: Delivery) -> None:
    channel = delivery.channel
    _require_use(channel, is_test=delivery.alert is None)
    try:
        secrets = channel.secrets
    except Sealed as error:
        raise Refused(
            gettext_noop(
                "What opens this channel was encrypted with another key"
                " (FIELD_ENCRYPTION_KEY). Enter it again."
            )
        ) from error
    KINDS[channel.kind].send(secrets, message_of(delivery))


def _require_use(channel: Channel, *, is_test: bool) -> None:
    if not channel.enabled and not is_test:
        raise Refused(gettext_noop("The channel is switched off."))
    if channel.owner is not None and not channel.owner.is_active:
        raise Refused(gettext_noop("The person of this channel is no longer active."))


def _give_up(delivery: Delivery, fault: Fault) -> None:
    _note(delivery, state=DeliveryState.DEAD, fault=_stored(fault), due_at=now())


def _put_off(delivery: Delivery, fault: Fault) -> dt.timedelta | None:
    asked = fault.after if isinstance(fault, TryAgain) else None
    wait = max(wait_after(delivery.attempts), asked or dt.timedelta())
    due_at = cut(now() + wait)
    if due_at >= delivery.give_up_at:
        _give_up(delivery, fault)
        return None
    _note(delivery, fault=_stored(fault), due_at=due_at)
    return wait


def _stored(fault: Fault) -> dict[str, object]:
    return {"message": fault.message, "values": dict(fault.values)}


def _note(delivery: Delivery, **changes: object) -> None:
    """Unless the attempt took so long that another one was begun since."""
    this_attempt = Delivery.objects.filter(
        pk=delivery.pk, state=DeliveryState.WAITING, attempts=delivery.attempts
    )
    this_attempt.update(**changes)
