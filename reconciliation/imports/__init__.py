"""An import from file to ledger: looked at, run by the worker, taken back."""

from reconciliation.imports.drafts import examine, look, remove_draft, set_reading, start
from reconciliation.imports.runs import cancel, run, take_in, undo

__all__ = [
    "cancel",
    "examine",
    "look",
    "remove_draft",
    "run",
    "set_reading",
    "start",
    "take_in",
    "undo",
]
