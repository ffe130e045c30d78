"""Call detail records in the shapes that people have: tables, exports, default columns, no ids."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from calls.models import CallLog
from calls.providers.asterisk import cdr
from common.instants import to_ms
from reconciliation.models import RecordImport
from tests.calls.telephony.test_import_cdr import record
from tests.support.asterisk import T, events_of, exchange
from tests.support.people import make_pbx

pytestmark = pytest.mark.once

FILES = Path(__file__).parents[2] / "fixtures" / "cdr"
CUSTOMER = "50688882101"


@pytest.fixture
def pbx(people):
    account = make_pbx(people, "asterisk", trunks="itsp,trunk", timezone="UTC")
    account.region = "CR"
    account.save()
    return account


def imported(account, text, tmp_path, **options):
    path = tmp_path / "cdr.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    out = StringIO()
    call_command("import_cdr", str(path), account=account.name, stdout=out, **options)
    return out.getvalue()


def brief(call):
    name = call.user.username if call.user else "-"
    return (
        name,
        call.direction,
        call.contact_phone,
        call.status,
        call.ring_seconds,
        call.talk_seconds,
    )


def calls():
    return [brief(call) for call in CallLog.objects.order_by("start_time", "provider_call_id")]


RIGHT = [
    ("alice", "outbound", "88880001", "COMPLETED", 9, 101),
    ("alice", "outbound", "88880002", "NO_ANSWER", 30, 0),
]
TABLE = (FILES / "freepbx-table.csv").read_text()
HEAD, *ROWS = TABLE.splitlines()


def cut(line):
    """The cells of a line of the table."""
    return next(csv.reader([line]))


def joined(delimiter, *lines, quote=None):
    def cell(value):
        return value if quote is None else quote + value.replace(quote, quote * 2) + quote

    return "\n".join(delimiter.join(map(cell, line)) for line in lines)


# --- Tables and exports ---------------------------------------------------------------------------


def test_a_table_of_calldate_duration_and_billsec(pbx, tmp_path):
    printed = imported(pbx, TABLE, tmp_path)
    assert "2 rows: 0 calls matched, 0 corrected, 2 new, 0 lines not readable" in printed
    assert calls() == RIGHT
    assert "linkedid" not in printed
    assert "2 calls matched, 0 corrected, 0 new" in imported(pbx, TABLE, tmp_path)


CELLS = [cut(line) for line in (HEAD, *ROWS)]


def renamed(**names):
    return [[names.get(name, name) for name in CELLS[0]], *CELLS[1:]]


SHAPES = {
    "semicolons": joined(";", *CELLS, quote='"'),
    "tabs as a client of MySQL prints": joined("\t", *CELLS),
    "bars": joined("|", *CELLS, quote='"'),
    "without names": joined(",", *CELLS[1:], quote='"'),
    "tabs without names": joined("\t", *CELLS[1:]).replace("\t\t", "\t\\N\t"),
    "the first sixteen columns": joined(",", *(line[:17] for line in CELLS), quote='"'),
    "UTF-8 with a mark": b"\xef\xbb\xbf" + TABLE.encode(),
    "UTF-16": TABLE.encode("utf-16"),
    "Excel's own first line": "sep=;\n" + joined(";", *CELLS, quote='"'),
    "capitals and blanks": joined(
        ",", *renamed(calldate="Call Date", billsec="Bill Sec", channel="Channel"), quote='"'
    ),
    "Spanish": joined(
        ";",
        *renamed(
            calldate="Fecha", duration="Duración", disposition="Estado", src="Origen",
            dst="Destino", channel="Canal", dstchannel="Canal destino", billsec="Facturado",
        ),
        quote='"',
    ).replace("Facturado", "Conversación"),
    "with offsets": TABLE.replace(" 10:00:00,", " 04:00:00-06,").replace(
        " 11:00:00,", "T05:00:00.250-06:00,"
    ),
    "with instants since 1970": TABLE.replace("2026-01-05 10:00:00", "1767607200").replace(
        "2026-01-05 11:00:00", "1767610800.5"
    ),
    "the date and the time apart": "Fecha,Hora,src,dst,channel,dstchannel,"
    "disposition,duration,billsec\n"
    "05/01/2026,10:00:00,1001,88880001,PJSIP/1001-0000000a,PJSIP/itsp-0000000b,ANSWERED,110,101\n"
    "05/01/2026,11:00,1001,88880002,PJSIP/1001-0000000c,PJSIP/itsp-0000000d,NO ANSWER,30,0\n",
    "days first": TABLE.replace("2026-01-05", "05/01/2026").replace(":00:00,", ":00,"),
    "AM and PM": TABLE.replace("2026-01-05 10:00:00", "01/05/2026 10:00:00 AM").replace(
        "2026-01-05 11:00:00", "1/5/2026 11:00 a. m."
    ),
    "lengths as clocks": TABLE.replace(",110,101,", ",00:01:50,00:01:41,").replace(
        ",30,0,", ",0:30,00:00:00,"
    ),
    "lengths in words": TABLE.replace(",110,101,", ',"110s (1m 50s)",101.4,').replace(
        ",30,0,", ",30s,NULL,"
    ),
    "numbers of dispositions": TABLE.replace(",ANSWERED,", ",8,").replace(",NO ANSWER,", ",1,"),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_a_table_in_another_dress(pbx, tmp_path, shape):
    printed = imported(pbx, SHAPES[shape], tmp_path)
    assert "2 new, 0 lines not readable" in printed
    assert calls() == RIGHT


def test_a_file_in_the_order_of_cdr_custom(pbx, tmp_path):
    rows = [
        f'"""Ana"" <1001>","1001","88880001","from-internal","PJSIP/1001-0000000a",'
        f'"PJSIP/itsp-0000000b","Dial","PJSIP/88880001@itsp","2026-01-05 10:00:00",'
        f'"2026-01-05 10:00:09","2026-01-05 10:01:50","110","101","ANSWERED","3","","{T}.10","",5'
    ]
    assert "1 new, 0 lines not readable" in imported(pbx, "\n".join(rows), tmp_path)
    assert calls() == RIGHT[:1]


