"""Has a phone system call for a person, beside the request: a page never waits for it.

What the phone system refuses ends the call as FAILED with its reason, which the desk shows.
"""

import datetime as dt
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from django.db import connections
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from calls import services
from calls.models import CallEvent, CallLog, DialLink, ProviderAccount, name_at
from calls.providers.base import Unreachable
from calls.telephony import intake
from calls.telephony.hooks import adapter_of
from calls.telephony.setup import hook_address
from common.instants import now

logger = logging.getLogger(__name__)

# A click that reaches us later than this would ring a phone that nobody expects to ring.
LATEST: Final = dt.timedelta(seconds=60)
# How long the desk tells of a call that was not dialled.
_SHOWN_FOR: Final = dt.timedelta(seconds=60)

_pool = ThreadPoolExecutor(4, thread_name_prefix="dial")


@dataclass(frozen=True)
class _Order:
    """Who is to be connected with which number, by which phone system, for which call."""

    call: CallLog
    user: User
    account: ProviderAccount
    language: str


def place(call: CallLog, user: User, link: DialLink) -> "Future[None] | None":
    """Has the phone system of `link` dial for the call that `user` has just started.

    None where it has reported this call already: then it needs no asking.
    """
    if call.account_id is not None or call.end_time is not None:
        return None
    assert link.account is not None
    order = _Order(call, user, link.account, translation.get_language() or "")
    return _pool.submit(_carry_out, order)


def _carry_out(order: _Order) -> None:
    try:
        with translation.override(order.language):
            why = _refusal(order)
            if why:
                services.not_dialled(order.call.call_id, order.user, why)
    except Exception:
        logger.exception("A call could not be placed through %s", order.account.name)
    finally:
        connections.close_all()


def _refusal(order: _Order) -> str:
    """Asks the phone system to dial; why it did not, in the person's words, or ""."""
    account, number = order.account, order.call.phone_e164
    agent = name_at(account, order.user)
    if not agent:
        return _("%(account)s does not know your phone: ask for your extension to be entered.") % {
            "account": account.name
        }
    if not number:
        return _("This call has no phone number.")
    if now() - order.call.start_time > LATEST:
        return _("Your click arrived too late to dial. Call again.")
    try:
        made = adapter_of(account).place_call(agent, number, hook_address(account))
    except Unreachable as error:
        return str(error) or _("The phone system refused to dial.")
    except Exception:
        logger.exception("%s could not be asked to dial", account.name)
        return _("%(account)s could not be asked to dial.") % {"account": account.name}
    if made:
        intake.expect(order.call, account, made)
    return ""


def refused(user: User) -> list[tuple[CallLog, str]]:
    """The calls of `user` that were not dialled just now, and why, newest first."""
    present = now()
    calls = CallLog.objects.filter(user=user, end_reason=services.NOT_DIALLED)
    calls = calls.started_between(present - _SHOWN_FOR - LATEST, present)
    calls = calls.filter(end_time__gt=present - _SHOWN_FOR).select_related("contact")
    found = {call.pk: call for call in calls.order_by("-start_time")}
    if not found:
        return []
    events = CallEvent.objects.filter(call__in=found, source=services.DIALLER)
    return [
        (found[event.call_id], str(event.data.get("said", ""))) for event in events.order_by("-pk")
    ]
