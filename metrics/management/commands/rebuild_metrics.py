"""Rebuilds all sums from the calls; with --check only says whether any would change."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from metrics.rollups.rebuild import each_difference, rebuild

_SHOWN = 20


class Command(BaseCommand):
    help = "Rebuilds every figure from the calls. With --check changes nothing, exits 1 if needed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if needed")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        if not check:
            self.stdout.write(f"{rebuild()} daily rows rebuilt")
            return
        found = 0
        for found, row in enumerate(each_difference(), 1):
            if found <= _SHOWN:
                self.stderr.write(str(row))
        if found:
            raise CommandError(f"{found} rows would change", returncode=1)
        self.stdout.write("every sum agrees with the calls")
