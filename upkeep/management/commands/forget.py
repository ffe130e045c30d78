"""`manage.py forget`: removes numbers, names and notes, of somebody or of old calls."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from upkeep.personal_data import removal
from upkeep.personal_data.people import NobodyMeant, Person


class Command(BaseCommand):
    help = "Removes numbers, names and notes of somebody or of old calls; sums and lengths stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--phone", help="whoever has this number, however it is written")
        what.add_argument("--contact", help="a contact: its key, or its reference elsewhere")
        what.add_argument("--older-than", type=int, metavar="DAYS", help="calls that began before")
        parser.add_argument("--yes", action="store_true", help="does it; else says what would go")
        parser.add_argument("--reason", default="", help="kept with who asked and when")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["older_than"]
        if days is not None and not 0 < days < 36_500:
            raise CommandError(_("DAYS is a whole number from 1 to 36499."))
        try:
            person = self._person(options) if days is None else None
        except NobodyMeant as error:
            raise CommandError(str(error)) from error
        if options["yes"]:
            self._remove(person, days, options["reason"])
        else:
            self._tell(person, days)

    def _person(self, options: dict[str, Any]) -> Person:
        if options["phone"] is not None:
            return Person.of_phone(options["phone"])
        return Person.of_contact(options["contact"])

    def _tell(self, person: Person | None, days: int) -> None:
        if person is None:
            counts = removal.preview_before(removal.cutoff_of(days))
        else:
            counts = removal.preview_of(person)
        self._say(_("This would go (nothing was changed; --yes does it):"), counts)
        if counts["running"]:
            running = {"n": counts["running"]}
            if person is None:
                self.stdout.write(_("Calls that are running keep theirs: %(n)d.") % running)
            else:
                self.stdout.write(_("Calls that are running, to be ended first: %(n)d.") % running)

    def _remove(self, person: Person | None, days: int, reason: str) -> None:
        try:
            if person is None:
                day = removal.cutoff_of(days)
                done = removal.forget_before(day, asked_by=None, reason=reason)
            else:
                done = removal.forget_person(person, asked_by=None, reason=reason)
        except removal.StillRunning as error:
            raise CommandError(str(error)) from error
        self._say(_("Removed; sums and lengths are as they were:"), done.counts)
        self.stdout.write(_("Backups that were made before keep it until they rotate away."))

    def _say(self, heading: str, counts: dict[str, int]) -> None:
        words = removal.words_of(counts)
        if not words:
            self.stdout.write(_("There is nothing to remove."))
            return
        self.stdout.write(heading)
        for line in words:
            self.stdout.write(f"  {line}")
