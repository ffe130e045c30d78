"""How long a request may take to arrive, so that half-sent ones do not pile up."""

from typing import Final

_LEAST_SPEED: Final = 500  # bytes a second; the slowest of mobile lines has more


class Deadline:
    """Ends `patience` seconds after the first byte; every 500 bytes buy a second, as if they had
    been under way for it, but never more than `patience` seconds from now. So an upload takes as
    long as it needs while it gets on, and one that stands still, or drips, does not.
    """

    def __init__(self, patience: float, now: float):
        self._patience = patience
        self._end = now + patience

    def got(self, size: int, now: float) -> None:
        """`size` more bytes have come."""
        self._end = min(now + self._patience, self._end + size / _LEAST_SPEED)

    def left(self, now: float) -> float:
        """Seconds; 0 once it is over."""
        return max(0.0, self._end - now)
