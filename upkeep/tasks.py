"""What the worker does to look after itself."""

from upkeep.jobs import worker  # noqa: F401  (starts the ticker and the heartbeat with it)
