"""Closes calls that show no sign of life. The worker does this every minute."""

from typing import Any

from django.core.management.base import BaseCommand

from calls.telephony.stale_calls import ask_and_close


class Command(BaseCommand):
    help = "Closes calls without a heartbeat as DROPPED, evidence E, at their last sign of life."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{ask_and_close()} stale calls closed")
