"""`make bench [CALLS=1000000]`: what must not grow with history, measured side by side.

Every comparison is made in one run on one machine, the two sides in turn, so that the ratios mean
something; the absolute numbers are those of the machine.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import clients, fanout, folding, history, hooks
from bench.installation import Installation

FEW = 10_000
CONNECTIONS = 8


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.split("\n")[0])
    parser.add_argument("--calls", type=int, default=1_000_000, help="calls in the long history")
    parser.add_argument("--pages", type=int, default=200, help="open pages that hear of a call")
    parser.add_argument("--seconds", type=float, default=2, help="length of each round")
    parser.add_argument("--rounds", type=int, default=6, help="rounds of each side")
    parser.add_argument("--hook-calls", type=int, default=100, help="calls of each kind of hook")
    parser.add_argument("--only", choices=["history", "hooks"], help="only this part")
    given = parser.parse_args()
    if given.only is None:
        folding.report()
    if given.only in (None, "hooks"):
        _hooks(given.hook_calls)
    if given.only == "hooks":
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        few = Installation(Path(folder, "few"), FEW)
        many = Installation(Path(folder, "many"), given.calls)
        try:
            _seed(few, many)
            history.report(few, many)
            if given.only is not None:
                return
            _ending(few, many, given.seconds, given.rounds)
            programs = _clients(few)
            fanout.report(few, programs, given.pages, given.seconds)
        finally:
            few.close()
            many.close()


def _hooks(calls: int) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        installation = Installation(Path(folder), FEW)
        try:
            installation.seed()
            installation.serve()
            hooks.report(installation, calls)
        finally:
            installation.close()


def _seed(few: Installation, many: Installation) -> None:
    few.seed()
    print(f"\nSeeding {many.calls} calls took {many.seed():.0f} s", flush=True)


def _clients(installation: Installation) -> list[clients.Client]:
    issued = installation.ask(what="keys", count=CONNECTIONS)
    return [clients.Client(installation.port, key) for key in issued]


def _ending(few: Installation, many: Installation, seconds: float, rounds: int) -> None:
    print(f"\nEnding a call: start+end pairs a second at {few.calls} and {many.calls} calls")

    def by_services(installation: Installation) -> float:
        return float(installation.ask(what="pairs", seconds=seconds))

    _compare("through the services", few, many, by_services, rounds)
    few.serve()
    many.serve()
    programs = {id(one): _clients(one) for one in (few, many)}

    def by_api(installation: Installation) -> float:
        return clients.pairs(programs[id(installation)], seconds)

    _compare(f"through the API, {CONNECTIONS} clients", few, many, by_api, rounds)


def _compare(
    name: str,
    few: Installation,
    many: Installation,
    measure: Callable[[Installation], float],
    rounds: int,
) -> None:
    """Both sides in turn, after one round each that does not count."""
    for side in (few, many):
        measure(side)
    results = [(measure(few), measure(many)) for _ in range(rounds)]
    ratios = [second / first for first, second in results]
    first, second = (statistics.median(side) for side in zip(*results, strict=True))
    print(
        f"  {name}: {first:.0f} and {second:.0f}, ratio {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f})",
        flush=True,
    )


if __name__ == "__main__":
    main()
