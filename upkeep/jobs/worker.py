"""What a worker's process has beside its queue: the ticker and the heartbeat.

Huey calls `begin` on each of its threads, and again when it replaces one that died.
"""

import atexit
import threading
from dataclasses import asdict
from typing import Any, Final

from huey.contrib.djhuey import on_startup

from upkeep.jobs.heartbeat import Heartbeat
from upkeep.jobs.ticker import TICKS, Ticker


class Companions:
    """The ticker and the heartbeat of one process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._begun = False

    def begin(self) -> None:
        """Starts both, once a process. They end with it, in order."""
        with self._guard:
            if self._begun:
                return
            self._begun = True
        self.ticker = Ticker(TICKS)
        self.heartbeat = Heartbeat(self._about)
        self.ticker.start()
        self.heartbeat.start()
        atexit.register(self.end)

    def end(self) -> None:
        self.ticker.stop()
        self.heartbeat.stop()

    def _about(self) -> dict[str, Any]:
        ticks = {name: asdict(state) for name, state in self.ticker.states.items()}
        return {"leads": self.ticker.leads, "ticks": ticks}


companions: Final = Companions()


@on_startup()
def begin_companions() -> None:
    companions.begin()
