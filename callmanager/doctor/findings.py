"""What a check finds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    OK = 0
    WARNING = 1  # it works, and could be better or safer
    ERROR = 2  # something does not work, or is open to others


@dataclass(frozen=True)
class Finding:
    level: Level
    sentence: str


Check = Callable[[], Iterable[Finding]]


def ok(sentence: str) -> Finding:
    return Finding(Level.OK, sentence)


def warning(sentence: str) -> Finding:
    return Finding(Level.WARNING, sentence)


def error(sentence: str) -> Finding:
    return Finding(Level.ERROR, sentence)
