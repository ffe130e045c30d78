"""Proves that a file of records may be long: its rows are read one by one, and few are held."""

import datetime as dt
import tracemalloc

import pytest

from reconciliation.call_record import CallRecord
from reconciliation.formats.catalogue import FORMATS, detect
from tests.reconciliation.formats.reading import context

ROWS = 150_000
MOST = 40 * 1024 * 1024  # bytes, whatever the length of the file
BEGIN = dt.datetime(2026, 1, 5, 8)


def asterisk(n, start, end):
    made = int(start.replace(tzinfo=dt.UTC).timestamp())
    return (
        f'"","1001","8888{n:07d}","from-internal","","PJSIP/1001-{2 * n:08x}",'
        f'"PJSIP/itsp-{2 * n + 1:08x}","Dial","","{start}","{start}","{end}","110","110",'
        f'"ANSWERED","DOCUMENTATION","{made}.{2 * n}",""\n'
    )


def twilio(n, start, end):
    sid, parent = f"CA{n:032x}", f"CA{n - 1:032x}" if n % 2 else ""
    to, way = ("+34600000001", "outbound-dial") if n % 2 else ("client:ana", "outbound-api")
    return f"{sid},{parent},{start},{start},{end},110,completed,{way},+15005550006,{to}\n"


def table(n, start, end):
    return f"a{n},1001,+50688880001,outbound,{start},{end},00:01:50,Answered\n"


FILES = {
    "asterisk": ("", asterisk, ROWS),
    "twilio": (
        "Call Sid,Parent Call Sid,Date Created,Start Time,End Time,Duration,Status,Direction,"
        "From,To\n",
        *(twilio, ROWS // 2),
    ),
    "generic": (
        *("Call ID,Agent,Number,Direction,Start time,End time,Duration,Status\n", table),
        ROWS,
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_long_file_needs_no_more_memory(tmp_path, kind):
    head, row, expected = FILES[kind]
    path = tmp_path / "calls.csv"
    with path.open("w") as file:
        file.write(head)
        for n in range(ROWS):
            start = BEGIN + dt.timedelta(seconds=7 * n)
            file.write(row(n, start, start + dt.timedelta(seconds=110)))
    code, reading = detect(path, kind)
    tracemalloc.start()
    try:
        found = FORMATS[code].read(path, reading, context())
        count = sum(isinstance(one, CallRecord) for one in found)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    print(f"\n{code}: {count} records of {ROWS} rows, {peak / 1024**2:.1f} MiB at most")
    assert (count, peak < MOST) == (expected, True)
