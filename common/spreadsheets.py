"""What a spreadsheet program would do with a cell of ours."""

from typing import Any, Final

_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(cell: Any) -> Any:
    """Text that a spreadsheet would run as a formula, behind an apostrophe; else as it stands."""
    if isinstance(cell, str) and cell.startswith(_DANGEROUS):
        return f"'{cell}"
    return cell
