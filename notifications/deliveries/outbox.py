"""Puts messages on their way."""

from collections.abc import Iterable

from accounts.models import User
from notifications.models import Alert, Channel


def send_alert(alert: Alert, people: Iterable[User], channels: Iterable[Channel]) -> None:
    """Stores what is to be sent, in the transaction that stored the alert; the worker sends it once
    that has committed. `people` have their own channels beside their bell."""
