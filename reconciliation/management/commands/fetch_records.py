"""Fetches the call records of an account from its provider now."""

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from calls.models import ProviderAccount
from common.instants import day_range, now
from reconciliation import imports
from reconciliation.fetching.asking import Failed
from reconciliation.fetching.coverage import due_of
from reconciliation.fetching.runs import draft_of, fetch, fetched_file
from reconciliation.models import RecordImport

_COUNTS = ("confirmed", "completed", "different", "created", "repeated", "left_out", "unreadable")


class Command(BaseCommand):
    help = (
        "Fetches the call records of an account from its provider, as the worker does each night."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", required=True, metavar="NAME")
        parser.add_argument(
            "--since",
            type=dt.date.fromisoformat,
            metavar="DAY",
            help="The first local day (YYYY-MM-DD); without it, what is due.",
        )
        parser.add_argument(
            "--until",
            type=dt.date.fromisoformat,
            metavar="DAY",
            help="The last local day; without it, until an hour ago.",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Only tells what would come of it."
        )

    def handle(
        self,
        *args: Any,
        account: str,
        since: dt.date | None,
        until: dt.date | None,
        dry_run: bool,
        **options: Any,
    ) -> None:
        found = ProviderAccount.objects.filter(name=account).first()
        if found is None:
            raise CommandError(f"There is no account {account}.")
        period = _period(found, since, until)
        if dry_run:
            self._try_out(found, *period)
        else:
            self._fetch(found, *period)

    def _fetch(self, account: ProviderAccount, since: dt.datetime, until: dt.datetime) -> None:
        what = fetch(account, since, until)
        if what.state == RecordImport.FAILED:
            raise CommandError(what.message)
        if what.state == RecordImport.WAITING:
            imports.run(what.pk)  # here and now; a worker that has it already is let be
        what.refresh_from_db()
        self.stdout.write(
            what.message or _in_words({name: getattr(what, name) for name in _COUNTS})
        )

    def _try_out(self, account: ProviderAccount, since: dt.datetime, until: dt.datetime) -> None:
        try:
            with fetched_file(account, since, until) as (path, count):
                if not count:
                    self.stdout.write("The provider has no records of this period.")
                    return
                what = draft_of(account, path, since, until, None, {})
        except Failed as failure:
            raise CommandError(str(failure)) from failure
        try:
            imports.examine(what)
            self.stdout.write(f"{_in_words(what.plan)} (dry run: nothing was changed)")
        finally:
            imports.remove_draft(what)


def _period(
    account: ProviderAccount, since: dt.date | None, until: dt.date | None
) -> tuple[dt.datetime, dt.datetime]:
    begin, end = due_of(account)
    if since is not None:
        begin = day_range(since, since)[0]
    if until is not None:
        end = min(day_range(until, until)[1], now())
    if begin >= end:
        raise CommandError("The period is empty: --since is after --until, or has not come yet.")
    return begin, end


def _in_words(counts: dict[str, Any]) -> str:
    return ", ".join(f"{counts.get(name, 0)} {name.replace('_', ' ')}" for name in _COUNTS)
