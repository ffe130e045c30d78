"""Fills an empty database with a demo organisation: same seed, same data."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from metrics import demo


def _number_from(least: int) -> Any:
    def read(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is too small: at least {least}")
        return value

    read.__name__ = "number"
    return read


class Command(BaseCommand):
    help = "Makes a demo organisation with people, contacts and weeks of calls. Needs DEMO=1."

    def add_arguments(self, parser: CommandParser) -> None:
        given = demo.Options()
        parser.add_argument("--seed", type=int, default=given.seed, help="same seed, same data")
        parser.add_argument("--teams", type=_number_from(1), default=given.teams)
        parser.add_argument("--agents", type=_number_from(1), default=given.agents)
        parser.add_argument("--days", type=_number_from(1), default=given.days)
        parser.add_argument(
            "--calls", type=_number_from(0), default=None, help="exactly so many calls in all"
        )
        parser.add_argument(
            "--live", action="store_true", help="up to this minute, with calls in progress"
        )

    def handle(self, *args: Any, **given: Any) -> None:
        if not settings.DEMO:
            raise CommandError(
                "Demo people have the password 'demo' and are for trying CallManager out only. "
                "Set DEMO=1 to make them."
            )
        names = ("seed", "teams", "agents", "days", "calls", "live")
        options = demo.Options(**{name: given[name] for name in names})
        if options.teams > options.agents:
            raise CommandError("There must be at least one agent a team.")
        try:
            made = demo.seed(options)
        except demo.AlreadySeededError:
            self.stdout.write("The database has calls already; nothing was changed.")
            return
        self.stdout.write(
            f"{made.calls} calls of {made.agents} agents in {made.teams} teams, "
            f"{made.contacts} contacts"
        )
