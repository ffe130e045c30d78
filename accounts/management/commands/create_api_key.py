"""Issues a key: `manage.py create_api_key USERNAME [--name NAME]` prints it, and nothing else."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import ApiKey, User


class Command(BaseCommand):
    help = "Issues an API key for a person and prints it on standard output. It is shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="", help="what the key is for")

    def handle(self, *args: Any, username: str, name: str, **options: Any) -> None:
        owner = User.objects.filter(is_active=True).named(username)
        if owner is None:
            raise CommandError(f"There is no active user called {username!r}.")
        self.stdout.write(ApiKey.issue(owner, name)[1])
