"""What the fold costs: microseconds for calls of ordinary and of absurd length."""

import timeit

from bench.stage import Stage
from calls import timeline
from calls.timeline.events import Event

START = 1_767_607_200_000


def ledger(holds: int) -> list[Event]:
    """A call that was answered, held and resumed `holds` times, and ended."""
    events = [
        Event("started", timeline.STARTED, START),
        Event("answered", timeline.ANSWERED, START + 9_000),
    ]
    for number in range(holds):
        at = START + 10_000 + number * 2_000
        events.append(Event(f"held:{at}", timeline.HELD, at))
        events.append(Event(f"resumed:{at}", timeline.RESUMED, at + 1_000))
    end = START + 20_000 + holds * 2_000
    return [*events, Event("ended", timeline.ENDED, end, data={"status": "COMPLETED"})]


def measure(stage: Stage) -> None:
    stage.record.head("The fold of a call's events")
    base = 0.0
    for holds in (0, 2, 20, 200):
        events = ledger(holds)
        repeat = max(20, 20_000 // len(events))
        best = min(timeit.repeat(lambda: timeline.fold(events), number=repeat, repeat=5))  # noqa: B023
        each = best / repeat * 1e6
        base = base or each / len(events)
        stage.record.say(
            f"{len(events):>4} events: {each:>6.0f} us, "
            f"{each / len(events):.1f} us an event (ratio {each / len(events) / base:.2f})"
        )
