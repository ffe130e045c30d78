"""Calls of phone systems whose agent nobody knew are given to one, by a person or an identity."""

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext as _

from accounts.models import User
from calls import timeline
from calls.errors import CallConflict
from calls.models import CallEvent, CallLog, CallQuerySet, ProviderAccount
from calls.models.provider import compared_names
from calls.services.conversations import mark_shared
from calls.services.recording import ADMIN, ReportedTime, fact, lock_again
from calls.telephony.clicks import given_to
from calls.telephony.intake import REPORTED_FIELDS
from common.instants import now


def assign(call: CallLog, agent: User, actor: User) -> CallLog:
    """Gives a call whose agent nobody knew to `agent`; the ledger says who did so.

    The click that asked for it, if there was one, becomes one call with it. CallConflict if the
    call has an agent.
    """
    with transaction.atomic():
        call = lock_again(call)
        if call.user_id is not None:
            raise CallConflict(_("This call has an agent already."))
        change = given_to(call, agent)
        reported = ReportedTime(now(), source=ADMIN)
        change.say(fact(timeline.NOTED, reported, data={"assigned": agent.username}), actor=actor)
        change.save(*REPORTED_FIELDS, alive=False)
    mark_shared(change.call)
    return change.call


def identity_of(call: CallLog) -> str:
    """How the phone system names the agent of `call`; "" where it does not."""
    events = call.events.filter(data__has_key="agent").order_by("occurred_at", "pk")
    return str((events.values_list("data", flat=True).first() or {}).get("agent", ""))


def waiting(account: ProviderAccount, identity: str) -> CallQuerySet:
    """The calls without an agent that `account` says are those of `identity`, however it writes
    it."""
    calls = CallLog.objects.unassigned().filter(account=account)
    events = CallEvent.objects.filter(call__in=calls.order_by(), data__has_key="agent")
    names = events.order_by().values_list(KeyTextTransform("agent", "data"), flat=True).distinct()
    meant = set(compared_names(account, [identity]))
    same = [name for name in names if not meant.isdisjoint(compared_names(account, [name]))]
    reported = CallEvent.objects.filter(call=OuterRef("pk"), data__agent__in=same)
    return calls.filter(Exists(reported))


def assign_waiting(account: ProviderAccount, identity: str, agent: User, actor: User) -> int:
    """Gives the calls that wait for `identity` to be known to `agent`; how many."""
    calls = list(waiting(account, identity))
    for call in calls:
        assign(call, agent, actor)
    return len(calls)
