"""A demo organisation: people, contacts and weeks of lifelike calls, the same for the same seed."""

from metrics.demo.organisation import PASSWORD
from metrics.demo.seeding import AlreadySeededError, Options, Seeded, seed

__all__ = ["PASSWORD", "AlreadySeededError", "Options", "Seeded", "seed"]
