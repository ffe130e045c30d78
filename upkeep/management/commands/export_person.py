"""`manage.py export_person`: all that is held about a number or a contact, as JSON."""

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from upkeep.personal_data.export import held_about
from upkeep.personal_data.people import NobodyMeant, Person


class Command(BaseCommand):
    help = "Writes all that is held about a number or a contact as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--phone", help="whoever has this number, however it is written")
        who.add_argument("--contact", help="a contact: its key, or its reference elsewhere")
        parser.add_argument("--output", metavar="FILE", help="a new file; else standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["phone"] is not None:
                person = Person.of_phone(options["phone"])
            else:
                person = Person.of_contact(options["contact"])
        except NobodyMeant as error:
            raise CommandError(str(error)) from error
        text = json.dumps(held_about(person), ensure_ascii=False, indent=2)
        if not options["output"]:
            self.stdout.write(text)
            return
        path = Path(options["output"])
        try:  # whoever may read it is for its owner to say
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
