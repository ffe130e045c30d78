"""Calls that were clicked, and the list of them as a phone system writes it, in UTC."""

import datetime as dt
from typing import Final

from accounts.models import User
from calls import services
from calls.models import CallLog
from common.instants import from_ms
from tests.support.people import yesterday_noon

HEAD: Final = "Inicio;Contestada;Fin;Extensión;Abonado B;Estado\n"


def clicked(user: User, minute: int, seconds: int = 60, number: str = "88887777") -> CallLog:
    """A call of yesterday that `user` clicked, and that was answered after five seconds."""
    begun = from_ms(yesterday_noon()) + dt.timedelta(minutes=minute)

    def at(second: int) -> services.ReportedTime:
        return services.ReportedTime(begun + dt.timedelta(seconds=second), explicit=True)

    call, _ = services.start_call(user, contact_phone=number, reported=at(0))
    services.step(call.call_id, user, "answer", reported=at(5))
    return services.end_call(call.call_id, user, reported=at(seconds))


def line(
    call: CallLog, extension: str = "1001", *, earlier: int = 0, number: str = "8888 7777"
) -> str:
    """The call as the phone system lists it, hung up so many seconds earlier."""
    assert call.end_time is not None
    assert call.answered_time is not None
    instants = (call.start_time, call.answered_time, call.end_time - dt.timedelta(seconds=earlier))
    times = ";".join(f"{one:%d/%m/%Y %H:%M:%S}" for one in instants)
    return f"{times};{extension};{number};contestada\n"
