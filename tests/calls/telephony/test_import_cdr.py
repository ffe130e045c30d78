"""Asterisk's call detail records: read, laid over what was recorded live, and never coarser."""

import datetime as dt
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from calls import services, timeline
from calls.models import CallEvent, CallLog
from calls.providers.asterisk import cdr
from calls.providers.asterisk.dialplan import Dialplan
from calls.simulation.asterisk.events import GREETING
from calls.telephony import intake
from common.instants import from_ms, now
from tests.support.asterisk import STREAMS, T, events_of, exchange, in_ms, stream, tracker, truths
from tests.support.people import make_pbx

pytestmark = pytest.mark.engines

UTC = ZoneInfo("UTC")
NUMBER = "34600000001"


@pytest.fixture
def pbx(people):
    return make_pbx(people, "asterisk", trunks="trunk", timezone="UTC")


def line(**changes):
    """A row as Asterisk writes it with all its options on: 21 columns."""
    said = {
        "accountcode": "",
        "src": "1001",
        "dst": NUMBER,
        "dcontext": "office",
        "clid": '"Ana ""la"" <b>" <1001>',
        "channel": "PJSIP/1001-00000001",
        "dstchannel": "PJSIP/trunk-00000002",
        "lastapp": "Dial",
        "lastdata": f"PJSIP/{NUMBER}@trunk,30",
        "start": "2026-01-05 10:00:00",
        "answer": "2026-01-05 10:00:05",
        "end": "2026-01-05 10:00:25",
        "duration": "25",
        "billsec": "20",
        "disposition": "ANSWERED",
        "amaflags": "DOCUMENTATION",
        "uniqueid": f"{T}.1",
        "userfield": "",
        "peeraccount": "",
        "linkedid": f"{T}.1",
        "sequence": "3",
    }
    values = list((said | changes).values())
    return ",".join('"' + value.replace('"', '""') + '"' for value in values)


def imported(account, text, tmp_path, **options):
    path = tmp_path / "Master.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    out = StringIO()
    call_command("import_cdr", str(path), account=account.name, stdout=out, **options)
    return out.getvalue()


def record(account, events):
    return intake.record(account, events, received=now())


def state_of(call):
    return timeline.fold(CallEvent.facts_of(call))


# --- Over what was heard live ---------------------------------------------------------------------


def test_the_real_records_confirm_the_real_streams_and_make_nothing_coarser(pbx, people, tmp_path):
    for scenario in truths():
        record(pbx, events_of(stream(scenario)))
    before = {call.pk: state_of(call) for call in CallLog.objects.all()}
    real = (STREAMS / "cdr.csv").read_bytes()
    printed = imported(pbx, real, tmp_path)
    assert "7 rows: 9 calls matched, 0 corrected, 0 new, 0 lines not readable" in printed
    # Of the call that a program asked for, it tells when the phone answered that asked for it.
    assert printed.count("line 7: answered 05:23:43, recorded 05:23:45; left as recorded") == 1
    for call in CallLog.objects.all():
        state = state_of(call)
        asked_for = call.conversation == "1795411422.104"
        evidence = "B" if asked_for and call.user == people.bob else "A"
        assert (call.evidence, call.missing) == (evidence, "")
        assert (state.start, state.answered, state.end, state.hold, state.status) == (
            *(before[call.pk].start, before[call.pk].answered, before[call.pk].end),
            *(before[call.pk].hold, before[call.pk].status),
        )

    lines = list(CallEvent.objects.order_by("pk").values())
    assert "9 calls matched, 0 corrected, 0 new" in imported(pbx, real, tmp_path)
    assert list(CallEvent.objects.order_by("pk").values()) == lines


def test_the_real_records_alone_make_the_calls(pbx, tmp_path):
    real = (STREAMS / "cdr.csv").read_bytes()
    # Nobody knows extension 1004, and a call within the house is of no use to anybody else.
    printed = imported(pbx, real, tmp_path)
    assert "0 calls matched, 0 corrected, 8 new" in printed
    assert "line 3: An internal call" in printed
    assert "9 calls matched, 0 corrected, 0 new" in imported(pbx, real, tmp_path)
    call = CallLog.objects.get(provider_call_id="1795411340.78")
    assert (call.status, call.ring_seconds, call.talk_seconds) == ("COMPLETED", 2, 8)
    assert call.start_time == from_ms(in_ms("2026-11-23 05:22:20")) and call.evidence == "A"
    busy = CallLog.objects.get(provider_call_id="1795411369.84")
    assert (busy.status, busy.end_reason, busy.user.username) == ("NO_ANSWER", "busy", "alice")


