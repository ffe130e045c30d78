"""What the phone's window reports, into the ledger: as a phone system of its own, and only about
the calls of the line whose window it is."""

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from calls.errors import BadCallData
from calls.models import CallLog, CallQuerySet
from calls.providers.base import Payload, Unknown, Unreadable
from calls.providers.reading import text
from calls.providers.webphone import part_of
from calls.telephony import hooks, intake
from common.instants import to_ms
from webphone.models import PhoneLine
from webphone.services.lines import adapter_of_line

MOST_EVENTS: Final = 200  # of one report
# A clock of the page that was measured before is believed if it is as near as this to what this
# report shows: then all instants of a call are moved alike, and its lengths are the browser's own.
_SAME_CLOCK_MS: Final = 5000


def take(line: PhoneLine, report: Mapping[str, Any], arrived: dt.datetime) -> list[dict[str, Any]]:
    """Records what the window of `line` reports; the events that cannot be, each with its reason.

    Repeating a report changes nothing. BadCallData for one that cannot be read at all.
    """
    events, alive = report.get("events", []), report.get("alive", [])
    if not isinstance(events, list) or not isinstance(alive, list) or len(events) > MOST_EVENTS:
        raise BadCallData(_("The page sent something that cannot be understood."))
    hooks.heard(line.account)
    offset = _offset(report, arrived)
    refused = []
    by_session: dict[str, list[Mapping[str, Any]]] = {}
    for said in events:
        why = _fault(line, said, offset, arrived)
        if why:
            refused.append({"event": said, "why": why})
        else:
            by_session.setdefault(text(said["session"]), []).append(said)
    for session, its_events in by_session.items():
        _record(line, session, its_events, offset, arrived)
    _note_alive(line, [text(session) for session in alive])
    return refused


def _offset(report: Mapping[str, Any], arrived: dt.datetime) -> int:
    """What is to be added to the page's instants, in ms."""
    sent, known = report.get("sent_at"), report.get("offset")
    if type(sent) is not int:
        raise BadCallData(_("The page sent something that cannot be understood."), "sent_at")
    seen = to_ms(arrived) - sent
    if type(known) is int and abs(known - seen) <= _SAME_CLOCK_MS:
        return known
    return seen


def _fault(line: PhoneLine, said: Any, offset: int, arrived: dt.datetime) -> str:
    """Why `said` cannot be recorded; "" if it can."""
    try:
        adapter_of_line(line).parse(_payload(line, [_settled(said, offset, arrived)], arrived))
        _click_of(said)
    except (Unreadable, Unknown, ValueError) as error:
        return str(error)
    if to_ms(arrived) - said["at"] - offset > settings.MAX_BACKDATE_SECONDS * 1000:
        return _("This is too long ago to be recorded.")
    return ""


def _settled(said: Any, offset: int, arrived: dt.datetime) -> Any:
    """`said` with its instant by our clock, and never in the future."""
    if not isinstance(said, Mapping) or type(said.get("at")) is not int:
        return said
    return {**said, "at": min(said["at"] + offset, to_ms(arrived))}


def _payload(line: PhoneLine, events: Sequence[Any], arrived: dt.datetime) -> Payload:
    body = json.dumps({"line": line.sip_user, "events": events}).encode()
    return Payload(body, to_ms(arrived), "application/json")


def _click_of(said: Mapping[str, Any]) -> uuid.UUID | None:
    """The click that asked for the call. ValueError if it is no id."""
    given = text(said.get("call_id"))
    return uuid.UUID(given) if given else None


def _record(
    line: PhoneLine,
    session: str,
    events: Sequence[Mapping[str, Any]],
    offset: int,
    arrived: dt.datetime,
) -> None:
    clicks = {click for said in events if (click := _click_of(said))}
    for click in clicks:
        _expect(line, session, click)
    settled = [_settled(said, offset, arrived) for said in events]
    reported = adapter_of_line(line).parse(_payload(line, settled, arrived))
    intake.record(line.account, reported, received=arrived)


def _expect(line: PhoneLine, session: str, click: uuid.UUID) -> None:
    """The call that this click made, and the one in `session`, are one."""
    call = CallLog.objects.filter(user=line.user).known_as(click)
    if call is not None and call.account_id is None:
        call.user = line.user
        intake.expect(call, line.account, part_of(line.sip_user, session), session)


def _parts(line: PhoneLine) -> CallQuerySet:
    return CallLog.objects.filter(user=line.user, account=line.account)


def _note_alive(line: PhoneLine, sessions: Sequence[str]) -> None:
    names = [part_of(line.sip_user, session) for session in sessions if session]
    if names:
        intake.alive(_parts(line).active().filter(provider_call_id__in=names[:20]))
