"""What a server weighs before anybody asks it for much, and how soon after its start it answers."""

from typing import Final

from bench.load import closed
from bench.programs import Keyed
from bench.stage import FEW, Stage

CLIENTS: Final = 8


def measure(stage: Stage) -> None:
    stage.record.head("A server that has just been started")
    installation = stage.copy(FEW, "resources")
    program = Keyed(*installation.keys())
    for kind in ("daphne", "uvicorn"):
        cold, weights, used = [], [], []
        for _ in range(stage.options.rounds):
            server = installation.serve(kind)
            cold.append(server.cold_seconds)
            weights.append(server.memory())
            closed(server.port, program.pair, CLIENTS, stage.options.seconds)
            used.append(server.memory("RssAnon"))
            server.stop()
        suffix = "" if kind == "daphne" else f"-{kind}"
        stage.record.put(f"cold-start{suffix}", cold, " s")
        stage.record.put(f"idle-memory{suffix}", weights, " MB")
        stage.record.put(f"own-memory-after-pairs{suffix}", used, " MB")
