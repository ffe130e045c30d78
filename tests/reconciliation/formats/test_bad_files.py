"""Files as people have them: cut off, of another encoding or separator, with lengths and times in
every way there is. What cannot be read is said by line, or for the file, in a sentence.
"""

import datetime as dt
import io
import json
import zipfile
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciliation.call_record import BadLine, CallRecord
from reconciliation.formats.catalogue import FORMATS, UnreadableFile, detect
from tests.reconciliation.formats.reading import FIXTURES, RECORDS, context, ms, read_file

HEAD = "Call ID,Agent,Number,Direction,Start time,End time,Duration,Talk time,Status\n"
ROW = "a1,1001,+50688880001,outbound,2026-01-05 10:00:00,2026-01-05 10:01:50,110,101,Answered\n"
TABLE = HEAD + ROW
START = ms("2026-01-05 10:00:00")


def row(**cells):
    names = dict(zip(HEAD.strip().split(","), ROW.strip().split(","), strict=True))
    return ",".join(
        (names | {name.replace("_", " "): cell for name, cell in cells.items()}).values()
    )


def whys(bad):
    return [(one.line, one.why) for one in bad]


# --- The file -------------------------------------------------------------------------------------


def packed(names):
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return kept.getvalue()


def workbook(*rows):
    book = openpyxl.Workbook()
    for cells in rows:
        book.active.append(cells)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "There is nothing in this file."),
        (b"\xef\xbb\xbf\r\n \r\n", "There is nothing in this file."),
        (b"%PDF-1.7\n%abc", "This is a PDF. Export the calls as CSV or Excel instead."),
        (b"\x1f\x8b\x08\0\0", "This is a compressed file. Unpack it and try again."),
        (packed(["calls.csv"]), "This is a compressed file. Unpack it and try again."),
        (
            packed(["mimetype", "content.xml"]),
            "This is no Excel file. Save it as .xlsx or CSV and try again.",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "This is an old Excel file. Save it as .xlsx and try again.",
        ),
        (
            b"<html><table><tr><td>calls</td></tr></table>",
            "This is a web page, even if its name says Excel. Save it as CSV or .xlsx.",
        ),
        (bytes(range(256)) * 8, "This is no text, or it is damaged."),
        (
            workbook(["Start time", "Duration"], ["2026-01-05 10:00:00", 10])[:-60],
            "This Excel file is not complete: perhaps it was cut off on its way.",
        ),
    ],
)
def test_a_file_that_is_none(desk, content, why):
    with pytest.raises(UnreadableFile) as refused:
        detect(desk.file(content), "generic")
    assert str(refused.value) == why


def test_other_columns_than_those_of_the_format(desk):
    with pytest.raises(UnreadableFile) as refused:
        FORMATS["zoom_csv"].read(desk.file("Name,Colour\nAna,red\n"), {}, context())
    assert str(refused.value) == "The file has no column for: Start (date and time)."
    with pytest.raises(UnreadableFile) as refused:
        FORMATS["table"].read(desk.file("Start time,Colour\n2026-01-05,red\n"), {}, context())
    assert "No column says how long the calls were" in str(refused.value)
    with pytest.raises(UnreadableFile):
        FORMATS["asterisk_csv"].read(desk.file(TABLE), {}, context())
    with pytest.raises(UnreadableFile):
        FORMATS["freeswitch_json"].read(desk.file(TABLE), {}, context())
    with pytest.raises(UnreadableFile) as refused:
        FORMATS["table"].read(desk.file(TABLE), {"time_zone": "Mars/Olympus"}, context())
    assert str(refused.value) == "“Mars/Olympus” is no time zone."


