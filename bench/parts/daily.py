"""Each of 500 agents' sums of thirty days, from daily rows."""

from bench.sizes import short
from bench.stage import Stage


def measure(stage: Stage) -> None:
    calls = stage.options.calls
    stage.record.head(f"Thirty days of all agents from daily rows at {calls} calls")
    taken = stage.copy(calls).ask(what="daily", rounds=3 * stage.options.rounds)
    stage.record.put(f"daily-{short(calls)}", taken, " ms")
