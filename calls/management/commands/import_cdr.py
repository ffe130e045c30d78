"""Reads Asterisk's call detail records and confirms or completes the recorded calls."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from calls.models import ProviderAccount
from calls.providers.asterisk import Asterisk, cdr
from calls.providers.asterisk.dialplan import Dialplan, names
from calls.telephony.ami_listener import names_of_agents
from calls.telephony.cdr_reconciliation import confirm
from calls.telephony.hooks import adapter_of


class Command(BaseCommand):
    help = "Confirms and completes the calls of an Asterisk account from its CDR file (CSV)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="such as Master.csv")
        parser.add_argument("--account", required=True, metavar="NAME")
        parser.add_argument(
            "--columns",
            default="",
            metavar="NAMES",
            help="The file's columns, with commas, if their number does not tell.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Changes nothing.")

    def handle(
        self, *args: Any, file: Path, account: str, columns: str, dry_run: bool, **options: Any
    ) -> None:
        found = ProviderAccount.objects.filter(kind=Asterisk.kind, name=account).first()
        if found is None:
            raise CommandError(f"There is no Asterisk account {account}.")
        given_columns = names(columns or found.settings.get("cdr_columns"))
        rows, bad = _read(file, _zone(found), given_columns)
        report = confirm(found, cdr.parts(rows, _dialplan(found)), dry_run=dry_run)
        for line, why in bad:
            self.stdout.write(f"line {line} is not readable: {why}")
        for difference in report.differ:
            self.stdout.write(f"{difference}; left as recorded")
        self.stdout.write(
            f"{len(rows)} rows: {report.matched} calls matched, {report.corrected} corrected, "
            f"{report.new} new, {len(bad)} lines not readable"
            + (" (dry run: nothing was changed)" if dry_run else "")
        )


def _read(
    file: Path, zone: ZoneInfo, columns: tuple[str, ...]
) -> tuple[list[cdr.CdrRow], list[tuple[int, str]]]:
    try:
        read = list(cdr.read(file.read_bytes(), zone, columns))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
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
