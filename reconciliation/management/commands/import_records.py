"""Brings in a phone system's own records, of whatever format."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from calls.models import ProviderAccount
from reconciliation.formats.catalogue import FORMATS
from reconciliation.management import imports
from reconciliation.models import ProviderRecord, RecordImport


class Command(BaseCommand):
    help = "Confirms and completes the calls of an account from its phone system's own records."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--account", required=True, metavar="NAME")
        parser.add_argument(
            "--format", default="", choices=["", *FORMATS], help="Guessed where it is not given."
        )
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="FIELD=COLUMN",
            help="Which column holds a field, such as start='Call Date' (or a place from 1).",
        )
        parser.add_argument("--time-zone", default="", metavar="ZONE", help="of its local times")
        parser.add_argument("--dry-run", action="store_true", help="Changes nothing.")
        parser.add_argument(
            "--skip-bad",
            action="store_true",
            help="Leaves out lines that cannot be read; without it, one such line stops it all.",
        )
        parser.add_argument(
            "--keep-mapping", action="store_true", help="The account's next files are read so, too."
        )

    @no_translations
    def handle(
        self,
        *args: Any,
        file: Path,
        account: str,
        format: str,
        map: list[str],
        time_zone: str,
        dry_run: bool,
        skip_bad: bool,
        keep_mapping: bool,
        **options: Any,
    ) -> None:
        found = ProviderAccount.objects.filter(name=account).first()
        if found is None:
            raise CommandError(f"There is no account {account}.")
        reading: dict[str, Any] = {"skip_bad": skip_bad}
        if time_zone:
            reading["time_zone"] = time_zone
        what = imports.begun(found, file, format, reading, _columns(map))
        if dry_run:
            self._tell(imports.looked_at(what), what.plan, " (dry run: nothing was changed)")
            return
        try:
            imports.taken_in(what, keep_mapping=keep_mapping)
        except imports.Refused as refusal:
            for sentence in imports.faults(what):
                self.stderr.write(sentence)
            if what.faults:
                raise CommandError(f"{refusal} With --skip-bad they are left out.") from None
            raise
        self._tell(what, vars(what), f" (import {what.pk})")

    def _tell(self, what: RecordImport, counts: Any, end: str) -> None:
        for sentence in (*imports.faults(what), *imports.notes(what)):
            self.stdout.write(sentence)
        if what.skew_ms:
            self.stdout.write(f"The phone system's clock is {what.skew_ms / 1000:+.1f} s off ours.")
        words = {
            "confirmed": "confirmed",
            "completed": "completed",
            ProviderRecord.DIFFERENT: "different",
            "created": "new",
            "repeated": "known already",
            "left_out": "left out",
        }
        said = ", ".join(f"{counts[name]} {word}" for name, word in words.items())
        self.stdout.write(
            f"{what.records} records: {said}, {what.unreadable} lines not readable{end}"
        )


def _columns(pairs: list[str]) -> dict[str, str | int]:
    columns: dict[str, str | int] = {}
    for pair in pairs:
        field, mark, column = pair.partition("=")
        if not mark or not field.strip() or not column.strip():
            raise CommandError(f"--map {pair}: write FIELD=COLUMN.")
        place = column.strip()
        columns[field.strip()] = int(place) - 1 if place.isdecimal() else place
    return columns
