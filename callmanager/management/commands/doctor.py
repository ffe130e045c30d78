"""`manage.py doctor`: says in plain words whether this installation is in order; exits 1 if not."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from callmanager.doctor.checks import findings
from callmanager.doctor.findings import Level


class Command(BaseCommand):
    help = "Says whether this installation is in order, a line a check; exits 1 if one fails."
    requires_system_checks: list[str] = []  # it tells of what they would stop at

    def handle(self, *args: Any, **options: Any) -> None:
        dress = {
            Level.OK: ("OK", self.style.SUCCESS),
            Level.WARNING: (_("warning"), self.style.WARNING),
            Level.ERROR: (_("error"), self.style.ERROR),
        }
        width = max(len(word) for word, _style in dress.values())
        errors = 0
        for finding in findings():
            word, style = dress[finding.level]
            self.stdout.write(f"{style(word.ljust(width))}  {finding.sentence}")
            errors += finding.level == Level.ERROR
        if errors:
            sentence = ngettext("%(n)d check failed.", "%(n)d checks failed.", errors)
            raise CommandError(sentence % {"n": errors})
