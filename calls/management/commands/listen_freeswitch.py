"""Listens to FreeSWITCH servers and records their calls; or replays what one once sent."""

from calls.management.listening import ListenCommand
from calls.models import ProviderAccount
from calls.providers.freeswitch import FreeSwitch


class Command(ListenCommand):
    help = "Listens to the event socket of FreeSWITCH and records the calls, until stopped."
    kind, title = FreeSwitch.kind, "FreeSWITCH"
    wanted = "of the kind freeswitch that has a host"

    def is_meant(self, account: ProviderAccount) -> bool:
        return bool(account.settings.get("host"))  # others only send their records
