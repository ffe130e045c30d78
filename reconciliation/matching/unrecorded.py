"""Calls that were tracked here and that no record of the phone system knows."""

import datetime as dt
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from calls import timeline
from calls.models import CallLog, CallQuerySet, ProviderAccount, ProviderIdentity
from reconciliation.models import ProviderRecord, RecordImport

_EDGE: Final = dt.timedelta(minutes=10)
_SHORT_SECONDS: Final = 3


def calls_without_record(
    account: ProviderAccount | None, since: dt.datetime, until: dt.datetime, viewer: User
) -> CallQuerySet:
    """The ended calls that began in [since, until), in the time that imports cover, and that no
    record knows; as `viewer` may see them. Without `account`, of all accounts.

    An account's are those that its phone system told of, and the clicks of the people whom it
    knows: somebody who has no phone there cannot be in its records.
    """
    calls = CallLog.objects.visible_to(viewer).ended().started_between(since, until)
    known = ProviderRecord.objects.filter(call=OuterRef("pk"), is_withdrawn=False)
    calls = calls.exclude(evidence=timeline.RECORD).exclude(Exists(known))
    imports = _taken_in(account)
    of_account = _covered(imports.filter(account=OuterRef("account")))
    clicked = _covered(imports) & Q(account=None)
    found: CallQuerySet = calls.filter(of_account | (clicked & Q(user__in=_people(account))))
    return found


def _taken_in(account: ProviderAccount | None) -> "QuerySet[RecordImport]":
    done = RecordImport.objects.filter(state=RecordImport.DONE).exclude(since=None)
    return done if account is None else done.filter(account=account)


def _covered(imports: "QuerySet[RecordImport]") -> Q:
    start = OuterRef("start_time")
    return Q(Exists(imports.filter(since__lte=start, until__gte=start)))


def _people(account: ProviderAccount | None) -> "QuerySet[User]":
    """Who has a phone there: by an identity of it, or by an extension of their own."""
    identities = ProviderIdentity.objects.filter(user=OuterRef("pk"))
    if account is not None:
        identities = identities.filter(Q(account=account) | Q(account=None))
    return User.objects.filter(Exists(identities) | ~Q(extension="")).order_by()


def likely_reason(call: CallLog) -> str:
    """A sentence: why no record may know the call."""
    if call.direction == "internal":
        return _("An internal call: many phone systems keep no record of these.")
    if call.user is None:
        return _("Nobody knows whose call it is, so no record could be compared with it.")
    if call.account is None:
        return _of_click(call, call.user)
    if _is_at_edge(call):
        return _("It lies at the edge of the records: it may be in the next file.")
    if (call.duration_seconds or 0) < _SHORT_SECONDS:
        return _("It lasted hardly any time: some phone systems keep no record of such calls.")
    return _(
        "The phone system told of it live, and its records do not have it: part of the file "
        "may be missing."
    )


def _of_click(call: CallLog, agent: User) -> str:
    if not call.phone_line and not call.contact_phone:
        return _("The call has no number, so no record could be compared with it.")
    if not agent.extension and not ProviderIdentity.objects.filter(user=agent).exists():
        return _("No phone system knows this agent: say which extension is theirs.")
    if _is_at_edge(call):
        return _("It lies at the edge of the records: it may be in the next file.")
    if (call.duration_seconds or 0) < _SHORT_SECONDS:
        return _("It lasted hardly any time: perhaps the number was never dialled.")
    return _(
        "The agent clicked, and the phone system heard of no such call: it was made on "
        "another phone, or to another number."
    )


def _is_at_edge(call: CallLog) -> bool:
    """Whether the records that cover it begin or end close by."""
    near = (call.start_time - _EDGE, call.start_time + _EDGE)
    imports = _taken_in(call.account)
    return imports.filter(Q(until__range=near) | Q(since__range=near)).exists() and not (
        imports.filter(since__lte=near[0], until__gte=near[1]).exists()
    )
