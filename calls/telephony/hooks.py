"""Hooks: verify, store the message as it came, answer, and read it.

A message is stored before it is read, so that nothing that goes wrong in the reading loses it: the
worker reads it again.
"""

import datetime as dt
import logging

from django.db import Error, IntegrityError, transaction
from django.db.models import F, Q
from django.utils.crypto import salted_hmac

from calls.models import ProviderAccount, ProviderIdentity, RawEvent
from calls.providers import adapters
from calls.providers.base import (
    Adapter,
    Forged,
    HookRequest,
    Payload,
    ProviderEvent,
    Reply,
    Unknown,
    Unreadable,
)
from calls.telephony import intake
from common.databases.faults import is_fault
from common.instants import isoformat, now, to_ms

logger = logging.getLogger(__name__)

# How closely `last_heard_at` follows: a write a message would make all of them wait for one row.
_HEARD_STEP = dt.timedelta(seconds=10)
# What could not be recorded is tried again after the first and until the second.
_RETRY_AFTER, _RETRY_UNTIL = dt.timedelta(seconds=30), dt.timedelta(days=3)


def adapter_of(account: ProviderAccount) -> Adapter:
    """The adapter of `account`, with its settings and secrets. KeyError for a kind that is gone."""
    adapter = adapters()[account.kind]
    return adapter(
        account.name,
        account.settings,
        account.secrets,
        account.region,
        knows=lambda name: ProviderIdentity.agent_of(account, [name]) is not None,
    )


def nobody(kind: str, name: str) -> ProviderAccount:
    """Stands for an account that there is not, so that its name costs and answers the same."""
    return ProviderAccount(pk=0, kind=kind, name=name)


def _believing(account: ProviderAccount) -> Adapter:
    """The adapter of `account`. One without a secret gets one that nobody knows, always the same:
    what a provider asks before it signs anything is answered, too."""
    adapter = adapter_of(account)
    if not adapter.secret_values():
        secret = salted_hmac("hooks.nobody", f"{account.kind} {account.name}").hexdigest()
        adapter.secrets = {**adapter.secrets, adapter.secret_names[0]: [secret]}
    return adapter


def receive(account: ProviderAccount, request: HookRequest) -> Reply:
    """Takes a request to the hook of `account`. Forged leaves no trace but a counter."""
    adapter = _believing(account)
    try:
        challenge = adapter.challenge(request)
        if challenge is not None:
            return challenge
        adapter.verify(request)
    except Forged:
        _count_forged(account)
        raise
    raw = _store(account, adapter.kept(request))
    if raw is not None:
        read(raw, adapter)
    return adapter.answer(request)


def _count_forged(account: ProviderAccount) -> None:
    """Where it cannot be counted the answer is the same: an account that there is not needs no
    count, and another answer would tell the two apart. Waits in line with all who write."""
    try:
        with transaction.atomic():
            ProviderAccount.objects.filter(pk=account.pk).update(rejected=F("rejected") + 1)
    except Error as error:
        if not is_fault(error):
            raise
        logger.warning("A refused message of %s was not counted: %s", account.name, error)


def heard(account: ProviderAccount, state: str | None = None) -> None:
    """Notes that `account` spoke just now, and ends a silence alarm."""
    present = now()
    latest = present - _HEARD_STEP
    news = {} if state is None or state == account.state else {"state": state[:200]}
    if not news and account.last_heard_at is not None and account.last_heard_at >= latest:
        return
    account.state = state if state is not None else account.state
    accounts = ProviderAccount.objects.filter(pk=account.pk)
    if not news:
        late = Q(last_heard_at__isnull=True) | Q(last_heard_at__lt=latest)
        accounts = accounts.filter(late)
    accounts.update(last_heard_at=present, silent_since=None, **news)
    account.last_heard_at = present


def _store(account: ProviderAccount, payload: Payload) -> RawEvent | None:
    """The stored message; None for one that had come before, which is counted."""
    raw = RawEvent(
        account=account,
        digest=RawEvent.digest_of(payload.query, payload.body),
        received_at=now(),
        content_type=payload.content_type[:100],
        query=payload.query,
        body=payload.body,
    )
    try:
        with transaction.atomic():
            raw.save(force_insert=True)
            heard(account)
    except IntegrityError:
        with transaction.atomic():
            earlier = RawEvent.objects.filter(account=account, digest=raw.digest)
            if not earlier.update(times=F("times") + 1):
                raise
            heard(account)
        return None
    return raw


def read(raw: RawEvent, adapter: Adapter | None = None) -> str:
    """Reads a stored message and records what it tells; its outcome, which is kept with it."""
    events, raw.outcome, raw.note = _events_of(raw, adapter)
    try:
        intake.record(
            raw.account,
            events,
            received=raw.received_at,
            payload_hash=raw.digest,
            with_last=raw.keep_outcome,
        )
    except Exception as error:
        logger.exception("A message of %s could not be recorded", raw.account.name)
        raw.outcome, raw.note = RawEvent.FAILED, f"{type(error).__name__}: {error}"[:300]
        raw.keep_outcome()
    return raw.outcome


def _events_of(
    raw: RawEvent, adapter: Adapter | None
) -> tuple[tuple[ProviderEvent, ...], str, str]:
    body = bytes(raw.body)
    payload = Payload(body, to_ms(raw.received_at), raw.content_type, raw.query)
    try:
        events = (adapter or adapter_of(raw.account)).parse(payload)
    except Unknown as error:
        return error.events, RawEvent.UNKNOWN, str(error)[:300]
    except Unreadable as error:
        return (), RawEvent.UNREADABLE, str(error)[:300]
    except Exception as error:
        logger.exception("A message of %s could not be read", raw.account.name)
        return (), RawEvent.FAILED, f"{type(error).__name__}: {error}"[:300]
    return tuple(events), RawEvent.TAKEN if events else RawEvent.IGNORED, ""


def read_again() -> int:
    """Reads what was stored and could not be recorded; how many messages now are."""
    present = now()
    waiting = RawEvent.objects.filter(outcome__in=(RawEvent.PENDING, RawEvent.FAILED)).filter(
        received_at__lt=present - _RETRY_AFTER, received_at__gt=present - _RETRY_UNTIL
    )
    done = 0
    for raw in waiting.select_related("account").order_by("received_at", "pk")[:500]:
        done += read(raw) not in (RawEvent.PENDING, RawEvent.FAILED)
    return done


def watch_silence() -> list[ProviderAccount]:
    """The accounts that used to speak and have just fallen silent; each is named once."""
    silent = []
    accounts = ProviderAccount.objects.filter(
        is_active=True, silence_minutes__gt=0, last_heard_at__isnull=False, silent_since=None
    )
    for account in accounts:
        assert account.last_heard_at is not None and account.silence_minutes is not None
        if now() - account.last_heard_at > dt.timedelta(minutes=account.silence_minutes):
            account.silent_since = account.last_heard_at
            account.save(update_fields=["silent_since"])
            logger.warning(
                "silence account=%s kind=%s since=%s minutes=%d",
                *(account.name, account.kind, isoformat(account.silent_since)),
                account.silence_minutes,
            )
            silent.append(account)
    return silent
