"""The newest calls of the whole organisation as JSON: a hundred, and a thousand."""

from functools import partial
from typing import Final

from bench.load import Burst, closed
from bench.parts.pairs import tell
from bench.stage import Side, Stage, ratios

CLIENTS: Final = 4


def measure(stage: Stage) -> None:
    sides = stage.sides("daphne", "uvicorn", "flask")
    for limit in (100, 1000):
        stage.record.head(f"The log of {limit} calls, {CLIENTS} clients")

        def burst(side: Side, limit: int = limit) -> Burst:
            flows = partial(side.program.log, limit)
            return closed(side.server.port, flows, CLIENTS, stage.options.seconds)

        found = stage.interleaved(sides, burst)
        tell(stage, found)
        rates = {name: [burst.rate for burst in bursts] for name, bursts in found.items()}
        for ours in ("daphne", "uvicorn"):
            stage.record.put(f"log-{limit}-{ours}-flask", ratios(rates[ours], rates["flask"]))
