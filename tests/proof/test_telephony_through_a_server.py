"""Proves on a real SIP server that what was recorded, what the caller measured and the server's own
records agree, however its messages come: doubled, late, or lost with their connection.

SIPp calls through Kamailio, whose hooks reach the real server over a line that fails. Kamailio's
accounting, as a file of records, then confirms the calls, and completes one whose end was lost.
"""

import datetime as dt
import math
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from calls.models import CallLog
from tests.support.client import Stalls
from tests.support.faults import FaultProxy
from tests.support.hooks import SECRET, make_account, map_to
from tests.support.kamailio import Accounted, Kamailio, need_kamailio
from tests.support.patience import await_that
from tests.support.sip_calls import Measured, everybody_else, place_calls

pytestmark = [pytest.mark.server, pytest.mark.telephony]
LENGTHS_MS = [800, 1000, 1250, 1600, 2000, 2600, 3400, 4200]
AGREED = 0.05  # seconds


class LossyProxy(FaultProxy):
    """And loses for good what says that a certain number's call has ended."""

    lost = b"+50688880003"

    async def _pass(self, request, writer):
        if self.lost in request and b'"ended"' in request:
            return False
        return await super()._pass(request, writer)


def test_what_was_measured_recorded_and_accounted_agrees(live_people, server, tmp_path):
    need_kamailio()
    account = make_account("generic", {"auth": "token"})
    map_to(account, live_people.alice, "1001")
    proxy = LossyProxy(server.port, longest=0.3)
    hook = f"{proxy.url}/hooks/generic/{account.name}/"
    try:
        with everybody_else(tmp_path / "called") as gateway:
            with (
                Kamailio(tmp_path / "server", hook=hook, token=SECRET, gateway=gateway) as kamailio,
                Stalls() as stalls,
            ):
                measured = place_calls(kamailio.sip, "1001", LENGTHS_MS, tmp_path / "callers")
                await_that(lambda: len(kamailio.accounted()) == len(LENGTHS_MS))
                await_that(lambda: CallLog.objects.ended().count() == len(LENGTHS_MS) - 1)
                await_that(lambda: not proxy.late)
                accounted = {one.call: one for one in kamailio.accounted()}
    finally:
        proxy.close()
    assert len(measured) == len(LENGTHS_MS) == len(accounted) == CallLog.objects.count()
    assert proxy.seen["doubled"] or proxy.seen["answer lost"] or proxy.seen["stuck"]
    within = AGREED + 3 * stalls.worst
    before = {call.provider_call_id: call for call in CallLog.objects.all()}
    lost = next(call for call in before.values() if call.end_time is None)
    assert lost.contact_phone == LossyProxy.lost.decode()
    for one in measured:
        call = before[one.call]
        if call != lost:
            assert call.evidence == "B"
            agrees(one, call, within)
    bring_in(account, [*accounted.values()], tmp_path / "records.csv")
    rows = []
    for one in measured:
        call, record = CallLog.objects.get(pk=before[one.call].pk), accounted[one.call]
        assert (call.evidence, call.status, call.user) == ("A", "COMPLETED", live_people.alice)
        if call == lost:  # as exactly as the record tells
            assert abs(seconds(call.end_time) - one.ended) <= 1 + within
        else:
            assert call.end_time == before[one.call].end_time
            agrees(one, call, within)
            # The record's length is cut to whole seconds.
            whole = seconds(call.end_time) - seconds(call.start_time)
            assert -within <= whole - math.floor(record.duration) < 1 + within
        rows.append((one, before[one.call], call, record))
    tell(rows, proxy.seen.total(), within)
    again = bring_in(account, [*accounted.values()], tmp_path / "records.csv")
    assert f"{len(LENGTHS_MS)} known already" in again


def agrees(measured: Measured, call: CallLog, within: float) -> None:
    assert abs(seconds(call.start_time) - measured.began) <= within
    assert abs(seconds(call.answered_time) - measured.answered) <= within
    assert abs(seconds(call.end_time) - measured.ended) <= within


def seconds(instant: dt.datetime) -> float:
    return instant.timestamp()


def bring_in(account, accounted: list[Accounted], path: Path) -> str:
    """The server's records as a file, cut to whole seconds as they are in most; what the import
    says."""

    def at(second: float) -> str:
        return f"{dt.datetime.fromtimestamp(int(second), dt.UTC):%Y-%m-%d %H:%M:%S}"

    lines = ["Call ID;Agent;Number;Direction;Start;Answered;End;Duration"]
    for one in accounted:
        cells = [one.call, one.caller, one.called, "outbound", at(one.started), at(one.answered)]
        lines.append(";".join([*cells, at(one.ended), str(math.floor(one.duration))]))
    path.write_text("\n".join(lines) + "\n")
    said = StringIO()
    call_command("import_records", str(path), account=account.name, time_zone="UTC", stdout=said)
    return said.getvalue()


def tell(rows, messages: int, within: float) -> None:
    print(f"\n{messages} messages over a line that fails; agreed within {within * 1000:.0f} ms")
    print("asked ms | measured s | recorded s | record s | evidence before, after")
    for one, before, after, record in rows:
        recorded = seconds(after.end_time) - seconds(after.answered_time)
        print(
            f"{one.asked_ms:8d} | {one.talk:10.3f} | {recorded:10.3f} | "
            f"{record.ended - record.answered:8.0f} | {before.evidence} -> {after.evidence}"
            + (", its end was lost: as the record tells" if before.end_time is None else "")
        )
