"""Calls started and ended as fast as they are answered, and requests that have nothing to do."""

from bench.load import Burst, closed
from bench.stage import Side, Stage, ratios

PEERS = ("flask", "timetagger")


def measure(stage: Stage) -> None:
    sides = stage.sides("daphne", "uvicorn", *PEERS)
    for clients in (8, 32):
        stage.record.head(f"Start+end pairs, {clients} clients")
        found = stage.interleaved(sides, lambda side, n=clients: _pairs(stage, side, n))  # type: ignore[misc]
        tell(stage, found)
        _compare(stage, found, clients)


def _pairs(stage: Stage, side: Side, clients: int) -> Burst:
    return closed(side.server.port, side.program.pair, clients, stage.options.seconds)


def _compare(stage: Stage, found: dict[str, list[Burst]], clients: int) -> None:
    rates = {name: [burst.rate for burst in bursts] for name, bursts in found.items()}
    for ours in ("daphne", "uvicorn"):
        for peer in PEERS:
            figure = f"pairs-{ours}-{peer}-{clients}"
            stage.record.put(figure, ratios(rates[ours], rates[peer]))
        tails = ([burst.within(0.99) for burst in found[name]] for name in (ours, "flask"))
        stage.record.put(f"p99-{ours}-flask-{clients}", ratios(*tails))


def tell(stage: Stage, found: dict[str, list[Burst]]) -> None:
    """What each side did, in absolute figures."""
    for name, bursts in found.items():
        ordered = sorted(bursts, key=lambda burst: burst.rate)
        middle = ordered[len(ordered) // 2]
        stage.record.say(
            f"{name}: {middle.rate:.0f} a second, "
            f"p50 {middle.within(0.5):.1f} ms, p99 {middle.within(0.99):.1f} ms"
        )


def measure_nothing(stage: Stage) -> None:
    clients = 8
    stage.record.head(f"A request that has nothing to do, {clients} clients")

    def burst(side: Side) -> Burst:
        seconds = stage.options.seconds / 2
        return closed(side.server.port, side.program.nothing, clients, seconds)

    found = stage.interleaved(stage.sides("daphne", "uvicorn", "flask"), burst)
    tell(stage, found)
    rates = {name: [burst.rate for burst in bursts] for name, bursts in found.items()}
    for ours in ("daphne", "uvicorn"):
        stage.record.put(f"nothing-{ours}-flask-{clients}", ratios(rates[ours], rates["flask"]))
