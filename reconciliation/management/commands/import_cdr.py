"""Reads Asterisk's call detail records and confirms or completes the recorded calls."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from calls.models import ProviderAccount
from calls.providers.asterisk import Asterisk, cdr
from reconciliation.formats.files import lines_of
from reconciliation.management import imports
from reconciliation.models import ProviderRecord, RecordImport

_ZIPPED = (b"PK\x03\x04", b"\x1f\x8b")
_NO_LINKEDID = (
    "The records have no linkedid: the rows of one call were put together by the names of its "
    "channels. To have it, set newcdrcolumns=yes and loguniqueid=yes in cdr.conf and reload "
    "(a table needs a column linkedid)."
)


class Command(BaseCommand):
    help = "Confirms and completes the calls of an Asterisk account from its CDR file (CSV)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="such as Master.csv")
        parser.add_argument("--account", required=True, metavar="NAME")
        parser.add_argument(
            "--columns",
            default="",
            metavar="NAMES",
            help="What the file's columns hold, if neither their names nor their order tells: "
            "names in their order with commas, or pairs such as 'start=Call Date,channel=Canal' "
            "(or a place: start=3).",
        )
        parser.add_argument(
            "--keep-columns",
            action="store_true",
            help="Keeps --columns in the account's settings for the next files.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Changes nothing.")

    @no_translations
    def handle(
        self,
        *args: Any,
        file: Path,
        account: str,
        columns: str,
        keep_columns: bool,
        dry_run: bool,
        **options: Any,
    ) -> None:
        found = ProviderAccount.objects.filter(kind=Asterisk.kind, name=account).first()
        if found is None:
            raise CommandError(f"There is no Asterisk account {account}.")
        if _is_empty(file):
            self.stdout.write(_counts(RecordImport(), {}, dry_run=dry_run))
            return
        try:
            what = _draft(found, file, columns)
            what = imports.looked_at(what) if dry_run else imports.taken_in(what)
        except imports.Refused:
            raise CommandError(f"Nothing in {file} could be read.") from None
        self._tell(what, dry_run=dry_run)
        if _lacks_linkedids(found, file, what):
            self.stdout.write(_NO_LINKEDID)
        self.stdout.write(_counts(what, what.plan if dry_run else vars(what), dry_run=dry_run))
        if what.unreadable and not what.records:
            raise CommandError(f"Nothing in {file} could be read.")
        if keep_columns and columns and not dry_run:
            found.settings["cdr_columns"] = columns
            found.save(update_fields=["settings"])

    def _tell(self, what: RecordImport, *, dry_run: bool) -> None:
        for sentence in imports.faults(what):
            self.stdout.write(sentence)
        if dry_run:
            for one in what.plan["examples"].get(ProviderRecord.DIFFERENT, []):
                self.stdout.write(imports.difference(one["line"], one["differences"]))
            return
        held = what.held.select_related("call", "brought_by").order_by("pk")
        for sentence in imports.differences(held.filter(outcome=ProviderRecord.DIFFERENT)):
            self.stdout.write(sentence)
        for record in held.exclude(note="").iterator():
            self.stdout.write(f"line {record.line}: {record.note}")


def _counts(what: RecordImport, counts: Mapping[str, int], *, dry_run: bool) -> str:
    """The line that programs read. Records that are known already are of calls that match."""
    matched = sum(counts.get(name, 0) for name in ("confirmed", "different", "repeated"))
    return (
        f"{what.rows - what.unreadable} rows: {matched} calls matched, "
        f"{counts.get('completed', 0)} corrected, "
        f"{counts.get('created', 0)} new, {what.unreadable} lines not readable"
        + (" (dry run: nothing was changed)" if dry_run else "")
    )


def _is_empty(file: Path) -> bool:
    """CommandError where the file cannot be read, or is no text."""
    try:
        with file.open("rb") as opened:
            beginning = opened.read(4)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    if beginning.startswith(_ZIPPED):
        raise CommandError(f"{file} is no text: save it as CSV first.")
    return not beginning


def _draft(account: ProviderAccount, file: Path, columns: str) -> RecordImport:
    _zone(account)
    named = cdr.column_names(columns or account.settings.get("cdr_columns"))
    places = named if isinstance(named, dict) else {name: n for n, name in enumerate(named)}
    return imports.begun(account, file, "asterisk_csv", {"skip_bad": True}, places)


def _zone(account: ProviderAccount) -> ZoneInfo:
    name = str(account.settings.get("timezone") or settings.TIME_ZONE)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CommandError(f"{account.name}: {name!r:.60} is no time zone.") from None


def _lacks_linkedids(account: ProviderAccount, file: Path, what: RecordImport) -> bool:
    """Whether there are rows, and none of them has a linkedid."""
    if not what.records:
        return False
    given = what.reading.get("columns") or {}
    places = {ours: str(n + 1) if isinstance(n, int) else n for ours, n in given.items()}
    lines = (one for one in lines_of(file) if isinstance(one, str))
    found = cdr.read_lines((line.rstrip("\r\n") for line in lines), _zone(account), places)
    return not any(isinstance(row, cdr.CdrRow) and row.linkedid for row in found)
