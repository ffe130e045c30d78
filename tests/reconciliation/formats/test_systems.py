"""What each system's own file says of the same calls: who, when, how long, and by which id the live
events of that system name them."""

from decimal import Decimal

import pytest

from reconciliation.call_record import EXACT, FLOOR, NEAREST
from tests.reconciliation.formats.reading import FIXTURES, RECORDS, ms, read_file

START, END = ms("2026-01-05 10:00:00"), ms("2026-01-05 10:01:50")
ANSWERED = END - 101_000


def only(records, number):
    """The one record with this number."""
    (found,) = [one for one in records if number in one.number]
    return found


# File, kind of the account, agents known -> format, and what is said of the answered call: its id,
# the conversation's, the agent's names, direction, and how lengths were made whole.
SYSTEMS = {
    "twilio.csv": (
        *("twilio", "twilio_csv", "CA00000000000000000000000000000001"),
        *("CA00000000000000000000000000000001", ("client:ana", "ana"), "outbound", FLOOR),
    ),
    "zoom.csv": (
        *("zoom", "zoom_csv", "7600000000000000001:caller", "7600000000000000001"),
        *(("801",), "outbound", FLOOR),
    ),
    "aircall.csv": (
        *("aircall", "aircall_csv", "3916681:55", "3916681", ("55", "Ana Mora")),
        *("outbound", FLOOR),
    ),
    "aircall-es.csv": (
        *("aircall", "aircall_csv", "", "3916681", ("Ana Mora",), "outbound", FLOOR),
    ),
    "ringcentral.csv": ("ringcentral", "ringcentral_csv", "", "", ("101",), "outbound", FLOOR),
    "ringcentral-es.csv": ("ringcentral", "ringcentral_csv", "", "", ("101",), "outbound", FLOOR),
    "teams-pstn.csv": (
        *("generic", "teams_csv", "u-1", "c-1"),
        *(("ana@example.test", "o-1", "+34910000000", "Ana Mora"), "outbound", NEAREST),
    ),
    "teams-direct-routing.csv": (
        *("generic", "teams_csv", "k-1", "k-1"),
        *(("ana@example.test", "+34910000000", "Ana Mora"), "outbound", NEAREST),
    ),
    "3cx-log.csv": ("generic", "threecx_csv", "", "", ("1001",), "outbound", FLOOR),
    "3cx-cdr.log": (
        *("generic", "threecx_csv", "00000A1B2C3D4E_12", "Call 12", ("1001",)),
        *("outbound", FLOOR),
    ),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_an_answered_call(name):
    kind, code, call, conversation, agents, direction, rounding = SYSTEMS[name]
    found, records, bad = read_file(RECORDS / name, kind)
    assert (found, bad) == (code, [])
    one = only(records, "0001")
    assert (one.call, one.conversation, one.agents) == (call, conversation, agents)
    assert (one.direction, one.status, one.rounding) == (direction, "COMPLETED", rounding)
    assert one.end == END
    if one.knows_answer:
        assert (one.answered, one.talk) == (ANSWERED, 101_000)
    else:  # RingCentral's list tells the whole length alone
        assert (one.answered, one.talk, one.duration) == (None, None, 110_000)
    assert START <= one.start <= ANSWERED and one.unit == 1000


@pytest.mark.parametrize(
    "name", [name for name in SYSTEMS if name not in ("aircall-es.csv", "teams-pstn.csv")]
)
def test_a_call_that_nobody_answered(name):
    kind = SYSTEMS[name][0]
    one = only(read_file(RECORDS / name, kind)[1], "0002")
    assert (one.status, one.answered, one.knows_answer) == ("NO_ANSWER", None, True)
    assert not one.talk


def test_what_twilio_bills():
    """Parent and child are one call: talk and end are the child's, minutes mean nothing, and both
    are paid for."""
    one = only(read_file(RECORDS / "twilio.csv", "twilio")[1], "0001")
    assert (one.price, one.currency, one.lines) == (Decimal("0.0340"), "USD", (2, 3))
    assert (one.start, one.duration) == (START, None)


def test_aircall_counts_the_ring():
    one = only(read_file(RECORDS / "aircall.csv", "aircall")[1], "0001")
    assert (one.duration, one.talk) == (110_000, 101_000)


def test_zoom_leaves_out_who_only_rang():
    records = read_file(RECORDS / "zoom.csv", "zoom")[1]
    assert {one.agents for one in records} == {("801",)}
    assert only(records, "0001").hold == 12_000


# --- Asterisk -------------------------------------------------------------------------------------


def test_freepbx_table():
    code, records, bad = read_file(FIXTURES / "cdr" / "freepbx-table.csv", "asterisk")
    assert (code, bad) == ("freepbx_csv", [])
    said = [
        (one.status, one.start, one.answered, one.end, one.duration, one.talk) for one in records
    ]
    rung = ms("2026-01-05 11:00:00")
    assert said == [
        ("COMPLETED", START, ANSWERED, END, 110_000, 101_000),
        ("NO_ANSWER", rung, None, rung + 30_000, 30_000, None),
    ]
    assert (records[0].call, records[0].agents) == ("1767607200.10", ("1001",))


def test_a_queue_without_linkedid():
    code, (one,), bad = read_file(FIXTURES / "cdr" / "queue-without-linkedid.csv", "asterisk")
    assert (code, bad) == ("asterisk_csv", [])
    assert (one.agents, one.status, one.direction) == (("1001",), "COMPLETED", "inbound")
    assert (one.end - one.answered, one.number) == (105_000, "50688882101")


def test_what_a_real_asterisk_wrote():
    """Its lengths are cut: what the phones measured is as long, or up to a second longer."""
    _code, records, bad = read_file(FIXTURES / "ami" / "cdr.csv", "asterisk")
    assert not bad
    first = records[0]
    assert (first.talk, first.duration, first.rounding) == (7_000, 9_000, FLOOR)
    assert first.talk <= 7_524 < first.talk + 1000  # truth.jsonl
    busy = next(one for one in records if one.reason == "busy")
    assert (busy.status, busy.agents) == ("NO_ANSWER", ("1001",))


def test_calls_are_whole_though_their_rows_are_far_apart(desk):
    """Master.csv is in the order of ends: the first try of a long call of a queue stands thousands
    of rows before its end."""
    said = (FIXTURES / "cdr" / "queue-without-linkedid.csv").read_text().splitlines()
    queue, *members = [line.replace("10:02:00", "11:59:00") for line in said]
    plain = (
        '"","1003","8888{n:04d}","from-internal","","PJSIP/1003-{n:08x}","PJSIP/itsp-{m:08x}",'
        '"Dial","","2026-01-05 {h:02d}:{i:02d}:00","2026-01-05 {h:02d}:{i:02d}:01",'
        '"2026-01-05 {h:02d}:{i:02d}:09","9","8","ANSWERED","DOCUMENTATION","{id}.9",""'
    )

    def others(hour, first):
        return [
            plain.format(n=n, m=n + 500_000, h=hour, i=n % 60, id=1_767_000_000 + n)
            for n in range(first, first + 5_000)
        ]

    lines = [members[0], *others(10, 1), *others(11, 10_001), *members[1:], queue]
    lines += [*others(17, 20_001), *others(23, 30_001)]
    records, bad = desk.read("\n".join(lines) + "\n", "asterisk")
    assert not bad
    agents = [one for one in records if one.agents == ("1001",)]
    assert [(one.status, one.number) for one in agents] == [("COMPLETED", "50688882101")]
    assert len(records) == 20_001


# --- FreeSWITCH -----------------------------------------------------------------------------------


def test_freeswitch_csv():
    """`billmsec` is exact; `billsec` is rounded to the nearest second."""
    code, records, bad = read_file(RECORDS / "freeswitch.csv", "freeswitch")
    assert (code, bad) == ("freeswitch_csv", [])
    first = records[0]
    assert (first.talk, first.unit, first.rounding) == (7_640, 1, EXACT)
    assert (first.call, first.agents) == ("05e6d355-4e3d-4b17-8048-c63d1889e377", ("1001",))
    other = records[1]  # who was called has the other leg
    assert (other.call, other.agents) == ("89c0f87f-4cfa-46f5-bea6-2b1a37feb20d", ("1002",))
    assert (other.conversation, other.number) == (first.call, "1001")


def test_freeswitch_csv_by_its_template(desk):
    """mod_cdr_csv writes no names; its lengths alone are rounded."""
    row = (
        '"Ana","1001","88880001","office","2026-01-05 10:00:00","2026-01-05 10:00:09",'
        '"2026-01-05 10:01:50","110","101","NORMAL_CLEARING",'
        '"11111111-aaaa-4000-8000-000000000001","22222222-aaaa-4000-8000-000000000001","","PCMU","PCMU"\n'
    )
    (one,), bad = desk.read(row, "freeswitch")
    assert (one.talk, one.duration, one.unit, one.rounding) == (101_000, 110_000, 1000, NEAREST)
    assert (one.call, one.agents, one.direction, bad) == (
        *("11111111-aaaa-4000-8000-000000000001", ("1001",), "outbound"),
        [],
    )


def legs(*names):
    return [(FIXTURES / "freeswitch" / f"{name}.json").read_text() for name in names]


@pytest.mark.parametrize(
    "wrapped",
    [
        pytest.param(lambda legs: "\n".join(legs), id="one after the other"),
        pytest.param(lambda legs: "[" + ",".join(legs) + "]", id="list"),
        pytest.param(lambda legs: "\n".join(one.replace("\n", "") for one in legs), id="lines"),
    ],
)
def test_freeswitch_json(desk, wrapped):
    records, bad = desk.read(wrapped(legs("a", "b")), "freeswitch")
    assert [(one.call, one.conversation, one.agents) for one in records] == [
        ("11111111-aaaa-4000-8000-000000000001", "11111111-aaaa-4000-8000-000000000001", ("1001",)),
        ("22222222-bbbb-4000-8000-000000000002", "11111111-aaaa-4000-8000-000000000001", ("1002",)),
    ]
    assert {(one.talk, one.precision, one.rounding) for one in records} == {(60_000, 1, EXACT)}
    assert not bad


def test_a_record_that_is_cut_off_spoils_no_other(desk):
    first, second = (one.replace("\n", "") for one in legs("a", "b"))
    records, bad = desk.read(f"{first[:400]}\n{second}\n{first[:300]}", "freeswitch")
    assert [one.agents for one in records] == [("1002",)]
    assert [(one.line, one.why) for one in bad] == [
        (1, "This record is cut off."),
        (3, "The file ends in the middle of this record."),
    ]


def test_freeswitch_xml(desk):
    said = {
        "uuid": "aaaa",
        "direction": "inbound",
        "user_name": "1001",
        "start_uepoch": START * 1000,
        "answer_uepoch": ANSWERED * 1000,
        "bridge_uepoch": ANSWERED * 1000,
        "end_uepoch": END * 1000,
        "hangup_cause": "NORMAL_CLEARING",
        "hold_accum_ms": 2_500,
    }
    variables = "".join(f"<{name}>{value}</{name}>" for name, value in said.items())
    one = f'<?xml version="1.0"?>\n<cdr core-uuid="c"><variables>{variables}</variables></cdr>\n'
    records, bad = desk.read(one + one.replace("aaaa", "bbbb") + one[:200], "freeswitch")
    assert [(r.call, r.talk, r.hold) for r in records] == [
        ("aaaa", 101_000, 2_500),
        ("bbbb", 101_000, 2_500),
    ]
    assert [(b.line, b.why) for b in bad] == [(6, "The file ends in the middle of this record.")]
