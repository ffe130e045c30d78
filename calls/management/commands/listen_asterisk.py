"""Listens to Asterisk servers and records their calls; or replays what one once sent."""

from calls.management.listening import ListenCommand
from calls.providers.asterisk import Asterisk


class Command(ListenCommand):
    help = "Listens to the manager interface of Asterisk and records the calls, until stopped."
    kind, title, wanted = Asterisk.kind, "Asterisk", "of the kind asterisk"