def test_quotes_as_mysql_escapes_them(pbx, tmp_path):
    text = joined(",", *CELLS[1:], quote='"').replace('"""Ana"" <1001>"', r'"\"Ana\" <1001>"')
    assert "2 new, 0 lines not readable" in imported(pbx, text, tmp_path)
    assert calls() == RIGHT


def test_the_digit_that_asks_for_a_line_is_not_the_number(pbx, tmp_path):
    text = TABLE.replace(",88880001,", ",988880001,")
    imported(pbx, text, tmp_path)
    assert calls() == RIGHT


def test_a_length_that_cannot_be_read_is_told_where_it_is_needed(pbx, tmp_path):
    printed = imported(pbx, TABLE.replace(",110,101,", ",long,101,"), tmp_path)
    assert "line 2 is not readable: 'long' is no length" in printed and "1 new" in printed
    row = master(
        "PJSIP/1001-0000000a", "PJSIP/itsp-0000000b", 0, 9, 110, src="1001", dst="88880001"
    )
    assert "1 new" in imported(pbx, row.replace('"110"', '"long"'), tmp_path)
    assert calls() == RIGHT


def test_ids_that_are_none_join_nothing(pbx, tmp_path):
    text = "\n".join(
        [HEAD, *(joined(",", [*cut(one)[:23], "0", *cut(one)[24:]], quote='"') for one in ROWS)]
    )
    assert "no linkedid" in imported(pbx, text, tmp_path)
    assert calls() == RIGHT
    assert not CallLog.objects.filter(is_shared=True).exists()


def test_a_table_without_channels_is_read_by_its_numbers(pbx, tmp_path):
    text = (
        "Date,Source,Destination,Status,Duration,Bill Sec\n"
        f"2026-01-05 10:00:00,1001,88880001,ANSWERED,110,101\n"
        f"2026-01-05 10:01:51,1001,88880002,NO ANSWER,30,0\n"
        f"2026-01-05 12:00:00,{CUSTOMER},1002,ANSWERED,65,60\n"
    )
    imported(pbx, text, tmp_path)
    assert calls() == [*RIGHT, ("bob", "inbound", CUSTOMER, "COMPLETED", 5, 60)]


