"""An agent disputes what is recorded of a call of theirs; a supervisor decides.

Both sentences are lines of the call's ledger, under the key `said`, which can be blanked like every
free text (calls/services/forgetting.py). They change no time: what an upheld dispute changes is a
correction like any other.
"""

import datetime as dt
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from calls import signals, timeline
from calls.errors import BadCallData, CallConflict, CallNotFound
from calls.models import CallDispute, CallLog
from calls.services.corrections import correct_call
from calls.services.recording import ReportedTime, add_word, fact, lock_again, voice_of
from common.instants import now

MOST_LETTERS: Final = 500


def dispute(call: CallLog, actor: User, said: str, source: str = "") -> CallDispute:
    """`actor` disputes an ended call of their own, with a sentence.

    Raises BadCallData, CallNotFound for a call of somebody else's, or CallConflict while the call
    runs or another dispute of it is open.
    """
    said = _checked(said)
    with transaction.atomic():
        call = lock_again(call)
        if call.user_id != actor.pk:
            raise CallNotFound(_("There is no such call among yours."))
        if call.end_time is None:
            raise CallConflict(_("This call is still running; end it first."))
        if call.disputes.open().exists():
            raise CallConflict(_("This call is disputed already; wait until that is decided."))
        opened = CallDispute.objects.create(call=call, opened_by=actor, opened_at=now())
        _say(opened, actor, said, source or voice_of(actor, call))
        signals.dispute_opened.send(CallDispute, dispute=opened)
    return opened


def decide(
    disputed: CallDispute,
    actor: User,
    *,
    upheld: bool,
    said: str,
    **corrections: dt.datetime | str | None,
) -> CallDispute:
    """Upholds or rejects the open dispute, with a sentence; `corrections` are those of correct_call
    that an upheld one leads to, in the same step.

    Raises BadCallData, or CallConflict where somebody has decided before; then nothing is changed.
    """
    said = _checked(said)
    with transaction.atomic():
        call = lock_again(disputed.call)
        disputed = CallDispute.objects.select_for_update(of=("self",)).get(pk=disputed.pk)
        if not disputed.is_open:
            raise CallConflict(_already_decided(disputed))
        if upheld and corrections:
            correct_call(call, actor, reason=said, **corrections)  # type: ignore[arg-type]
        disputed.call = call
        disputed.state = CallDispute.UPHELD if upheld else CallDispute.REJECTED
        disputed.decided_by, disputed.decided_at = actor, now()
        disputed.save(update_fields=["state", "decided_by", "decided_at"])
        _say(disputed, actor, said, voice_of(actor, call))
        signals.dispute_decided.send(CallDispute, dispute=disputed)
    return disputed


def _checked(said: str) -> str:
    said = " ".join(said.split())
    if not said:
        raise BadCallData(_("Say why, in a sentence."), "reason")
    if len(said) > MOST_LETTERS:
        raise BadCallData(
            _("Say it in %(most)d letters at most.") % {"most": MOST_LETTERS}, "reason"
        )
    return said


def _already_decided(disputed: CallDispute) -> str:
    who = disputed.decided_by.display_name if disputed.decided_by else ""
    if disputed.state == CallDispute.UPHELD:
        return _("%(who)s has upheld this dispute before you.") % {"who": who}
    return _("%(who)s has rejected this dispute before you.") % {"who": who}


def _say(disputed: CallDispute, actor: User, said: str, source: str) -> None:
    """The sentence, as a line of the ledger that the fold passes over."""
    key = f"dispute:{disputed.pk}:{disputed.state}"
    data = {"dispute": {"number": disputed.pk, "state": disputed.state}, "said": said}
    reported = ReportedTime(now(), source=source)
    add_word(disputed.call, fact(timeline.NOTED, reported, key=key, data=data), actor=actor)
