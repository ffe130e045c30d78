"""The clock of the limits, which count by real time."""

from types import SimpleNamespace

import pytest


def standing_clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Has the clock of the limits stand still at `now`, which the test may move on."""
    standing = SimpleNamespace(now=1_790_000_000.0)
    monkeypatch.setattr("common.rate_limits.time", SimpleNamespace(time=lambda: standing.now))
    return standing