@pytest.mark.parametrize("separator", [";", "\t", "|", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_separators_and_encodings(desk, separator, encoding):
    text = (HEAD + row(Agent="Íñigo Muñoz")).replace(",", separator)
    (one,), bad = desk.read(text.replace("\n", "\r\n").encode(encoding))
    assert (one.agents, one.start, one.talk, bad) == (("Íñigo Muñoz",), START, 101_000, [])


def test_separators_in_cells_and_excels_hint(desk):
    text = 'sep=;\nInicio;Duración;Agente\n05/01/2026 10:00:00;1,5 min;"Mora; Ana ""la jefa"""\n'
    (one,), bad = desk.read(text)
    assert (one.duration, one.agents, bad) == (90_000, ('Mora; Ana "la jefa"',), [])


def test_nul_bytes_and_a_last_line_that_is_cut_off(desk):
    records, bad = desk.read(
        TABLE + "a2,10\0" + "02,+506888\n" + row(Call_ID="a3") + "\na4,1001,+5"
    )
    assert [one.call for one in records] == ["a1", "a3"]
    assert whys(bad) == [
        (3, "3 cells instead of 9."),
        (5, "The file ends in the middle of this line."),
    ]


def test_a_quote_that_never_ends_spoils_its_line_alone(desk):
    text = (
        HEAD
        + row(Call_ID="a1", Agent='"Ana')
        + "\n"
        + "".join(row(Call_ID=f"b{n}") + "\n" for n in range(100))
    )
    records, bad = desk.read(text)
    assert [one.line for one in bad] == [2]
    assert [one.call for one in records] == [f"b{n}" for n in range(100)]


def test_cells_over_several_lines_keep_the_count_of_lines(desk):
    text = HEAD + row(Agent='"Ana\nMora"') + "\n" + row(Call_ID="a2", Start_time="never")
    (one,), bad = desk.read(text)
    assert (one.lines, one.agents) == ((2,), ("Ana\nMora",))
    assert whys(bad) == [(4, "“never” is no time.")]


def test_titles_above_the_head_and_totals_below(desk):
    (one,), bad = desk.read(f"Report of calls\n\nJanuary 2026\n{TABLE}Total,,,,,,110,101,\n")
    assert (one.call, one.lines) == ("a1", (5,))
    assert whys(bad) == [(6, "There is no start in this line.")]


def test_excel(desk):
    start = dt.datetime(2026, 1, 5, 10)
    content = workbook(
        ["Inicio", "Número", "Duración", "Tiempo de conversación", "Precio", "Moneda"],
        [start, 50688880001, dt.timedelta(seconds=110), dt.time(0, 1, 41), "-$1,250.50", "usd"],
        [start, 50688880002, 90.5, 80, None, None],
    )
    records, bad = desk.read(content)
    assert [(one.start, one.number, one.duration, one.talk) for one in records] == [
        (START, "50688880001", 110_000, 101_000),
        (START, "50688880002", 90_500, 80_000),
    ]
    assert (records[0].price, records[0].currency, bad) == (Decimal("1250.50"), "USD", [])


def test_a_table_without_names_is_mapped_by_place(desk):
    path = desk.file("2026-01-05 10:00:00,1001,110\n")
    look = FORMATS["table"].look(path, {})
    assert look.remarks and not any(field.column for field in look.fields)
    mapping = {"start": 0, "agent": 1, "duration": "2"}
    (one,) = FORMATS["table"].read(path, {"columns": mapping}, context())
    assert (one.start, one.agents, one.duration) == (START, ("1001",), 110_000)


def test_a_look_completes_the_reading(desk):
    look = FORMATS["table"].look(desk.file(TABLE), {})
    assert look.head == HEAD.strip().split(",") and look.samples == [ROW.strip().split(",")]
    assert json.loads(json.dumps(look.reading)) == look.reading
    assert look.reading["columns"]["start"] == "Start time"
    assert {"encoding", "separator", "date_order", "length_unit", "rounding"} == look.choices.keys()
    assert next(field for field in look.fields if field.name == "start").required


# --- Lengths --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "length", "unit"),
    [
        *[("00:01:50", 110_000, 1000), ("1:50", 110_000, 1000), ("110", 110_000, 1000)],
        *[("110,5", 110_500, 100), ("110.25", 110_250, 10), ("1 min 50 s", 110_000, 1000)],
        *[("1m 50s", 110_000, 1000), ("110 segundos", 110_000, 1000), ("PT1M50S", 110_000, 1000)],
        *[("1 h 2 min", 3_720_000, 60_000), ("2 minutos", 120_000, 60_000)],
        *[("110s (1m 50s)", 110_000, 1000), ("00:01:50.5", 110_500, 100)],
    ],
)
def test_lengths(desk, told, length, unit):
    head = "Start time;Duration\n"
    (one,), bad = desk.read(f"{head}2026-01-05 10:00:00;{told}\n")
    assert (one.duration, one.unit, one.end, bad) == (length, unit, START + length, [])


@pytest.mark.parametrize(
    ("head", "told", "length"),
    [
        *[("Duration (min)", "1,5", 90_000), ("Duración (minutos)", "2", 120_000)],
        *[("duration_ms", "1500", 1_500), ("durationSeconds", "90", 90_000)],
    ],
)
def test_units_of_columns(desk, head, told, length):
    (one,), _bad = desk.read(f"Start time;{head}\n2026-01-05 10:00:00;{told}\n")
    assert one.duration == length
    (other,), _bad = desk.read(f"Start time;{head}\n2026-01-05 10:00:00;2\n", length_unit="min")
    assert other.duration == 120_000


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"Duration": "soon"}, "“soon” is no length."),
        ({"Duration": "99999999"}, "99999999 is longer than a day."),
        ({"Start_time": "31/02/2026 10:00"}, "“31/02/2026 10:00” is no time."),
        ({"Start_time": "2026-01-05 25:00:00"}, "“2026-01-05 25:00:00” is no time."),
        ({"Start_time": "2027-12-31 10:00:00"}, "2027-12-31 10:00:00 is in the future."),
        ({"Start_time": "1066-01-05 10:00:00"}, "“1066-01-05 10:00:00” is no time of a call."),
        ({"Start_time": ""}, "There is no start in this line."),
        ({"End_time": "2026-01-05 09:00:00"}, "The call ends before it begins."),
        ({"Agent": "Mora, Ana"}, "10 cells instead of 9."),
    ],
)
def test_lines_that_cannot_be_read(desk, cells, why):
    records, bad = desk.read(TABLE + row(**cells) + "\n")
    assert [one.call for one in records] == ["a1"] and whys(bad) == [(3, why)]


