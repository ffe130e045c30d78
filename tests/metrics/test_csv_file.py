"""How a table is written as CSV, byte by byte."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.models import CallLog, Contact, Disposition
from common.spreadsheets import harmless
from metrics.exports.calls import sheet_of_calls
from metrics.exports.csv_file import Style, csv_of
from metrics.exports.document import INSTANT, NUMBER, PERCENT, TEXT, Head, Sheet
from tests.api.test_call_rows import START, ended
from tests.support.doors import client_of

MARK = "\ufeff"
TEXTS = st.text(st.sampled_from("ab ñ😀\u2028'\"\\,;\t\r\n=+-@0\x00"), max_size=4)
NUMBERS = st.none() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, width=32)


def by_the_module(rows: list[list[object]], separator: str) -> str:
    """What the module csv writes of `rows`, of which texts are made harmless first."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(
        [harmless(round(c, 2) if isinstance(c, float) else c) for c in row] for row in rows
    )
    return text.getvalue()


@given(st.lists(st.tuples(TEXTS, NUMBERS, TEXTS)), st.sampled_from([",", ";", "\t"]))
def test_columns_are_written_as_the_module_writes_cells(rows, separator):
    heads = [Head("a", "A"), Head("b", "B", PERCENT), Head("c", "C")]
    sheet = Sheet("T", heads, lambda: [list(zip(*rows, strict=True))] if rows else [])
    written = "".join(csv_of(sheet, Style(separator, mark=False)))
    assert written == by_the_module([["a", "b", "c"], *map(list, rows)], separator)


@pytest.mark.parametrize("kind", [TEXT, NUMBER, INSTANT])
def test_a_line_of_one_empty_cell_is_no_empty_line(kind):
    cells = ["", "x"] if kind == TEXT else [None, 1]
    sheet = Sheet("T", [Head("a", "A", kind)], lambda: [[cells]])
    assert "".join(csv_of(sheet, Style())) == MARK + by_the_module([["a"], *zip(cells)], ",")


# --- Calls, written out ---------------------------------------------------------------------------
COLUMNS = ("start", "agent", "team", "contact", "phone", "status", "end", "duration_seconds")
COLUMNS += ("disposition", "notes")
LINES = {
    "": [
        f"{MARK}start,agent,team,contact,phone,status,end,duration_seconds,disposition,notes",
        "2026-03-08T05:59:58.123Z,,,,,IN_PROGRESS,,,,",
        "2026-03-08T05:59:58.000Z,\"O'Neil, Alice\",Red,'=Ñandú,'+50651234567,COMPLETED,"
        '2026-03-08T06:00:07.000Z,9,sold,"a ""b""\nc; d"',
    ],
    "separator=semicolon&bom=0&labels=1": [
        "Start;Agent;Team;Contact;Phone;Status;End;Duration;Outcome;Notes",
        "2026-03-08T05:59:58.123Z;;;;;In progress;;;;",
        "2026-03-08T05:59:58.000Z;O'Neil, Alice;Red;'=Ñandú;'+50651234567;Completed;"
        '2026-03-08T06:00:07.000Z;9;Sold, at last;"a ""b""\nc; d"',
    ],
    "separator=tab": [
        f"{MARK}start\tagent\tteam\tcontact\tphone\tstatus\tend\tduration_seconds\tdisposition\tnotes",
        "2026-03-08T05:59:58.123Z\t\t\t\t\tIN_PROGRESS\t\t\t\t",
        "2026-03-08T05:59:58.000Z\tO'Neil, Alice\tRed\t'=Ñandú\t'+50651234567\tCOMPLETED\t"
        '2026-03-08T06:00:07.000Z\t9\tsold\t"a ""b""\nc; d"',
    ],
}


@pytest.mark.engines
@pytest.mark.parametrize("query", LINES)
def test_a_file_of_calls(people, query):
    people.alice.first_name = "O'Neil, Alice"
    people.alice.save()
    Disposition.objects.create(code="sold", label_en="Sold, at last", label_es="Vendido")
    contact = Contact.objects.create(name="=Ñandú", phone="+50651234567", owner=people.alice)
    told = {"phone_e164": "+50651234567", "disposition": "sold", "notes": 'a "b"\nc; d'}
    ended(people.alice, START, contact=contact, **told)
    CallLog.objects.create(start_time=START.replace(microsecond=123_456))
    url = f"/calls/export.csv?columns={','.join(COLUMNS)}&{query}"
    answer = client_of(people.ada).get(url, headers={"Accept-Language": "en"})
    assert answer.getvalue().decode() == "".join(f"{line}\r\n" for line in LINES[query])


@pytest.mark.engines
def test_a_file_of_no_calls_has_a_head(people):
    parts = list(csv_of(sheet_of_calls(CallLog.objects.none()), Style(mark=False)))
    assert parts[0].startswith("call_id,agent,") and len(parts) == 1
