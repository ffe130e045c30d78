"""What a spreadsheet program would do with a cell of ours."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_first: Final = itemgetter(slice(1))  # character, if any


def harmless(cell: Any) -> Any:
    """Text that a spreadsheet would run as a formula, behind an apostrophe; else as it stands."""
    if isinstance(cell, str) and cell.startswith(_DANGEROUS):
        return f"'{cell}"
    return cell


def all_harmless(cells: Sequence[str]) -> Sequence[str]:
    """The same of a whole column of text, where most often none is dangerous."""
    if set(map(_first, cells)).isdisjoint(_DANGEROUS):
        return cells
    return [f"'{cell}" if cell[:1] in _DANGEROUS else cell for cell in cells]
