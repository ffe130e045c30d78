"""Imports as the worker runs them."""

from reconciliation.models import RecordImport


def take_in(what: RecordImport, *, keep_mapping: bool = False) -> None:
    """Has the worker take in a draft; again changes nothing. `keep_mapping`: the account's next
    files are read in the same way. ValidationError where it cannot be taken in."""
    raise NotImplementedError


def undo(what: RecordImport) -> None:
    """Has the worker take back what the import wrote; again changes nothing."""
    raise NotImplementedError


def cancel(what: RecordImport) -> None:
    """A waiting import is a draft again; of a running one, what it wrote is taken back."""
    raise NotImplementedError


def run(pk: int) -> None:
    """Runs, or goes on with, what the import waits for; nothing if it waits for nothing or another
    of its account runs."""
    raise NotImplementedError
