"""What is to be sent to whom, in which order, and what became of it.

Events of one call reach an endpoint in their order: one that fails holds back the later ones of its
call, and no others. Who sends claims a delivery first, for longer than sending can take; a claim of
a process that has died runs out, and the delivery is sent again under the same `webhook-id`.
"""

import datetime as dt
import random
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from common.instants import now
from notifications.models import FeedEntry, SendState, WebhookDelivery, WebhookEndpoint
from notifications.webhooks import endpoints

CLAIM: Final = dt.timedelta(seconds=60)
# An event is tried for so long; an endpoint that never takes any is switched off after OFF_AFTER.
TRIED_FOR: Final = dt.timedelta(days=1)
OFF_AFTER: Final = dt.timedelta(days=3)
LOG_KEPT: Final = dt.timedelta(days=30)
_BATCH: Final = 500
_MOST_WAITING: Final = 10_000  # of an endpoint; what comes behind them waits in the feed
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 3 * 3600.0  # seconds
_SHORTEST_REST, _LONGEST_REST = dt.timedelta(seconds=5), dt.timedelta(minutes=15)
_GONE: Final = 410


def fan_out(endpoint: WebhookEndpoint) -> None:
    """Makes deliveries of the next entries of the feed that the endpoint wants."""
    with transaction.atomic():
        endpoint = endpoints.locked(endpoint.pk)
        if endpoint.deliveries.filter(state=SendState.WAITING).count() >= _MOST_WAITING:
            return
        entries: list[tuple[Any, ...]] = list(
            FeedEntry.objects.filter(number__gt=endpoint.cursor)
            .order_by("number")
            .values_list("number", "kind", "event__call_id", "alert", "alert__call_id")[:_BATCH]
        )
        if not entries:
            return
        at = now()
        WebhookDelivery.objects.bulk_create(
            (
                WebhookDelivery(
                    endpoint=endpoint,
                    entry_id=number,
                    kind=kind,
                    call_key=call or its_call,
                    queued_at=at,
                    due_at=at,
                )
                for number, kind, call, alert, its_call in entries
                if (not endpoint.kinds or kind in endpoint.kinds) and (call or alert)
            ),
            ignore_conflicts=True,  # what is sent again is there already
        )
        endpoint.cursor = entries[-1][0]
        endpoint.save(update_fields=["cursor"])


def due(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """What may be sent now."""
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint, state=SendState.WAITING)
    earlier = waiting.filter(call_key=OuterRef("call_key"), entry__lt=OuterRef("entry"))
    free = Q(claimed_until=None) | Q(claimed_until__lte=now())
    return waiting.filter(free, ~Exists(earlier), due_at__lte=now()).order_by("entry")


def claim(endpoint: WebhookEndpoint) -> WebhookDelivery | None:
    """The next delivery, for whoever asks alone; None if there is none."""
    if not due(endpoint).exists():
        return None
    with transaction.atomic():
        found = due(endpoint).select_for_update(skip_locked=True, of=("self",)).first()
        if found is not None:
            found.claimed_until = now() + CLAIM
            found.save(update_fields=["claimed_until"])
        return found


def delivered(delivery: WebhookDelivery, status: int) -> None:
    """Noted that the endpoint has taken it; what was wrong with the endpoint is over."""
    _note(delivery, SendState.SENT, status, "")
    failing = WebhookEndpoint.objects.filter(pk=delivery.endpoint_id, failing_since__isnull=False)
    failing.update(failing_since=None, resting_until=None)


def nothing_to_send(delivery: WebhookDelivery) -> None:
    """Noted that what it was about has been deleted."""
    _note(delivery, SendState.GONE, None, "")


def failed(
    delivery: WebhookDelivery,
    status: int | None,
    error: str = "",
    *,
    wait: float | None = None,
) -> None:
    """Noted that the endpoint answered with `status`, or not at all (None; `error` says why).

    `wait`: seconds that the endpoint asks to be left alone. Who does not answer is left alone, too.
    """
    with transaction.atomic():
        try:
            endpoint = endpoints.locked(delivery.endpoint_id)
        except WebhookEndpoint.DoesNotExist:  # deleted meanwhile, and its deliveries with it
            return
        at = now()
        endpoint.failing_since = endpoint.failing_since or at
        if wait:
            pause = dt.timedelta(seconds=wait)
        elif status is None:
            pause = _rest(at - endpoint.failing_since)
        else:
            pause = dt.timedelta(seconds=_pause_after(delivery.attempts))
        if wait or status is None:
            endpoint.resting_until = at + pause
        is_late = at - delivery.queued_at >= TRIED_FOR and status != _GONE
        delivery.due_at = at + pause
        if not wait:  # the last attempt is when the day is over
            delivery.due_at = max(at, min(delivery.due_at, delivery.queued_at + TRIED_FOR))
        _note(delivery, SendState.FAILED if is_late else SendState.WAITING, status, error)
        endpoint.save(update_fields=["failing_since", "resting_until"])
        if status == _GONE:
            reason = _("It answered 410: gone for good.")
            endpoints.switch_off_by_itself(endpoint, reason)
        elif endpoint.enabled and at - endpoint.failing_since >= OFF_AFTER:
            days = {"days": OFF_AFTER.days, "error": error or f"HTTP {status}"}
            reason = _("It has taken nothing for %(days)d days: %(error)s") % days
            endpoints.switch_off_by_itself(endpoint, reason[:300])


def _pause_after(attempts: int) -> float:
    """Seconds until the next attempt, after `attempts` that failed before the present one."""
    pause: float = min(_FIRST_PAUSE * 4 ** min(attempts, 20), _LONGEST_PAUSE)
    return pause * random.uniform(0.8, 1.2)


def _rest(failing: dt.timedelta) -> dt.timedelta:
    """How long an endpoint is left alone that has not answered for the time `failing`."""
    return min(max(failing / 4, _SHORTEST_REST), _LONGEST_REST) * random.uniform(0.8, 1.2)


def _note(delivery: WebhookDelivery, state: SendState, status: int | None, error: str) -> None:
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        state=state,
        status_code=status,
        error=error[:300],
        attempts=delivery.attempts + 1,
        tried_at=now(),
        due_at=delivery.due_at,
        claimed_until=None,
    )


def log_test(endpoint: WebhookEndpoint, status: int | None, error: str) -> WebhookDelivery:
    """A test that somebody sent, for the log."""
    at = now()
    return WebhookDelivery.objects.create(
        endpoint=endpoint,
        state=SendState.SENT if status is not None and not error else SendState.FAILED,
        attempts=1,
        queued_at=at,
        due_at=at,
        tried_at=at,
        status_code=status,
        error=error[:300],
    )


def drop_old() -> None:
    """The log is kept for a month."""
    over = WebhookDelivery.objects.exclude(state=SendState.WAITING)
    over.filter(queued_at__lt=now() - LOG_KEPT).delete()
