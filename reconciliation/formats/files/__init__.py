"""Files as rows of text, a row at a time: separated text of any encoding, and Excel."""

from reconciliation.formats.files.opened import Table
from reconciliation.formats.files.peek import Peek
from reconciliation.formats.files.separated import Row
from reconciliation.formats.files.text import beginning_of, lines_of

__all__ = ["Peek", "Row", "Table", "beginning_of", "lines_of"]
