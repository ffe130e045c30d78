"""The clock of the rate limiter, which counts in fixed windows of real time."""

from types import SimpleNamespace

import pytest


def standing_clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Has the limiter's clock stand still at `now`, which the test may move on."""
    standing = SimpleNamespace(now=1_790_000_000.0)
    monkeypatch.setattr("django_ratelimit.core.time", SimpleNamespace(time=lambda: standing.now))
    return standing
