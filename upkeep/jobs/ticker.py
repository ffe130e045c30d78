"""What the worker does every few seconds, which is more often than its queue's clock allows.

`@every(seconds)` adds a function. One thread of one worker runs them: the others stand by.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

TICKS: Final[list["Tick"]] = []


@dataclass(frozen=True)
class Tick:
    run: Callable[[], None]
    seconds: int


def every(seconds: int) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Has the worker call the function every `seconds`, in one worker of however many."""

    def add(run: Callable[[], None]) -> Callable[[], None]:
        TICKS.append(Tick(run, seconds))
        return run

    return add
