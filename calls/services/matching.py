"""A click and the phone system's events for it are one call: who belongs to whom.

Matched by agent, number and time, whichever came first; of several the nearest in time. See
docs/architecture.md.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from django.db import connection
from django.db.models import Exists, OuterRef

from accounts.models import User
from calls import timeline
from calls.models import CallEvent, CallLog
from common.databases.prepared_sql import A_NUMBER, AN_INSTANT, ANOTHER_INSTANT, Prepared
from common.phones import digits_of, national_digits

# A phone system starts a call this long before or after the click that asked for it.
BEFORE_CLICK: Final = dt.timedelta(seconds=15)
AFTER_CLICK: Final = dt.timedelta(seconds=120)
_A_THIRD_INSTANT: Final = ANOTHER_INSTANT + dt.timedelta(seconds=1)
_SAME_DIGITS = 7  # of two spellings of a number, one of which we cannot read


def same_number(one: str, other: str) -> bool:
    """Whether two numbers are one: lines alike or, where one of them is only text that we cannot
    read, one the end of the other but for a prefix."""
    return one == other or _ends_with(one, other) or _ends_with(other, one)


def _ends_with(long: str, short: str) -> bool:
    """Whether `long` ends with all of `short`, or as text with what `short` is in its country."""
    ends = {digits_of(short), "" if long.startswith("+") else national_digits(short)}
    return any(len(end) >= _SAME_DIGITS and digits_of(long).endswith(end) for end in ends)


def wait_for_turn(user: User) -> None:
    """Two transactions that each look for the other's call of `user` would both see none."""
    if connection.features.has_select_for_update:  # SQLite: the transaction itself is the lock
        _TURN.rows(user.pk)


_TURN = Prepared(
    lambda: (
        User.objects.select_for_update(no_key=True).filter(pk=A_NUMBER).order_by().values_list("pk")
    ),
    A_NUMBER,
)


def _clicks() -> Exists:
    """Whether somebody clicked: a provider's start has a key of its own."""
    return Exists(CallEvent.objects.filter(call=OuterRef("pk"), key=timeline.STARTED))


def heard_call(user: User, line: str, clicked: dt.datetime) -> CallLog | None:
    """The provider's call that a click of `user` on a number of `line` asked for; None if none."""
    calls = _HEARD.found(user.pk, clicked - BEFORE_CLICK, clicked + AFTER_CLICK)
    return _nearest(calls, line, clicked)


_HEARD = Prepared(
    lambda: (
        CallLog.objects.filter(user=A_NUMBER, account__isnull=False)
        .started_between(AN_INSTANT, ANOTHER_INSTANT)
        .exclude(direction="inbound")
        .exclude(_clicks())
        .order_by()
    ),
    A_NUMBER,
    AN_INSTANT,
    ANOTHER_INSTANT,
)


def clicked_call(user: User, number: str, heard: dt.datetime) -> CallLog | None:
    """The clicked call that a provider's call of `user` to `number` (its line; the text that was
    told where it has none) is; None if none.

    A click that had ended well before the phone rang asked for something else.
    """
    if not number:
        return None
    earliest, latest = heard - AFTER_CLICK, heard + BEFORE_CLICK
    calls = _CLICKED.found(user.pk, earliest, latest, heard - BEFORE_CLICK)
    return _nearest(calls, number, heard)


_CLICKED = Prepared(
    lambda: (
        CallLog.objects.filter(user=A_NUMBER, account__isnull=True)
        .filter(_clicks())
        .started_between(AN_INSTANT, ANOTHER_INSTANT)
        .exclude(end_time__lt=_A_THIRD_INSTANT)
        .order_by()
    ),
    A_NUMBER,
    AN_INSTANT,
    ANOTHER_INSTANT,
    _A_THIRD_INSTANT,
)


def _nearest(calls: Iterable[CallLog], number: str, at: dt.datetime) -> CallLog | None:
    """Of those to `number` the nearest to `at` in time, and of two as near the earlier."""
    near = [
        (abs(call.start_time - at), call.start_time, call.pk, call)
        for call in calls
        if same_number(call.phone_line or call.contact_phone, number)
    ]
    return min(near)[-1] if near else None
