"""Makes a backup now. The worker does it every BACKUP_EVERY_MINUTES."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from upkeep.backups.making import make_backup
from upkeep.backups.places import BackupError


class Command(BaseCommand):
    help = "Makes a verified backup and prints its file; exits 1 if there is none or it has faults."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            backup = make_backup()
        except (BackupError, DatabaseError) as error:
            raise CommandError(str(error).strip()) from error
        said = {
            "path": settings.BACKUP_DIR / backup.name,
            "size": filesizeformat(backup.size or 0),
            "calls": backup.calls,
            "events": backup.events,
        }
        self.stdout.write(_("%(path)s: %(size)s, %(calls)d calls, %(events)d events.") % said)
        self.stdout.write(f"SHA-256: {backup.sha256}")
        if backup.copied_to:
            self.stdout.write(_("Copied to %(place)s.") % {"place": backup.copied_to})
        faults = [sentence for sentence in (backup.doubts, backup.copy_error) if sentence]
        if faults:
            raise CommandError(" ".join(faults))
