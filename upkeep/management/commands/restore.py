"""Puts the data of a backup in the place of the present ones, which are kept beside."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils.translation import gettext as _

from upkeep.backups.places import BackupError
from upkeep.backups.restoring import restore

_SUMS_DIFFER = 2  # the exit code where all is restored and a sum is not that of its calls


class Command(BaseCommand):
    help = (
        "Restores a backup while the site is stopped. Exits 1 if nothing was changed, 2 if all is "
        "restored but a sum is not that of its calls."
    )
    requires_system_checks: list[str] = []  # the present database may be what is wrong

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a backup of this installation, or of another")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            restored = restore(file.absolute(), self.stdout.write)
        except (BackupError, DatabaseError) as error:
            reason = {"reason": str(error).strip()}
            raise CommandError(_("%(reason)s Nothing was changed.") % reason) from error
        self.stdout.write(
            _("Restored: the data of %(when)s.") % {"when": restored.manifest.made_at}
        )
        if restored.kept_as:
            self.stdout.write(
                _("What was there before is kept as %(place)s.") % {"place": restored.kept_as}
            )
        if not restored.opens_secrets:
            self.stderr.write(
                _(
                    "The secrets of phone systems and channels cannot be opened: they need the "
                    "FIELD_ENCRYPTION_KEY with which they were stored. Set it, or enter them anew."
                )
            )
        if restored.manifest.doubts:
            self.stderr.write(restored.manifest.doubts)
        try:
            call_command("rebuild_metrics", check=True, stdout=self.stdout, stderr=self.stderr)
        except CommandError as error:
            raise CommandError(
                _("All is restored, but sums differ: run manage.py rebuild_metrics."),
                returncode=_SUMS_DIFFER,
            ) from error
