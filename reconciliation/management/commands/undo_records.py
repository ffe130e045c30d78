"""Takes an import of records back."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from reconciliation import imports
from reconciliation.management.imports import finished
from reconciliation.models import RecordImport


class Command(BaseCommand):
    help = "Takes back what an import of records wrote, and nothing else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, metavar="IMPORT", help="as import_records names it")

    @no_translations
    def handle(self, *args: Any, number: int, **options: Any) -> None:
        what = RecordImport.objects.filter(pk=number).first()
        if what is None:
            raise CommandError(f"There is no import {number}.")
        try:
            imports.undo(what)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        finished(what)
        self.stdout.write(f"Import {number} ({what.file_name}) was taken back.")
