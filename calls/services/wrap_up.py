"""After a call: what came of it, and the work until its person is ready.

Both are lines in the call's ledger, written by the same rules as in calls.services, which uses this
file where an end or a start says something of it.
"""

import datetime as dt
import uuid
from dataclasses import replace
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import gettext as _

from accounts.models import User
from calls import timeline
from calls.errors import BadCallData, CallConflict, CallNotFound
from calls.models import CallLog, Disposition
from calls.services.recording import (
    AGENT,
    Change,
    ReportedTime,
    add_facts,
    add_word,
    fact,
    lock,
    lock_again,
    voice_of,
)
from common.databases.prepared_sql import A_NUMBER, AN_INSTANT, Prepared
from common.instants import now, to_ms


def set_disposition(call: CallLog, actor: User, code: str, source: str = "") -> CallLog:
    """Says what came of the call; "" takes it back. What was said before stays in the ledger.

    BadCallData for an outcome that the call's person does not have.
    """
    if code:
        check_disposition(code, call.user or actor)
    with transaction.atomic():
        call = lock_again(call)
        if call.disposition == code:
            return call
        reported = ReportedTime(now(), source=source or voice_of(actor, call))
        add_word(call, outcome(code, reported), actor=actor)
    return call


def check_disposition(code: str, user: User) -> None:
    if not Disposition.objects.known_to(user).filter(code=code).exists():
        known = Disposition.objects.offered_to(user).values_list("code", flat=True)
        raise BadCallData(
            _("Unknown outcome. Use one of: %(known)s.") % {"known": ", ".join(known) or "—"},
            "disposition",
        )


def outcome(code: str, reported: ReportedTime) -> timeline.Event:
    key = f"disposition:{reported.name or to_ms(reported.at)}"
    return fact(timeline.NOTED, reported, key=key, data={"disposition": code})


def ready(call_id: uuid.UUID, user: User, *, reported: ReportedTime | None = None) -> CallLog:
    """`user` is done with what followed their own call. Again, or without any, changes nothing.

    CallConflict while the call runs.
    """
    reported = reported or ReportedTime(now())
    known = CallLog.objects.filter(user=user).known_as(call_id)
    if known is None:
        raise CallNotFound(_("There is no such call among yours."))
    with transaction.atomic():
        call = lock(pk=known.pk)
        call.user = user
        if call.end_time is None:
            raise CallConflict(_("This call is still running; end it first."))
        if call.wrap_up_since is not None or reported.offline:
            _leave(call, reported, actor=user)
    return call


def wrap_up_begun(call: CallLog, reported: ReportedTime) -> list[timeline.Event]:
    """The line that says that the work after `call` begins; none where it cannot.

    It does not where it is switched off, long over, or while another call goes on.
    """
    cap = dt.timedelta(seconds=settings.WRAP_UP_CAP_SECONDS)
    if now() - reported.at >= cap:
        return []
    if CallLog.objects.filter(user=call.user_id).active().exclude(pk=call.pk).exists():
        return []
    return [_word(timeline.WRAP_UP_STARTED, reported)]


def begin_after_click(change: Change) -> None:
    """A phone system ends the call. Work follows if it began with a click here: whoever does not
    use the desk will not say there when it is done."""
    call = change.call
    clicked = any(e.kind == timeline.STARTED and e.source == AGENT for e in change.ledger)
    if change.ends and clicked:
        assert call.end_time is not None
        change.add(wrap_up_begun(call, ReportedTime(call.end_time, source=call.ended_by)))


def _word(word: str, reported: ReportedTime) -> timeline.Event:
    # Several may say that it is over; each says it once, and the fold takes the earliest.
    by = f":{reported.source}" if word == timeline.WRAP_UP_ENDED else ""
    return fact(timeline.NOTED, reported, key=f"wrap_up:{word}{by}", data={"wrap_up": word})


def _leave(call: CallLog, reported: ReportedTime, *, actor: User | None) -> None:
    """Ends the locked call's wrap-up, at the cap if that was before."""
    begun = call.wrap_up_since or call.end_time
    assert begun is not None
    latest = begun + dt.timedelta(seconds=settings.WRAP_UP_CAP_SECONDS)
    reported = replace(reported, at=max(begun, min(reported.at, latest)))
    add_facts(call, [_word(timeline.WRAP_UP_ENDED, reported)], actor=actor)


def leave_wrap_ups(user: User, begun: ReportedTime) -> None:
    """`user` has begun another call. One that is said to have begun before ends no work after it;
    one that begins now does, whatever the clock said when the work began."""
    until = begun.at if begun.explicit else _ANY_TIME
    for (pk,) in _WRAPPING_UP.rows(user.pk, until):
        call = lock(pk=pk)
        call.user = user
        if call.wrap_up_since is not None:
            _leave(call, ReportedTime(begun.at, begun.offline), actor=user)


_ANY_TIME: Final = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
_WRAPPING_UP = Prepared(
    lambda: (
        CallLog.objects.filter(user=A_NUMBER, wrap_up_since__lte=AN_INSTANT)
        .order_by("pk")
        .values_list("pk")
    ),
    A_NUMBER,
    AN_INSTANT,
)


def close_wrap_ups() -> int:
    """Ends what lasts longer than WRAP_UP_CAP_SECONDS, at the cap; how many.

    And where another call of the person goes on, at its start: an end and a start at the same
    moment each look for the other's call, and may miss it.
    """
    present = now()
    latest = present - dt.timedelta(seconds=settings.WRAP_UP_CAP_SECONDS)
    others = CallLog.objects.active().filter(user=OuterRef("user")).order_by("start_time")
    rows = CallLog.objects.wrapping_up().annotate(other=Subquery(others.values("start_time")[:1]))
    rows = rows.filter(Q(wrap_up_since__lte=latest) | Q(other__isnull=False)).order_by("pk")
    closed = 0
    for pk, other in list(rows.values_list("pk", "other")):
        with transaction.atomic():
            call = lock(pk=pk)
            if call.wrap_up_since is not None:
                over = ReportedTime(other or present, source=timeline.WATCHDOG)
                _leave(call, over, actor=None)
                closed += 1
    return closed
