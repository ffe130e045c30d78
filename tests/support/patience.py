"""How tests wait for what must come true: until it does, or for long enough to be sure."""

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 60  # seconds; that it comes sooner is the rule


def await_that(
    fact: Callable[[], Any],
    seconds: float = PATIENCE,
    say: Callable[[], str] = lambda: "it did not come true",
) -> Any:
    """What `fact` says as soon as it says something true; where it never does, `say` tells why."""
    deadline = time.monotonic() + seconds
    while not (said := fact()):
        assert time.monotonic() < deadline, say()
        time.sleep(0.02)
    return said