def test_a_comma_that_may_be_thousands(desk):
    _none, bad = desk.read("Start time;Duration\n2026-01-05 10:00:00;1,234\n")
    assert "could be a thousand times as long" in bad[0].why


def test_the_same_row_twice_has_the_same_key(desk):
    anonymous = row(Call_ID="")
    records, _bad = desk.read(TABLE + ROW + anonymous + "\n" + anonymous + "\n")
    keys = [one.key for one in records]
    assert keys[0] == keys[1] != keys[2] == keys[3]


# --- Times ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    [
        *["05/01/2026 10:00:00", "5-1-2026 10:00:00", "05.01.2026 10:00:00", "5/1/26 10:00:00"],
        *["2026-01-05T10:00:00Z", "2026-01-05 11:00:00+01:00", "Mon, 05 Jan 2026 10:00:00 +0000"],
        *["05/01/2026 10:00:00 a. m.", "5 ene 2026 10:00:00", "Jan 5, 2026 10:00:00 AM"],
        *["1767607200", "1767607200000", "05:00:00 EST 2026-01-05", "2026/01/05 10:00:00 UTC"],
        *["5 de enero de 2026, 10:00:00", "2026-01-05 10:00:00.000"],
    ],
)
def test_times(desk, told):
    (one,), bad = desk.read(f"Start time;Duration\n{told};10\n", date_order="dmy")
    assert (one.start, bad) == (START, [])


