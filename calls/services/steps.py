"""What is done during a call: answer, hold, pause, and the signs that it goes on."""

import uuid
from collections.abc import Mapping
from dataclasses import replace

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from calls import timeline
from calls.errors import BadCallData, CallConflict
from calls.models import CallLog
from calls.models.dial_links import IN_PAGE
from calls.services.recording import Change, ReportedTime, fact, lock_own
from common.instants import from_ms, now

# What an agent may say during a call: action -> kind of event.
STEPS: Mapping[str, str] = {
    "answer": timeline.ANSWERED,
    "hold": timeline.HELD,
    "resume": timeline.RESUMED,
    "pause": timeline.PAUSED,
    "unpause": timeline.UNPAUSED,
}
_PAIRS = ((timeline.HELD, timeline.RESUMED), (timeline.PAUSED, timeline.UNPAUSED))


def step(
    call_id: uuid.UUID, user: User, action: str, *, reported: ReportedTime | None = None
) -> CallLog:
    """Records that `user` did `action` (a key of STEPS) in their own call.

    Saying what is already so adds nothing. CallConflict once the call has ended; but what is
    reported late of a call that only the watchdog has ended counts, for the person's end is still
    to come.
    """
    reported = reported or ReportedTime(now())
    kind = STEPS[action]
    with transaction.atomic():
        call = lock_own(call_id, user)
        if call.end_time is None and not reported.explicit and _says_nothing(call, kind):
            return call
        change = Change(call)
        said = fact(kind, reported)
        if call.end_time is not None:
            if change.knows(said.key):
                return call
            if not (reported.explicit and call.ended_by == timeline.WATCHDOG):
                raise CallConflict(_("This call has ended."))
        if not reported.explicit:
            change.say(fact(kind, _in_course(reported, change, kind)), actor=user)
        elif reported.at < call.start_time:
            raise BadCallData(_("This is before the start of the call."), "occurred_at")
        else:
            change.add([said], actor=user)
        change.save()
    return call


def _in_course(reported: ReportedTime, change: Change, kind: str) -> ReportedTime:
    """What is done just now is after the start and what it follows, even if the clock was set back
    since: else a hold would end before it began, and so never."""
    follows = next((pair for pair in _PAIRS if kind in pair), ())
    earlier = [from_ms(said.at) for said in change.ledger if said.kind in follows]
    return replace(reported, at=max(reported.at, change.call.start_time, *earlier))


def _says_nothing(call: CallLog, kind: str) -> bool:
    return {
        timeline.ANSWERED: call.answered_time is not None,
        timeline.HELD: call.held_since is not None,
        timeline.RESUMED: call.held_since is None,
        timeline.PAUSED: call.paused_since is not None,
        timeline.UNPAUSED: call.paused_since is None,
    }[kind]


def heartbeat(call_id: uuid.UUID, user: User) -> CallLog:
    """Notes that the call is known to be alive now. CallConflict once it has ended."""
    with transaction.atomic():
        call = lock_own(call_id, user)
        if call.end_time is not None:
            raise CallConflict(_("This call has ended."))
        call.last_seen_at = now()
        call.save(update_fields=["last_seen_at"])
    return call


def heartbeat_all(user: User) -> None:
    """The person's page is open: all own running calls are alive, but for those of the phone in the
    page, whose window says so itself and may die while others stay open."""
    calls = CallLog.objects.filter(user=user).active()
    calls.exclude(account__kind=IN_PAGE).update(last_seen_at=now())
