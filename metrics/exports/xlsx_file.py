"""Tables as an Excel workbook, written row by row in constant memory."""

from __future__ import annotations

import datetime as dt
from typing import IO, TYPE_CHECKING, Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from metrics.exports.document import (
    DAY,
    INSTANT,
    NUMBER,
    PERCENT,
    SECONDS,
    Document,
    Sheet,
    figures_of,
)

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

ROWS_A_SHEET: Final = 1_000_000  # Excel has room for 1,048,576
CONTENT_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SECONDS_A_DAY: Final = 86_400
# Excel reckons in days: an instant is local and naive there, a length a part of a day.
_NUMBER_FORMATS: Final = {
    INSTANT: "yyyy-mm-dd hh:mm:ss",
    DAY: "yyyy-mm-dd",
    SECONDS: "[h]:mm:ss",
    PERCENT: "0.0%",
    NUMBER: "#,##0",
}
_WIDTHS: Final = {INSTANT: 19, DAY: 12, SECONDS: 11, PERCENT: 11, NUMBER: 11}


def write_xlsx(document: Document, file: IO[bytes] | str) -> None:
    """Writes the workbook: a sheet that says what it is and its figures, then the tables."""
    import xlsxwriter  # large, and seldom needed

    workbook = xlsxwriter.Workbook(
        file,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    formats = _formats(workbook)
    bold = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    try:
        _write_summary(workbook, document, bold)
        for sheet in document.sheets:
            _write_sheet(workbook, sheet, formats, bold)
    finally:
        workbook.close()


def _formats(workbook: Workbook, **more: Any) -> dict[str, Format]:
    return {
        kind: workbook.add_format({"num_format": written, **more})
        for kind, written in _NUMBER_FORMATS.items()
    }


def _write_summary(workbook: Workbook, document: Document, bold: Format) -> None:
    """Figures stand beside their names, not at the far end of a column made for sentences."""
    page = workbook.add_worksheet(_("Summary"))
    formats = _formats(workbook, align="left")
    name = workbook.add_format({"valign": "top"})
    wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
    page.set_column(0, 0, 28)
    page.set_column(1, 1, 80)
    page.write_string(0, 0, document.title, bold)
    row = 2
    for label, words in document.about:
        page.write_string(row, 0, label, name)
        page.write_string(row, 1, words, wrapped)
        row += 1
    for note in document.notes:
        page.write_string(row, 0, note, bold)
        row += 1
    row += 1
    for figure in figures_of(document.sums):
        page.write_string(row, 0, figure.label)
        _write_cell(page, row, 1, figure.kind, figure.value, formats)
        row += 1
    row += 1
    page.write_string(row, 0, _("What the figures mean"), bold)
    for number, (label, sentence) in enumerate(document.definitions, start=row + 1):
        page.write_string(number, 0, label, name)
        page.write_string(number, 1, sentence, wrapped)


def _write_sheet(
    workbook: Workbook, sheet: Sheet, formats: dict[str, Format], bold: Format
) -> None:
    """The table, on as many sheets as it needs."""
    page, row, number = _new_page(workbook, sheet, bold, 1), 0, 1
    for values in sheet.rows():
        if row == ROWS_A_SHEET:
            page.autofilter(0, 0, row, len(sheet.heads) - 1)
            page, row, number = _new_page(workbook, sheet, bold, number + 1), 0, number + 1
        row += 1
        for column, (head, value) in enumerate(zip(sheet.heads, values, strict=True)):
            _write_cell(page, row, column, head.kind, head.in_words(value), formats)
    page.autofilter(0, 0, row, len(sheet.heads) - 1)


def _new_page(workbook: Workbook, sheet: Sheet, bold: Format, number: int) -> Worksheet:
    page = workbook.add_worksheet(sheet.title if number == 1 else f"{sheet.title} {number}")
    page.freeze_panes(1, 0)
    page.set_landscape()
    page.fit_to_pages(1, 0)  # printed as wide as one page
    page.repeat_rows(0)
    for column, head in enumerate(sheet.heads):
        page.set_column(column, column, _WIDTHS.get(head.kind, 24))
        page.write_string(0, column, str(head.label), bold)
    return page


def _write_cell(
    page: Worksheet, row: int, column: int, kind: str, value: Any, formats: dict[str, Format]
) -> None:
    """Text is written as text whatever it begins with, so that nothing runs as a formula."""
    if value is None or value == "":
        return
    if kind == INSTANT:
        local = timezone.localtime(dt.datetime.fromisoformat(value))
        page.write_datetime(row, column, local.replace(tzinfo=None), formats[kind])
    elif kind == DAY:
        page.write_datetime(row, column, value, formats[kind])
    elif kind == SECONDS:
        page.write_number(row, column, value / _SECONDS_A_DAY, formats[kind])
    elif kind == PERCENT:
        page.write_number(row, column, value / 100, formats[kind])
    elif kind == NUMBER:
        page.write_number(row, column, value, formats[kind])
    else:
        page.write_string(row, column, str(value))