def test_what_nobody_can_guess_is_said_once_and_kept(pbx, tmp_path):
    strange = renamed(calldate="Wann", duration="Dauer", channel="Wer", billsec="Rede")
    text = joined(",", *strange, quote='"')
    with pytest.raises(CommandError, match="could be read"):
        imported(pbx, text, tmp_path)
    named = "start=Wann, duration=Dauer,channel=Wer,billsec=Rede"
    imported(pbx, text, tmp_path, columns=named, keep_columns=True)
    assert calls() == RIGHT
    pbx.refresh_from_db()
    assert pbx.settings["cdr_columns"] == named
    assert "2 calls matched" in imported(pbx, text, tmp_path)

    pbx.settings["cdr_columns"] = {
        "start": "Wann",
        "duration": "Dauer",
        "channel": "6",
        "billsec": "Rede",
    }
    pbx.save()
    assert "2 calls matched" in imported(pbx, text, tmp_path)


def test_a_file_of_which_nothing_can_be_read_is_an_error(pbx, tmp_path):
    for raw in (b"PK\x03\x04rest of a workbook", b"\x1f\x8bpacked"):
        with pytest.raises(CommandError, match="save it as CSV"):
            imported(pbx, raw, tmp_path)
    for raw in ("hello\nworld\n", joined(",", CELLS[0], ["?"] * len(CELLS[0]))):
        with pytest.raises(CommandError, match="could be read"):
            imported(pbx, raw, tmp_path)
    assert "0 rows" in imported(pbx, "", tmp_path)
    assert "0 rows" in imported(pbx, HEAD, tmp_path)


def test_many_lines_that_cannot_be_read_are_not_all_named(pbx, tmp_path):
    printed = imported(pbx, TABLE + "nonsense\n" * 200, tmp_path)
    assert "... and 150 lines more" in printed and "200 lines not readable" in printed


# --- Without linkedid -----------------------------------------------------------------------------

QUEUE = (FILES / "queue-without-linkedid.csv").read_text()


def master(channel, dstchannel, start, answer, end, **more):
    """A row of the eighteen columns of cdr.conf without newcdrcolumns; times after 10:00:00."""
    said = {"src": CUSTOMER, "dst": "600", "app": "Dial", "uniqueid": "", "state": None} | more
    state = said["state"] or ("NO ANSWER" if answer is None else "ANSWERED")

    def clock(seconds):
        return "" if seconds is None else f"2026-01-05 10:{seconds // 60:02d}:{seconds % 60:02d}"

    values = [
        *("", said["src"], said["dst"], "ctx", f'"Cliente" <{said["src"]}>', channel, dstchannel),
        *(said["app"], "", clock(start), clock(answer), clock(end), str(end - start)),
        *(str(0 if answer is None else end - answer), state, "DOCUMENTATION"),
        *(said["uniqueid"], ""),
    ]
    return joined(",", values, quote='"')


def test_a_queue_whose_rows_no_linkedid_joins(pbx, tmp_path):
    printed = imported(pbx, QUEUE, tmp_path)
    assert calls() == [("alice", "inbound", CUSTOMER, "COMPLETED", 10, 105)]
    assert "no linkedid" in printed and "newcdrcolumns=yes" in printed
    imported(pbx, QUEUE, tmp_path)
    assert CallLog.objects.count() == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_the_rows_does_not_matter(pbx, tmp_path, order):
    lines = QUEUE.splitlines()
    imported(pbx, "\n".join(lines[place] for place in order), tmp_path)
    assert calls() == [("alice", "inbound", CUSTOMER, "COMPLETED", 10, 105)]


def test_not_even_a_uniqueid(pbx, tmp_path):
    """The sixteen columns of cdr.conf as it comes."""
    lines = [joined(",", cut(line)[:16], quote='"') for line in QUEUE.splitlines()]
    imported(pbx, "\n".join(lines), tmp_path)
    assert calls() == [("alice", "inbound", CUSTOMER, "COMPLETED", 10, 105)]


def test_a_local_channel_that_left_the_way_does_not_hide_when_the_member_answered(pbx, tmp_path):
    """Asterisk took the Local channel out: the queue's row names the phone itself."""
    queue, tried, answered = QUEUE.splitlines()
    queue = queue.replace("Local/1001@from-queue-00000004;1", "PJSIP/1001-00000011")
    imported(pbx, "\n".join([queue, tried, answered]), tmp_path)
    assert calls() == [("alice", "inbound", CUSTOMER, "COMPLETED", 10, 105)]


