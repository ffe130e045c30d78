"""Where the time of a piece of work goes: samples of the stack, each counted for one layer.

The innermost frame that belongs to a layer has the sample, so what the ORM does for the sums is
the sums', and what Django does around all of it is Django's.
"""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from types import FrameType
from typing import Final

_EVERY: Final = 0.0005  # seconds
REST: Final = "the rest"
# The first layer of which a part is in `<path of the file>:<function>` has the frame.
LAYERS: Final = (
    ("authentication", ("/accounts/authentication", "/accounts/backends.py")),
    ("limit", ("/accounts/throttling", "/common/rate_limits", "/common/sliding_window")),
    ("body: parsing and checking", ("/callmanager/parsers", "/api/serializers", "/api/queries")),
    ("rights", ("/accounts/roles", "/accounts/models")),
    ("fold", ("/calls/timeline/",)),
    ("sums", ("/metrics/rollups/", "/metrics/receivers", "/metrics/models", "/metrics/shapes")),
    ("announcing", ("/metrics/live/",)),
    ("saving", ("/readers.py:ReadRow.save", "/calls/models/call.py")),
    ("ledger", ("/calls/services/recording", "/calls/models/event")),
    ("reading calls", ("/calls/models/",)),
    ("service", ("/calls/services/", "/calls/contacts/")),
    ("phone systems", ("/calls/telephony/", "/calls/providers/")),
    ("history and files", ("/calls/history/", "/metrics/exports/")),
    ("commits", ("/django/db/transaction",)),
    ("rendering", ("/rest_framework/renderers",)),
    ("view", ("/api/", "/calls/views/", "/metrics/views/")),
    ("DRF's dispatch", ("/rest_framework/",)),
    ("middleware", ("/callmanager/middleware", "/django/middleware/", "/whitenoise/", "/csp/")),
    ("Django's handler", ("/django/core/handlers/", "/django/urls/", "/django/http/")),
)


@cache
def layer_of(path: str, function: str) -> str | None:
    """The layer that a function of the source file belongs to."""
    where = f"{path}:{function}"
    for layer, places in LAYERS:
        if any(place in where for place in places):
            return layer
    return None


@dataclass
class Samples:
    """Seconds of processor time, by layer and by function of ours."""

    layers: Counter[str] = field(default_factory=Counter)
    functions: Counter[str] = field(default_factory=Counter)
    _last: float = 0.0

    def take(self, _signal: int, frame: FrameType | None) -> None:
        """A sample weighs what has passed since the last: long work in C delays it."""
        now = time.process_time()
        weight, self._last = now - self._last, now
        while frame is not None:
            path, function = frame.f_code.co_filename, frame.f_code.co_qualname
            layer = layer_of(path, function)
            if layer is not None:
                self.functions[f"{path.rsplit('/', 1)[1]}:{function}"] += weight  # type: ignore[assignment]  # seconds
                break
            frame = frame.f_back
        else:
            layer = REST
        self.layers[layer] += weight  # type: ignore[assignment]

    def shares(self) -> list[tuple[str, float]]:
        """(layer, share of all), the largest first."""
        total = sum(self.layers.values()) or 1
        return [(layer, seconds / total) for layer, seconds in self.layers.most_common()]


@contextmanager
def sampled() -> Iterator[Samples]:
    """Samples what the main thread does inside."""
    samples = Samples(_last=time.process_time())
    before = signal.signal(signal.SIGALRM, samples.take)
    signal.setitimer(signal.ITIMER_REAL, _EVERY, _EVERY)
    try:
        yield samples
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
