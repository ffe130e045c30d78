"""What the signals of calls say, as any receiver hears it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.dispatch import Signal

from calls import signals
from calls.models import CallLog


class Announcements(list[tuple[str, CallLog]]):
    """(the signal's name, its call), in the order of sending."""

    def take(self) -> list[str]:
        """The names of what was announced since the last look."""
        names = [name for name, _call in self]
        self.clear()
        return names


@contextmanager
def listening() -> Iterator[Announcements]:
    """All that is announced meanwhile."""
    heard = Announcements()
    sent = {signal: name for name, signal in vars(signals).items() if isinstance(signal, Signal)}

    def hear(signal: Signal, sender: Any, call: CallLog, **_: Any) -> None:
        assert sender is CallLog
        heard.append((sent[signal], call))

    for signal in sent:
        signal.connect(hear)
    try:
        yield heard
    finally:
        for signal in sent:
            signal.disconnect(hear)
