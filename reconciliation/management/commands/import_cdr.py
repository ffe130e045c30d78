"""Reads Asterisk's call detail records and confirms or completes the recorded calls."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from calls.models import ProviderAccount
from calls.providers.asterisk import Asterisk, cdr
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
        what = _draft(found, file, columns)
        what = imports.looked_at(what) if dry_run else imports.taken_in(what)
        self._tell(what, dry_run=dry_run)
        if what.unreadable and not what.records:
            raise CommandError(f"Nothing in {file} could be read.")
        if keep_columns and columns and not dry_run:
            found.settings["cdr_columns"] = columns
            found.save(update_fields=["settings"])

    def _tell(self, what: RecordImport, *, dry_run: bool) -> None:
        for sentence in imports.faults(what):
            self.stdout.write(sentence)
        if dry_run:
            counts = what.plan
            for one in counts["examples"].get(ProviderRecord.DIFFERENT, []):
                self.stdout.write(imports.difference(one["line"], one["differences"]))
        else:
            counts = vars(what)
            self._tell_records(what)
        matched = counts["confirmed"] + counts["different"] + counts["repeated"]
        self.stdout.write(
            f"{what.rows} rows: {matched} calls matched, {counts['completed']} corrected, "
            f"{counts['created']} new, {what.unreadable} lines not readable"
            + (" (dry run: nothing was changed)" if dry_run else "")
        )

    def _tell_records(self, what: RecordImport) -> None:
        held = what.held.select_related("call").order_by("pk")
        for sentence in imports.differences(held.filter(outcome=ProviderRecord.DIFFERENT)):
            self.stdout.write(sentence)
        for record in held.exclude(note="").iterator():
            self.stdout.write(f"line {record.line}: {record.note}")


def _draft(account: ProviderAccount, file: Path, columns: str) -> RecordImport:
    """CommandError where the file, or the time zone of its account, cannot be read."""
    try:
        with file.open("rb") as opened:
            beginning = opened.read(4)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    if beginning.startswith(_ZIPPED):
        raise CommandError(f"{file} is no text: save it as CSV first.")
    given = dict(cdr.column_names(columns)) if columns else {}
    return imports.begun(account, file, "asterisk_csv", {"skip_bad": True}, given)
