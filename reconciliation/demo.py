"""A phone system's own list of a demo's last week, brought in as anybody would, so that the pages
about records show what they are for."""

import csv
import datetime as dt
import io
import random
from collections.abc import Iterator
from typing import Final

from accounts.models import User
from calls import timeline
from calls.models import CallLog, ProviderAccount
from common.instants import day_start, organisation_zone, today
from common.phones import pretty
from reconciliation import imports
from reconciliation.models import RecordImport

ACCOUNT: Final = "centralita"
DAYS: Final = 7
_HEAD: Final = (
    *("Identificador", "Inicio", "Contestada", "Fin", "Extensión", "Número", "Sentido"),
    *("Duración", "Conversación", "Estado"),
)
_DIRECTIONS: Final = {"outbound": "saliente", "inbound": "entrante", "internal": "interna"}
_STATUSES: Final = {
    timeline.COMPLETED: "contestada",
    timeline.DROPPED: "contestada",
    timeline.NO_ANSWER: "no contestada",
    timeline.FAILED: "fallida",
}
_BEHIND: Final = dt.timedelta(milliseconds=2700)  # so its clock goes
_LOST, _LATE_END, _NO_ANSWER = 0.02, 0.02, 0.006  # shares of the calls
_OWN_CALLS: Final = 4  # that only the phone system knows
_UNREADABLE: Final = ("cdr-corte", "31/02/2026 25:61:00", "", "", "1003", "", "", "", "", "")


def seed() -> RecordImport | None:
    """Brings in the list of the last days but today; None where nobody has called."""
    first = day_start(today() - dt.timedelta(days=DAYS))
    calls = CallLog.objects.ended().assigned().started_between(first, day_start(today()))
    with_number = calls.exclude(phone_line="").select_related("user")
    known = list(with_number.order_by("start_time", "pk"))
    if not known:
        return None
    account, _made = ProviderAccount.objects.get_or_create(
        name=ACCOUNT, defaults={"kind": "asterisk"}
    )
    admin = User.objects.filter(username="admin").first()
    name = f"llamadas-{today():%Y-%m-%d}.csv"
    what = imports.start(account, admin, name, io.BytesIO(_file_of(known)))
    imports.set_reading(what, what.format, {**what.reading, "skip_bad": True})
    imports.take_in(what)
    imports.run(what.pk)
    what.refresh_from_db()
    return what


def _file_of(calls: list[CallLog]) -> bytes:
    """The list as the phone system would write it, in Spanish and in local time."""
    rng = random.Random("records")
    text = io.StringIO()
    lines = csv.writer(text, delimiter=";")
    lines.writerow(_HEAD)
    lines.writerows(_lines(rng, calls))
    return ("\ufeff" + text.getvalue()).encode()


def _lines(rng: random.Random, calls: list[CallLog]) -> Iterator[tuple[str, ...]]:
    alone = {rng.randrange(len(calls)) for _ in range(_OWN_CALLS)}
    for place, call in enumerate(calls):
        if rng.random() >= _LOST:
            yield _line(rng, call, f"cdr-{place:05d}")
        if place in alone:
            yield _own_line(rng, call, f"cdr-{place:05d}-b")
        if place == len(calls) // 2:
            yield _UNREADABLE


def _line(rng: random.Random, call: CallLog, key: str) -> tuple[str, ...]:
    """The call as the phone system has it: mostly as it was, sometimes not."""
    assert call.end_time is not None
    answered, end, status = call.answered_time, call.end_time, call.status
    luck = rng.random()
    if luck < _LATE_END:  # somebody clicked long after the other side had hung up
        end = max(answered or call.start_time, end - dt.timedelta(seconds=rng.randrange(8, 90)))
    elif luck < _LATE_END + _NO_ANSWER and answered is not None:  # what answered was a voicemail
        answered, status = None, timeline.NO_ANSWER
    return _written(call, key, call.start_time, answered, end, status)


def _own_line(rng: random.Random, call: CallLog, key: str) -> tuple[str, ...]:
    """A call of the same agent that nobody clicked."""
    assert call.end_time is not None
    start = call.end_time + dt.timedelta(seconds=rng.randrange(20, 40))
    answered = start + dt.timedelta(seconds=rng.randrange(4, 12))
    end = answered + dt.timedelta(seconds=rng.randrange(25, 140))
    return _written(call, key, start, answered, end, timeline.COMPLETED)


def _written(
    call: CallLog,
    key: str,
    start: dt.datetime,
    answered: dt.datetime | None,
    end: dt.datetime,
    status: str,
) -> tuple[str, ...]:
    assert call.user is not None
    talk = (end - answered).seconds if answered else 0
    return (
        key,
        _clock(start),
        _clock(answered) if answered else "",
        _clock(end),
        call.user.extension,
        pretty(call.phone_e164) if call.phone_e164 else call.contact_phone,
        _DIRECTIONS[call.direction],
        str((end - start).seconds),
        str(talk),
        _STATUSES[status],
    )


def _clock(instant: dt.datetime) -> str:
    """What the phone system's clock showed, as the list writes it."""
    return f"{(instant - _BEHIND).astimezone(organisation_zone()):%d/%m/%Y %H:%M:%S}"