def test_an_abandoned_queue_is_one_call_of_nobody(pbx, tmp_path):
    rows = [
        master("PJSIP/itsp-00000010", "", 0, 0, 40, app="Queue", uniqueid=f"{T}.20"),
        *(
            master(
                f"Local/100{n}@from-queue-0000000{n};2", f"PJSIP/100{n}-0000002{n}", 5 * n, None,
                5 * n + 10, dst=f"100{n}", uniqueid=f"{T + 5 * n}.3{n}",
            )
            for n in (1, 2)
        ),
    ]  # fmt: skip
    imported(pbx, "\n".join(rows), tmp_path)
    assert [(one[0], one[3]) for one in calls()] == [("-", "NO_ANSWER")]


def test_a_queue_that_answered_for_a_member_who_did_not_is_abandoned(pbx, tmp_path):
    """The caller was answered by the queue, and its row names the member that rang last."""
    queue = master(
        "PJSIP/itsp-00000010", "Local/1001@from-queue-00000004;1", 0, 0, 40,
        app="Queue", uniqueid=f"{T}.20",
    )  # fmt: skip
    tried = master(
        "Local/1001@from-queue-00000004;2", "PJSIP/1001-00000011", 5, None, 20,
        dst="1001", uniqueid=f"{T + 5}.22",
    )  # fmt: skip
    for rows in ([queue, tried], [tried, queue]):
        CallLog.objects.all().delete()
        RecordImport.objects.all().delete()
        imported(pbx, "\n".join(rows), tmp_path)
        assert calls() == [("-", "inbound", CUSTOMER, "NO_ANSWER", 40, 0)]


def test_an_answer_that_no_row_can_know_is_no_difference(pbx, tmp_path):
    row = QUEUE.splitlines()[0]
    imported(pbx, row, tmp_path)
    assert "left as recorded" not in imported(pbx, row, tmp_path)


def test_a_queue_that_a_member_answered_and_no_row_says_at_which_phone(pbx, tmp_path):
    row = QUEUE.splitlines()[0]
    imported(pbx, row, tmp_path)
    (call,) = CallLog.objects.all()
    assert (call.user.username, call.status, call.missing) == ("alice", "COMPLETED", "answer")


def test_a_queue_that_somebody_answered_is_not_abandoned(pbx, tmp_path):
    imported(pbx, QUEUE.splitlines()[0].replace("Local/1001@", "Local/agent-seven@"), tmp_path)
    (call,) = CallLog.objects.all()
    assert (call.user, call.status) == (None, "COMPLETED")


def test_a_try_that_fits_two_calls_makes_no_third_and_is_told(pbx, tmp_path):
    """Two calls of one number in the queue at once: nothing says for which a member rang."""
    rows = [
        master("PJSIP/itsp-00000010", "", 0, 0, 60, app="Queue", uniqueid=f"{T}.20"),
        master("PJSIP/itsp-00000011", "", 2, 2, 62, app="Queue", uniqueid=f"{T}.21"),
        master("Local/1001@from-queue-00000005;2", "PJSIP/1001-00000012", 5, None, 20,
               dst="1001", uniqueid=f"{T}.24"),
    ]  # fmt: skip
    printed = imported(pbx, "\n".join(rows), tmp_path)
    assert "fits another call as well" in printed
    assert [(one[0], one[3]) for one in calls()] == [("-", "NO_ANSWER")] * 2
    assert [call.lacks for call in CallLog.objects.order_by("start_time")] == [[], ["conflict"]]


def test_a_queue_of_a_hidden_number(pbx, tmp_path):
    imported(pbx, QUEUE.replace(CUSTOMER, ""), tmp_path)
    assert calls() == [("alice", "inbound", "", "COMPLETED", 10, 105)]


