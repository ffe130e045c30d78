"""Forty pairs a second, due at their time whether the server keeps up or not."""

from typing import Final

from bench.load import Burst, paced
from bench.parts.pairs import tell
from bench.stage import Side, Stage, ratios

A_SECOND: Final = 40


def measure(stage: Stage) -> None:
    stage.record.head(f"{A_SECOND} pairs a second, each timed from the moment it was due")

    def burst(side: Side) -> Burst:
        seconds = stage.options.seconds * 2
        return paced(side.server.port, side.program.pair, A_SECOND, seconds)

    found = stage.interleaved(stage.sides("daphne", "uvicorn", "flask"), burst)
    tell(stage, found)
    for ours in ("daphne", "uvicorn"):
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            sides = ([burst.within(share) for burst in found[one]] for one in (ours, "flask"))
            stage.record.put(f"paced-{name}-{ours}-flask", ratios(*sides))