def lost_call(pbx, seconds=20):
    """A call that was heard being answered, and whose end nobody heard."""
    made = exchange()
    agent = made.call("1001", NUMBER)
    remote = made.dial(agent, "trunk", f"{NUMBER}@trunk")
    made.wait(5.4)
    made.answer(agent, remote)
    follower = tracker()
    events = events_of(GREETING + made.stream(), follower)
    made.wait(seconds)
    made.hang_up(agent, remote)
    listed = b"".join(made.list_channels())
    events += events_of(GREETING + listed, follower, received=T * 1000 + 90_000)
    record(pbx, events)
    return CallLog.objects.get(provider_call_id=agent.uniqueid)


def test_a_call_that_nobody_heard_end_ends_as_recorded(pbx, tmp_path):
    call = lost_call(pbx)
    exact = call.answered_time
    assert call.end_time is None
    printed = imported(pbx, line(), tmp_path, dry_run=True)
    assert "0 calls matched, 1 corrected, 0 new" in printed and "nothing was changed" in printed
    call.refresh_from_db()
    assert call.end_time is None

    assert "1 corrected" in imported(pbx, line(), tmp_path)
    call.refresh_from_db()
    assert (call.status, call.evidence, call.missing) == ("COMPLETED", "A", "gap")
    assert call.end_time == dt.datetime(2026, 1, 5, 10, 0, 25, tzinfo=dt.UTC)
    assert call.answered_time == exact and exact.microsecond  # not cut to the second
    assert "1 calls matched, 0 corrected" in imported(pbx, line(), tmp_path)
    assert CallLog.objects.count() == 1


def test_a_record_says_more_than_the_watchdog_guessed(pbx, tmp_path):
    call = lost_call(pbx)
    CallLog.objects.filter(pk=call.pk).update(last_seen_at=call.start_time)
    assert services.close_stale_calls() == 1
    call.refresh_from_db()
    assert call.evidence == "E"
    imported(pbx, line(), tmp_path)
    call.refresh_from_db()
    assert (call.status, call.evidence, call.duration_seconds) == ("COMPLETED", "A", 25)


