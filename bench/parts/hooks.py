"""Hooks of phone systems: how soon they are taken, and how exact their calls are."""

from base64 import b64decode
from typing import Final

from bench.load import Burst, Flow, paced
from bench.parts.pairs import tell
from bench.stage import FEW, Side, Stage

A_SECOND: Final = 200


def measure(stage: Stage) -> None:
    installation = stage.copy(FEW, "hooks")
    server = installation.serve()
    _burst(stage, Side("daphne", server, None))
    _exactness(stage, server.port)
    server.stop()


def _burst(stage: Stage, side: Side) -> None:
    stage.record.head(f"{A_SECOND} hooks a second, each timed from the moment it was due")
    seconds = stage.options.seconds
    needed = round(A_SECOND * seconds) * (stage.options.rounds + 1)
    messages = map(b64decode, stage.copy(FEW, "hooks").ask(what="hooks", count=needed))

    def flow() -> Flow:
        yield next(messages)

    def burst(side: Side) -> Burst:
        return paced(side.server.port, flow, A_SECOND, seconds)

    found = stage.interleaved([side], burst)
    tell(stage, found)
    stage.record.put("hooks-p99", [one.within(0.99) for one in found[side.name]], " ms")


def _exactness(stage: Stage, port: int) -> None:
    calls, installation = stage.options.hook_calls, stage.copy(FEW, "hooks")
    stage.record.head(f"{calls} calls a kind of phone system: repeated, late and in any order")
    found = "from calls.simulation import builders; print(*builders())"
    for kind in installation.manage("shell", "-v0", "-c", found).split():
        url = f"--url=http://127.0.0.1:{port}"
        said = installation.manage("simulate_provider", kind, "--chaos", f"--calls={calls}", url)
        exact, _, answered = said.strip().splitlines()[-3:]
        stage.record.say(f"{kind}: {exact}; {answered}")