def test_tries_whose_caller_no_row_tells_are_one_call_of_nobody(pbx, tmp_path):
    rows = [
        master(f"Local/100{n}@from-queue-0000000{n};2", f"PJSIP/100{n}-0000001{n}", 20 * n, None,
               20 * n + 10, dst=f"100{n}", uniqueid=f"{T}.2{n}")
        for n in (1, 2)
    ]  # fmt: skip
    imported(pbx, "\n".join(rows), tmp_path)
    assert [(one[0], one[3]) for one in calls()] == [("-", "NO_ANSWER")]


def test_a_call_by_a_local_channel_that_one_person_missed_is_theirs(pbx, tmp_path):
    rows = [
        master("PJSIP/itsp-00000010", "Local/1001@from-did-00000004;1", 0, None, 20,
               dst="1001", uniqueid=f"{T}.20"),
        master("Local/1001@from-did-00000004;2", "PJSIP/1001-00000011", 0, None, 20,
               dst="1001", uniqueid=f"{T}.22"),
    ]  # fmt: skip
    imported(pbx, "\n".join(rows), tmp_path)
    assert calls() == [("alice", "inbound", CUSTOMER, "NO_ANSWER", 20, 0)]


def test_a_program_that_calls_by_a_local_channel(pbx, tmp_path):
    rows = [
        master("Local/1001@from-internal-00000004;2", "PJSIP/1001-00000011", 0, 4, 60,
               src="1001", dst="1001", uniqueid=f"{T}.22"),
        master("Local/1001@from-internal-00000004;1", "PJSIP/itsp-00000012", 4, 14, 60,
               src="1001", dst="88880001", uniqueid=f"{T}.21"),
    ]  # fmt: skip
    imported(pbx, "\n".join(rows), tmp_path)
    assert calls() == [("alice", "outbound", "88880001", "COMPLETED", 10, 46)]


def test_a_channel_name_that_comes_again_after_a_restart_is_another_call(pbx, tmp_path):
    rows = [
        master("PJSIP/1001-00000001", "PJSIP/itsp-00000002", at, at + 5, at + 25, src="1001")
        for at in (0, 600)
    ]
    imported(pbx, "\n".join(rows), tmp_path)
    assert [one[3:] for one in calls()] == [("COMPLETED", 5, 20)] * 2


def test_the_default_columns_confirm_what_was_heard_live(pbx, tmp_path):
    """Sixteen columns, no id: the channel's name at its time says which call it was."""
    made = exchange()
    trunk = made.call("trunk", "1001", CUSTOMER)
    agent = made.dial(trunk, "1001")
    made.wait(5)
    made.answer(trunk, agent)
    made.wait(20)
    made.hang_up(trunk, agent)
    record(pbx, events_of(made.stream()))
    (heard,) = CallLog.objects.all()
    row = master(trunk.name, agent.name, 0, 5, 25)
    lines = joined(",", cut(row)[:16], quote='"')
    assert "1 calls matched, 0 corrected, 0 new" in imported(pbx, lines, tmp_path)
    (call,) = CallLog.objects.all()
    assert to_ms(call.end_time) == to_ms(heard.end_time) and call.evidence == "A"


# --- Parking, picking up, rooms -------------------------------------------------------------------


def parked(uniqueids=True):
    """Alice answers at 5 s and parks at 25 s; Bob dials 701 at 50 s and talks until 90 s."""
    ids = (f"{T}.20", f"{T}.20", f"{T + 50}.25") if uniqueids else ("", "", "")
    return [
        master("PJSIP/itsp-00000010", "PJSIP/1001-00000011", 0, 5, 25, dst="1001", uniqueid=ids[0]),
        master("PJSIP/itsp-00000010", "PJSIP/1002-00000012", 25, 25, 90, dst="700", app="Park",
               uniqueid=ids[1]),
        master("PJSIP/1002-00000012", "", 50, 50, 90, src="1002", dst="701", app="ParkedCall",
               uniqueid=ids[2]),
    ]  # fmt: skip


PARKED = [
    ("alice", "inbound", CUSTOMER, "COMPLETED", 5, 20),
    ("bob", "inbound", CUSTOMER, "COMPLETED", 0, 40),
]


@pytest.mark.parametrize("uniqueids", [True, False])
def test_a_parked_call_ends_for_who_parks_and_is_incoming_for_who_fetches(pbx, tmp_path, uniqueids):
    imported(pbx, "\n".join(parked(uniqueids)), tmp_path)
    assert calls() == PARKED
    assert len(set(CallLog.objects.values_list("conversation", flat=True))) == 1