def test_a_record_completes_a_call_that_was_taken_up_in_its_middle(pbx, tmp_path):
    made = exchange()
    agent = made.call("1001", NUMBER)
    remote = made.dial(agent, "trunk", f"{NUMBER}@trunk")
    made.wait(5)
    made.answer(agent, remote)
    made.wait(10)
    follower, since = tracker(), len(made.sent)
    listed = GREETING + b"".join(made.list_channels())
    events = events_of(listed, follower, received=made.now // 1000)
    made.wait(10.4)
    made.hang_up(agent, remote)
    record(pbx, events + events_of(made.stream(since), follower))
    imported(pbx, line(), tmp_path)
    call = CallLog.objects.get()
    assert (call.ring_seconds, call.talk_seconds, call.duration_seconds) == (5, 20, 25)
    assert call.end_time.microsecond  # heard live: stays exact


def test_a_click_that_no_listener_heard_is_the_recorded_call(pbx, people, tmp_path):
    at = services.ReportedTime(from_ms(T * 1000 + 400), explicit=True)
    call, _ = services.start_call(people.alice, contact_phone=f"+{NUMBER}", reported=at)
    imported(pbx, line(), tmp_path)
    call.refresh_from_db()
    assert (call.status, call.talk_seconds, call.provider) == ("COMPLETED", 20, "pbx")
    assert CallLog.objects.count() == 1


def test_a_record_that_contradicts_a_call_heard_as_a_whole_is_told_and_changes_nothing(
    pbx, tmp_path
):
    made = exchange()
    agent = made.call("1001", NUMBER)
    remote = made.dial(agent, "trunk", f"{NUMBER}@trunk")
    made.wait(5)
    made.answer(agent, remote)
    made.wait(20)
    made.hang_up(agent, remote)
    record(pbx, events_of(made.stream()))
    printed = imported(pbx, line(end="2026-01-05 10:01:25"), tmp_path)
    assert "line 1: ends 10:01:25, recorded 10:00:25; left as recorded" in printed
    printed = imported(pbx, line(answer="", disposition="NO ANSWER"), tmp_path)
    assert "line 1: not answered, recorded as COMPLETED" in printed
    assert CallLog.objects.get().talk_seconds == 20


# --- What rows say --------------------------------------------------------------------------------


def parts(*lines):
    rows = list(cdr.read("\n".join(lines).encode(), UTC))
    assert all(isinstance(row, cdr.CdrRow) for row in rows), rows
    return cdr.parts(rows, Dialplan(trunks={"trunk"}))


def inbound(**changes):
    columns = {
        "src": "34600000009",
        "dst": "600",
        "channel": "PJSIP/trunk-00000001",
        "dstchannel": "PJSIP/1001-00000002",
    }
    return line(**(columns | changes))


UNANSWERED = {"answer": "", "billsec": "0", "disposition": "NO ANSWER"}


def test_an_inbound_call():
    (part,) = parts(inbound())
    assert (part.agent, part.direction, part.number) == ("1001", "inbound", "34600000009")
    assert (part.start, part.answered, part.end) == (T * 1000, T * 1000 + 5000, T * 1000 + 25_000)


def test_a_missed_call_is_the_agents_and_a_missed_group_is_nobodys():
    (one,) = parts(inbound(**UNANSWERED))
    assert (one.agent, one.status) == ("1001", "NO_ANSWER")
    (group,) = parts(inbound(**UNANSWERED), inbound(**UNANSWERED, dstchannel="PJSIP/1002-00000003"))
    assert (group.agent, group.status, group.call) == ("", "NO_ANSWER", f"{T}.1")


def test_a_queue_is_whose_agent_answered_and_when_is_not_known():
    (part,) = parts(
        inbound(**UNANSWERED, lastapp="Queue"),
        inbound(lastapp="Queue", dstchannel="PJSIP/1002-00000003"),
    )
    assert (part.agent, part.status, part.knows_answer) == ("1002", "COMPLETED", False)
    (abandoned,) = parts(inbound(**UNANSWERED, lastapp="Queue"))
    assert (abandoned.agent, abandoned.status) == ("", "NO_ANSWER")


def test_after_a_blind_transfer_the_new_phones_ring_is_not_talk():
    first, second = parts(
        inbound(),
        inbound(
            dstchannel="PJSIP/1002-00000003",
            start="2026-01-05 10:00:25",
            answer="2026-01-05 10:00:25",
            end="2026-01-05 10:01:00",
            sequence="4",
        ),
    )
    assert (first.agent, first.knows_answer) == ("1001", True)
    assert (second.agent, second.knows_answer) == ("1002", False)


@pytest.mark.parametrize(
    ("disposition", "status", "reason"),
    [
        ("NO ANSWER", "NO_ANSWER", ""),
        ("BUSY", "NO_ANSWER", "busy"),
        ("CANCEL", "NO_ANSWER", "cancelled"),
        ("FAILED", "FAILED", ""),
        ("CONGESTION", "FAILED", "congestion"),
    ],
)
def test_how_a_call_ended(disposition, status, reason):
    (part,) = parts(line(**UNANSWERED | {"disposition": disposition}))
    assert (part.status, part.reason, part.answered) == (status, reason, None)


# --- Files ----------------------------------------------------------------------------------------


def columns(text, number):
    return ",".join(text.split(",")[:number])


@pytest.mark.parametrize(
    ("behind", "uniqueid", "linkedid"),
    [
        ((), "", ""),
        ((f"{T}.1",), f"{T}.1", ""),
        (("a field",), "", ""),
        ((f"{T}.1", "a field"), f"{T}.1", ""),
        (("", f"{T}.9", "3"), "", f"{T}.9"),
        ((f"{T}.1", "", f"{T}.9", "3"), f"{T}.1", f"{T}.9"),
        (("a field", "", f"{T}.9", "3"), "", f"{T}.9"),
        ((f"pbx-{T}.1", "a field", "", f"{T}.9", "3"), f"pbx-{T}.1", f"{T}.9"),
    ],
)
def test_the_columns_are_known_by_their_number(behind, uniqueid, linkedid):
    first = line().split('","')[:16]
    text = '","'.join([*first, *behind]) + ("" if not behind else '"')
    (row,) = cdr.read(text.rstrip('"').encode() + b'"', UTC)
    assert (row.uniqueid, row.linkedid, row.disposition) == (uniqueid, linkedid, "ANSWERED")


def test_lines_that_cannot_be_read_are_told_by_number(pbx, tmp_path):
    text = "\n".join(
        [
            "one,two,three",
            line(),
            line(start="yesterday"),
            line(disposition="PERHAPS"),
            "",
            line(uniqueid=f"{T}.7", linkedid=f"{T}.7", clid="Jos\udce9").replace("\udce9", "é"),
            '"a quote that never ends',
        ]
    )
    printed = imported(pbx, text.encode("cp1252"), tmp_path)
    assert "line 1 is not readable: No column disposition, end, start" in printed
    assert "line 3 is not readable: 'yesterday' is no time" in printed
    assert "line 4 is not readable: Unknown disposition 'PERHAPS'" in printed
    assert "line 7 is not readable" in printed
    assert "2 rows: 0 calls matched, 0 corrected, 2 new, 4 lines not readable" in printed


def test_columns_may_be_named(pbx, tmp_path):
    text = "ANSWERED,2026-01-05 10:00:00,2026-01-05 10:00:05,2026-01-05 10:00:25,SIP/1001-1,7.7"
    named = "disposition,start,answer,end,channel,uniqueid"
    assert "1 new" in imported(pbx, text, tmp_path, columns=named)
    assert CallLog.objects.get().provider_call_id == "7.7"
    with pytest.raises(CommandError, match=r"Nothing in .* could be read"):
        imported(pbx, text, tmp_path, columns="a,b,c,d,e,f")


@pytest.mark.parametrize(
    ("uniqueid", "text", "expected"),
    [
        # Madrid's clocks go back at 03:00 on 2026-10-25: 02:30 comes twice.
        ("1792888200.5", "2026-10-25 02:30:00", "2026-10-25T00:30:00+00:00"),
        ("1792891800.5", "2026-10-25 02:30:00", "2026-10-25T01:30:00+00:00"),
        ("", "2026-07-01 12:00:00", "2026-07-01T10:00:00+00:00"),
        ("", "2026-01-05 00:00:00", "2026-01-04T23:00:00+00:00"),
    ],
)
def test_local_times_through_the_year(uniqueid, text, expected):
    raw = line(start=text, answer="", end=text, uniqueid=uniqueid, disposition="NO ANSWER")
    (row,) = cdr.read(raw.encode(), ZoneInfo("Europe/Madrid"))
    assert from_ms(row.start).isoformat() == from_ms(row.end).isoformat() == expected


def test_a_call_over_the_change_of_clocks_lasts_what_it_lasted():
    raw = line(
        start="2026-10-25 02:59:50",
        answer="2026-10-25 02:59:55",
        end="2026-10-25 02:00:15",
        uniqueid="1792889990.5",
    )
    (row,) = cdr.read(raw.encode(), ZoneInfo("Europe/Madrid"))
    assert row.end - row.start == 25_000


def test_what_is_missing_is_named(pbx, tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_cdr", str(tmp_path / "nothing.csv"), account="pbx")
    with pytest.raises(CommandError, match="no Asterisk account nowhere"):
        call_command("import_cdr", str(STREAMS / "cdr.csv"), account="nowhere")
    pbx.settings["timezone"] = "Mars/Olympus"
    pbx.save()
    with pytest.raises(CommandError, match="is no time zone"):
        call_command("import_cdr", str(STREAMS / "cdr.csv"), account="pbx")


@settings(max_examples=200)
@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode()))
def test_no_file_breaks_the_reader(raw):
    for one in cdr.read(raw, UTC):
        assert isinstance(one, tuple) and one[0] >= 1 and one[1]
