"""The watch over stale calls: whoever can tell is asked, and what nobody tells of is closed.

Each question has its time, and all of them together have theirs: a phone system that does not
answer delays no other call. What is answered goes through the one intake.
"""

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable
from queue import Empty, Queue
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q

from calls import services
from calls.models import CallLog, CallQuerySet
from calls.providers.base import Gone, ProviderEvent
from calls.telephony import intake
from calls.telephony.hooks import adapter_of
from common.instants import now

logger = logging.getLogger(__name__)

ASK_SECONDS: Final = 5.0  # for one question
ALL_SECONDS: Final = 30.0  # for all questions of one round; the others wait for the next

Answer = list[ProviderEvent] | None


def ask_and_close() -> int:
    """Closes the calls that show no sign of life; how many. See services.close_stale_calls.

    Those that only people tell of are closed first; then phone systems are asked about theirs.
    """
    calls = CallLog.objects.all()
    closed = services.close_stale_calls(calls.clicked())
    answers = about_stale(calls.active())
    return closed + services.close_stale_calls(calls.linked(), answers)


def about_stale(running: CallQuerySet) -> dict[int, str]:
    """Asks about the stale calls among `running`, the longest silent first.

    By the call's key: services.GOES_ON, GONE, or "" from who cannot tell. A call that has ended is
    recorded as such, and one that goes on is noted to be alive.
    """
    until = time.monotonic() + ALL_SECONDS
    answers = {}
    for call in _stale(running):
        if time.monotonic() > until:
            break
        if cache.add(f"asked:{call.pk}", True, settings.STALE_CALL_SECONDS):
            answers[call.pk] = _ask(call)
    return answers


def _stale(running: CallQuerySet) -> list[CallLog]:
    present = now()
    heard_before = present - dt.timedelta(seconds=settings.STALE_CALL_SECONDS)
    began_before = present - dt.timedelta(seconds=settings.MAX_CALL_SECONDS)
    silent = Q(last_seen_at__lt=heard_before) | Q(start_time__lt=began_before)
    calls = running.linked().filter(silent, account__is_active=True)
    return list(calls.select_related("account").order_by("last_seen_at")[:500])


def _ask(call: CallLog) -> str:
    assert call.account is not None
    try:
        adapter = adapter_of(call.account)
        events = within(ASK_SECONDS, lambda: adapter.ask(call.provider_call_id))
        if events is None:
            return ""
        intake.record(call.account, events, received=now())
    except Gone:
        return services.GONE
    except TimeoutError:
        logger.warning("account=%s call=%s: no answer", call.account.name, call.provider_call_id)
        return ""
    except Exception:
        logger.exception("account=%s: could not be asked about a call", call.account.name)
        return ""
    intake.alive([call])
    return services.GOES_ON


def within(seconds: float, ask: Callable[[], Answer]) -> Answer:
    """What `ask` returns or raises; TimeoutError if it takes longer than `seconds`.

    It is left to itself then, in a thread that keeps no process from ending.
    """
    answers: Queue[Answer | BaseException] = Queue()

    def work() -> None:
        try:
            answers.put(ask())
        except BaseException as error:
            answers.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if isinstance(answer, BaseException):
        raise answer
    return answer
