"""Rows of an Excel file, a row at a time."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext as _

from common.tables import cell_of
from reconciliation.call_record import BadLine
from reconciliation.formats.base import UnreadableFile
from reconciliation.formats.files.separated import Row

MOST_UNPACKED: Final = 2 * 1024**3  # bytes; a sheet can hold a million rows
_MOST_SHARED: Final = 256 * 1024**2  # texts that all cells share stand in memory
_MOST_CELLS: Final = 500  # of a row


class Book:
    """An open Excel file."""

    def __init__(self, path: Path):
        import openpyxl  # large, and seldom needed

        _refuse(path)
        self._file = path.open("rb")  # by its name alone it would be refused
        try:
            self._book = openpyxl.load_workbook(self._file, read_only=True, data_only=True)
            self.sheets: list[str] = [str(sheet.title) for sheet in self._book.worksheets]
        except Exception as error:  # openpyxl raises whatever a damaged part of the file provokes
            self._file.close()
            raise UnreadableFile(_("This Excel file is damaged or protected.")) from error
        if not self.sheets:
            raise UnreadableFile(_("There is nothing in this file."))

    def rows(self, name: str) -> Iterator[Row | BadLine]:
        """The rows of a sheet that have anything in them; formulas as what they last came to."""
        number = width = 0
        try:
            sheet = self._book[name]
            sheet.reset_dimensions()
            for number, values in enumerate(_values(sheet), start=1):
                cells = [cell_of(value) for value in values[:_MOST_CELLS]]
                width = max(width, len(cells))  # empty cells at the end are not there
                if any(cells):
                    yield Row(number, cells + [""] * (width - len(cells)))
        except Exception:  # as above
            yield BadLine(number + 1, _("The file is damaged from here on."))

    def close(self) -> None:
        self._book.close()
        self._file.close()


def _values(sheet: Any) -> Iterator[tuple[Any, ...]]:
    yield from sheet.iter_rows(values_only=True)


def _refuse(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            members = packed.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableFile(
            _("This Excel file is not complete: perhaps it was cut off on its way.")
        ) from error
    names = {member.filename for member in members}
    if "xl/workbook.xml" not in names:
        raise UnreadableFile(
            _("This is a compressed file. Unpack it and try again.")
            if "mimetype" not in names
            else _("This is no Excel file. Save it as .xlsx or CSV and try again.")
        )
    shared = [one.file_size for one in members if one.filename == "xl/sharedStrings.xml"]
    if sum(one.file_size for one in members) > MOST_UNPACKED or sum(shared) > _MOST_SHARED:
        raise UnreadableFile(_("The file is too large once it is unpacked. Save it as CSV."))