def test_a_fetched_call_whose_other_side_stands_in_the_fetchers_row(pbx, tmp_path):
    first, second, third = parked()
    second = second.replace("PJSIP/1002-00000012", "")
    third = third.replace('"PJSIP/1002-00000012",""', '"PJSIP/1002-00000012","PJSIP/itsp-00000010"')
    imported(pbx, "\n".join([first, second, third]), tmp_path)
    assert calls() == PARKED


def test_the_announcement_of_the_place_is_not_talk(pbx, tmp_path):
    """Who parks by a transfer has called the lot; who parks their own call stays on the line."""
    rows = [
        master("PJSIP/1001-00000001", "PJSIP/itsp-00000002", 0, 5, 25, src="1001", dst="88880001",
               uniqueid=f"{T}.1"),
        master("PJSIP/1001-00000001", "", 25, 25, 31, src="1001", dst="700", app="Park",
               uniqueid=f"{T}.1"),
        master("PJSIP/1001-00000003", "", 20, 20, 26, src="1001", dst="700", app="Park",
               uniqueid=f"{T + 20}.3"),
    ]  # fmt: skip
    imported(pbx, "\n".join(rows), tmp_path)
    assert calls() == [("alice", "outbound", "88880001", "COMPLETED", 5, 20)]


def test_a_call_that_another_picks_up_is_theirs(pbx, tmp_path):
    rows = [
        master("PJSIP/itsp-00000010", "PJSIP/1001-00000011", 0, None, 8, dst="1001",
               uniqueid=f"{T}.20"),
        master("PJSIP/1002-00000012", "", 7, 8, 8, src="1002", dst="*8", app="Pickup",
               uniqueid=f"{T + 7}.25"),
        master("PJSIP/itsp-00000010", "PJSIP/1002-00000012", 8, 8, 60, dst="1001",
               uniqueid=f"{T}.20"),
    ]  # fmt: skip
    imported(pbx, "\n".join(rows), tmp_path)
    assert calls() == [("bob", "inbound", CUSTOMER, "COMPLETED", 1, 52)]


@pytest.mark.parametrize("application", ["ConfBridge", "MeetMe"])
def test_in_a_room_everybody_has_called_the_room(pbx, tmp_path, application):
    rows = [
        master("PJSIP/1001-00000001", "PJSIP/1002-00000002", 0, 0, 60, src="1001", dst="3000",
               app=application, uniqueid=f"{T}.1"),
        master("PJSIP/1002-00000002", "", 10, 10, 50, src="1002", dst="3000", app=application,
               uniqueid=f"{T + 10}.2"),
        master("PJSIP/itsp-00000003", "PJSIP/1001-00000001", 20, 20, 50, app=application,
               uniqueid=f"{T + 20}.3"),
    ]  # fmt: skip
    imported(pbx, "\n".join(rows), tmp_path)
    assert [(one[0], *one[2:]) for one in calls()] == [
        ("alice", "3000", "COMPLETED", 0, 60),
        ("bob", "3000", "COMPLETED", 0, 40),
    ]


def test_who_is_paged_has_no_call(pbx, tmp_path):
    rows = [
        master("PJSIP/1001-00000001", "PJSIP/1002-00000002", 0, 0, 15, src="1001", dst="*80",
               app="Page", uniqueid=f"{T}.1"),
    ]  # fmt: skip
    imported(pbx, "\n".join(rows), tmp_path)
    assert [(one[0], one[2]) for one in calls()] == [("alice", "*80")]


def test_column_names_are_read_from_a_setting():
    assert cdr.column_names("start, end channel") == ("start", "end", "channel")
    assert cdr.column_names(["start", " end"]) == ("start", "end")
    assert cdr.column_names("start=Call Date,end=3") == {"start": "Call Date", "end": "3"}
    assert cdr.column_names({"start": "x"}) == {"start": "x"}
    assert cdr.column_names({"calldate": "start"}) == {"start": "calldate"}
    assert cdr.column_names("Wann=start,channel=Canal") == {"start": "Wann", "channel": "Canal"}
    assert cdr.column_names(None) == ()