def test_the_half_of_the_day(desk):
    text = "Fecha;Hora;Duración\n05/01/2026;12:05 a. m.;10\n05/01/2026;12:05 p. m.;10\n"
    records, _bad = desk.read(text)
    day = ms("2026-01-05 00:00:00")
    assert [one.start - day for one in records] == [300_000, 12 * 3_600_000 + 300_000]
    assert records[0].precision >= 60_000


def test_an_end_after_midnight(desk):
    (one,), _bad = desk.read("Fecha;Hora;Hora de fin\n05/01/2026;23:59:30;00:01:00\n")
    assert one.end - one.start == 90_000


@pytest.mark.parametrize(
    ("dates", "order", "asks"),
    [
        (["05/01/2026", "13/01/2026"], "dmy", False),
        (["01/05/2026", "01/13/2026"], "mdy", False),
        (["05/01/2026", "06/02/2026"], "dmy", True),
    ],
)
def test_the_order_of_dates_is_guessed_over_all_and_asked_for(desk, dates, order, asks):
    lines = "".join(f"{date} 10:00:00;10\n" for date in dates)
    look = FORMATS["table"].look(desk.file(f"Start time;Duration\n{lines}"), {})
    assert look.reading["date_order"] == order and "date_order" in look.choices
    assert any("day or the month" in remark for remark in look.remarks) == asks


def madrid(desk, *times, **columns):
    names = ["Start time", *columns]
    lines = [";".join(cells) for cells in zip(times, *columns.values(), strict=True)]
    text = "\n".join([";".join(names), *lines]).replace("End", "End time")
    return desk.read(text + "\n", zone="Europe/Madrid")


TWICE = [
    f"2026-10-25 {clock}:00" for clock in ("01:30", "02:10", "02:50", "02:05", "02:40", "03:10")
]


@pytest.mark.parametrize("backwards", [False, True])
def test_the_hour_that_comes_twice_by_the_order_of_the_file(desk, backwards):
    times = TWICE[::-1] if backwards else TWICE
    records, bad = madrid(desk, *times, Duration=["10"] * 6)
    starts = [one.start for one in (records[::-1] if backwards else records)]
    assert starts == [
        ms(f"2026-10-{when}:00")
        for when in ("24 23:30", "25 00:10", "25 00:50", "25 01:05", "25 01:40", "25 02:10")
    ]
    assert not bad and not any(one.doubtful for one in records)


def test_the_hour_that_comes_twice_by_the_length(desk):
    (one,), _bad = madrid(
        desk, "2026-10-25 02:50:00", Duration=["1800"], End=["2026-10-25 02:20:00"]
    )
    assert (one.start, one.doubtful) == (ms("2026-10-25 00:50:00"), "")
    assert one.end == one.start + 1_800_000


def test_the_hour_that_comes_twice_and_nothing_tells(desk):
    (one,), _bad = madrid(desk, "2026-10-25 02:30:00", Duration=["10"])
    assert one.start == ms("2026-10-25 00:30:00")
    assert one.doubtful == "The clocks were put back in that night: it may be an hour later."


def test_the_hour_that_does_not_exist(desk):
    _none, bad = madrid(desk, "2026-03-29 02:30:00", Duration=["10"])
    assert whys(bad) == [
        (
            2,
            "2026-03-29 02:30:00 did not exist in Europe/Madrid: the clocks were put forward then.",
        )
    ]


