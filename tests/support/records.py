"""Calls as a phone system heard them, and the files that its own records come in."""

import csv
import io
from pathlib import Path
from typing import Any

from calls import services, timeline
from calls.models import CallLog, ProviderAccount
from calls.providers.base import ProviderEvent
from calls.telephony import intake
from common.instants import from_ms, now
from reconciliation import imports
from reconciliation.models import RecordImport

T = 1_767_607_200_000  # 2026-01-05 10:00:00 UTC
NUMBER = "+50688881111"
COLUMNS = ("start", "answered", "end", "agent", "number", "direction", "status", "call id")


def heard(
    account: ProviderAccount,
    call: str,
    start: float = 0,
    answered: float | None = 5,
    end: float | None = 25,
    agent: str = "1001",
    number: str = NUMBER,
    **more: Any,
) -> CallLog:
    """A call that the phone system told of live; seconds after T."""
    status = timeline.NO_ANSWER if answered is None else timeline.COMPLETED
    told = [(timeline.STARTED, start, {}), (timeline.ANSWERED, answered, {})]
    told.append((timeline.ENDED, end, {"status": status}))
    events = [
        ProviderEvent(
            kind=kind,
            call=call,
            at=T + round(at * 1000),
            agents=(agent,),
            number=number,
            direction="outbound",
            data=data,
            **more,
        )
        for kind, at, data in told
        if at is not None
    ]
    (found,) = intake.record(account, events, received=now())
    return found


def clicked(user: Any, start: float = 0, end: float | None = 25, number: str = NUMBER) -> CallLog:
    """A call that only its agent's clicks tell of."""

    def at(seconds: float) -> services.ReportedTime:
        return services.ReportedTime(from_ms(T + round(seconds * 1000)), explicit=True)

    call, _is_new = services.start_call(user, contact_phone=number, reported=at(start))
    if end is not None:
        call = services.end_call(call.call_id, user, reported=at(end))
    return call


def line(
    call: str = "",
    start: float = 0,
    answered: float | None = 5,
    end: float | None = 25,
    agent: str = "1001",
    number: str = NUMBER,
    direction: str = "outbound",
) -> dict[str, str]:
    """A record as the file has it, whole seconds, cut; seconds after T."""
    return {
        "start": written(start),
        "answered": "" if answered is None else written(answered),
        "end": "" if end is None else written(end),
        "agent": agent,
        "number": number,
        "direction": direction,
        "status": "no answer" if answered is None else "completed",
        "call id": call,
    }


def written(seconds: float) -> str:
    return f"{from_ms(T + int(seconds * 1000 // 1000) * 1000):%Y-%m-%d %H:%M:%S}"


def file_of(*lines: dict[str, str]) -> io.BytesIO:
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS)
    table.writeheader()
    table.writerows(lines)
    return io.BytesIO(text.getvalue().encode())


def draft(
    account: ProviderAccount,
    *lines: dict[str, str],
    person: Any = None,
    file_name: str = "records.csv",
) -> RecordImport:
    return imports.start(account, person, file_name, file_of(*lines), format="table")


def taken_in(account: ProviderAccount, *lines: dict[str, str], person: Any = None) -> RecordImport:
    """An import of these records, as the worker has run it."""
    what = draft(account, *lines, person=person)
    imports.take_in(what)
    return ran(what)


def undone(what: RecordImport) -> RecordImport:
    imports.undo(what)
    return ran(what)


def ran(what: RecordImport) -> RecordImport:
    imports.run(what.pk)
    what.refresh_from_db()
    return what


def lies_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
