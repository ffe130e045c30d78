"""What a pair costs after ten thousand calls and after many."""

from bench.load import Burst, closed
from bench.sizes import short
from bench.stage import FEW, Side, Stage, ratios

CLIENTS = 8


def measure(stage: Stage) -> None:
    many = stage.options.calls
    stage.record.head(f"A pair at {FEW} and at {many} calls")
    services: list[list[float]] = [[], []]
    for turn in range(stage.options.rounds + 1):
        for rates, calls in zip(services, (FEW, many), strict=True):
            asked = {"what": "pairs", "seconds": stage.options.seconds}
            rate = float(stage.copy(calls).ask(**asked))
            if turn:  # the first does not count
                rates.append(rate)
    stage.record.put(f"growth-services-{short(many)}", ratios(*services))
    small, large = (stage.sides("daphne", calls=calls)[0] for calls in (FEW, many))
    sides = [Side(str(FEW), small.server, small.program), Side("many", large.server, large.program)]

    def burst(side: Side) -> Burst:
        return closed(side.server.port, side.program.pair, CLIENTS, stage.options.seconds)

    found = stage.interleaved(sides, burst)
    few_rates, many_rates = ([one.rate for one in found[side.name]] for side in sides)
    stage.record.put(f"growth-{short(many)}", ratios(few_rates, many_rates))
