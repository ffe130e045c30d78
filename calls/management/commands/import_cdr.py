"""Reads Asterisk's call detail records and confirms or completes the recorded calls."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from calls.models import ProviderAccount
from calls.providers.asterisk import Asterisk, cdr
from calls.providers.asterisk.dialplan import Dialplan
from calls.telephony.cdr_reconciliation import ReconciliationReport, confirm
from calls.telephony.hooks import adapter_of
from calls.telephony.listening.listener import names_of_agents

_MOST_TOLD = 50  # lines that are named one by one
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
        given = cdr.column_names(columns or found.settings.get("cdr_columns"))
        rows, bad = _read(file, _zone(found), given)
        report = confirm(found, cdr.parts(rows, _dialplan(found)), dry_run=dry_run)
        self._tell_lines(bad, report)
        if rows and not any(row.linkedid for row in rows):
            self.stdout.write(_NO_LINKEDID)
        self.stdout.write(
            f"{len(rows)} rows: {report.matched} calls matched, {report.corrected} corrected, "
            f"{report.new} new, {len(bad)} lines not readable"
            + (" (dry run: nothing was changed)" if dry_run else "")
        )
        if bad and not rows:
            raise CommandError(f"Nothing in {file} could be read.")
        if keep_columns and columns and not dry_run:
            found.settings["cdr_columns"] = columns
            found.save(update_fields=["settings"])

    def _tell_lines(self, bad: list[tuple[int, str]], report: ReconciliationReport) -> None:
        for line, why in bad[:_MOST_TOLD]:
            self.stdout.write(f"line {line} is not readable: {why}")
        if len(bad) > _MOST_TOLD:
            self.stdout.write(f"... and {len(bad) - _MOST_TOLD} lines more")
        for difference in report.differ:
            self.stdout.write(f"{difference}; left as recorded")
        for doubt in report.doubtful:
            self.stdout.write(doubt)


def _read(
    file: Path, zone: ZoneInfo, columns: cdr.ColumnNames
) -> tuple[list[cdr.CdrRow], list[tuple[int, str]]]:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    if raw.startswith(_ZIPPED):
        raise CommandError(f"{file} is no text: save it as CSV first.")
    read = list(cdr.read(raw, zone, columns))
    rows = [one for one in read if isinstance(one, cdr.CdrRow)]
    return rows, [one for one in read if not isinstance(one, cdr.CdrRow)]


def _zone(account: ProviderAccount) -> ZoneInfo:
    name = str(account.settings.get("timezone") or settings.TIME_ZONE)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CommandError(f"{account.name}: {name!r:.60} is no time zone.") from None


def _dialplan(account: ProviderAccount) -> Dialplan:
    adapter = adapter_of(account)
    assert isinstance(adapter, Asterisk)
    dialplan = adapter.dialplan
    dialplan.known = names_of_agents(account)
    return dialplan