def test_asterisks_times_when_clocks_change(desk):
    """The Uniqueid has the second in which the channel was made, and so tells which hour it is."""
    line = (
        '"","1001","88880001","from-internal","","PJSIP/1001-0000000a","PJSIP/itsp-0000000b",'
        '"Dial","","2026-{day}:00","2026-{day}:09","2026-{day}:50","50","41","ANSWERED",'
        '"DOCUMENTATION","{id}",""\n'
    )
    second = ms("2026-10-25 01:30:00")
    known = line.format(day="10-25 02:30", id=f"{second // 1000}.1")
    unsure = line.format(day="10-25 02:30", id="")
    skipped = line.format(day="03-29 02:30", id="")
    records, bad = desk.read(known + unsure + skipped, "asterisk", zone="Europe/Madrid")
    assert [(one.start, bool(one.doubtful)) for one in records] == [
        (second, False),
        (second - 3_600_000, True),
    ]
    assert [one.line for one in bad] == [3] and "did not exist" in bad[0].why


def test_asterisks_lines_that_cannot_be_read(desk):
    good = (FIXTURES / "cdr" / "freepbx-table.csv").read_text()
    later = good.splitlines()[1].replace("2026-01-05 10:00:00", "2031-01-05 10:00:00")
    bad_end = good.splitlines()[1].replace("ANSWERED", "PERHAPS")
    records, bad = desk.read(f"{good}{later}\n{bad_end}\n{good.splitlines()[1][:70]}", "asterisk")
    assert len(records) == 2
    assert whys(bad) == [
        (4, "This call is in the future."),
        (5, "Unknown disposition 'PERHAPS'."),
        (6, "The file ends in the middle of this line."),
    ]


# --- Whatever the bytes ---------------------------------------------------------------------------

SEEDS = [
    *(path.read_bytes() for path in sorted(RECORDS.iterdir())),
    (FIXTURES / "cdr" / "freepbx-table.csv").read_bytes(),
    (FIXTURES / "freeswitch" / "a.json").read_bytes(),
    TABLE.encode("utf-16"),
    workbook(["Start time", "Duration"], [dt.datetime(2026, 1, 5), 10]),
]


@st.composite
def files(draw):
    """Bytes, or a real file that was damaged: cut, something in its midst exchanged or repeated."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=300)) or b"\0"
    whole = draw(st.sampled_from(SEEDS))
    first, second = sorted(draw(st.integers(0, len(whole))) for _ in range(2))
    damage = draw(
        st.binary(max_size=20) | st.sampled_from([b'"', b"{", b"</cdr>", b"\n", b"99999"])
    )
    return draw(
        st.sampled_from(
            [
                whole[:second],
                whole[:first] + damage + whole[second:],
                whole[:first] + damage + whole[first:],
            ]
        )
    )


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(content=files(), kind=st.sampled_from(["asterisk", "freeswitch", "twilio", "generic"]))
def test_no_bytes_raise_anything_else(desk, content, kind):
    path = desk.file(content)
    try:
        code, reading = detect(path, kind)
    except UnreadableFile:
        code, reading = "table", {}
    for one in {code or "table", "asterisk_csv", "freeswitch_json", "freeswitch_xml", "twilio_csv"}:
        try:
            FORMATS[one].look(path, reading if one == code else {})
            found = list(
                FORMATS[one].read(path, reading if one == code else {}, context("Europe/Madrid"))
            )
        except UnreadableFile as refused:
            assert str(refused)
            continue
        for each in found:
            if isinstance(each, BadLine):
                assert each.line >= 1 and each.why
            else:
                assert isinstance(each, CallRecord)
                assert each.lines and each.key and len(each.key) <= 160
                assert each.end is None or each.end >= each.start


def test_every_format_has_its_file():
    """Each format that a file can be of is found by itself."""
    kinds = {"3cx-log.csv": "generic", "freeswitch.csv": "freeswitch"}
    found = {
        read_file(path, kinds.get(path.name, path.name.split(".")[0].split("-")[0]))[0]
        for path in RECORDS.iterdir()
    }
    found |= {"asterisk_csv", "freepbx_csv", "freeswitch_json", "freeswitch_xml", "table"}
    fetched = {code for code in FORMATS if code.endswith("_api")}
    assert found == FORMATS.keys() - fetched
