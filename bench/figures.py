"""Medians, percentiles and spreads, and the record of a run: what was measured, and on what."""

import datetime as dt
import json
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

NOISY: Final = 0.2  # a spread from which on a figure says little


def percentile(values: Iterable[float], share: float) -> float:
    """The least value that `share` (0 to 1) of the values do not exceed; NaN of none."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(rounds: Sequence[float]) -> float:
    """How far apart the rounds lie, as a share of their median."""
    middle = statistics.median(rounds)
    return (max(rounds) - min(rounds)) / abs(middle) if middle else 0.0


@dataclass(frozen=True)
class Figure:
    """One measured figure: its rounds in order, of which the median counts."""

    name: str
    rounds: list[float]
    unit: str = ""

    @property
    def value(self) -> float:
        return statistics.median(self.rounds)

    @property
    def in_words(self) -> str:
        """`1.31 (1.20 to 1.44)`, with `noisy` behind it where the rounds lie far apart."""
        said = f"{number(self.value)}{self.unit}"
        if len(self.rounds) > 1:
            said += f" ({number(min(self.rounds))} to {number(max(self.rounds))})"
        return said + (" noisy" if spread(self.rounds) > NOISY else "")


def number(value: float) -> str:
    """With as many digits as mean something."""
    if math.isnan(value):
        return "nothing"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


@dataclass
class Record:
    """All that a run measured; prints each line as it comes."""

    machine: str
    figures: dict[str, Figure] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def head(self, title: str) -> None:
        self._print(f"\n{title}")

    def say(self, line: str) -> None:
        self._print(f"  {line}")

    def put(self, name: str, rounds: Sequence[float], unit: str = "") -> None:
        """Keeps a figure under `name`; a target of that name judges it."""
        figure = Figure(name, list(rounds), unit)
        self.figures[name] = figure
        self.say(f"{name}: {figure.in_words}")

    def _print(self, line: str) -> None:
        self.lines.append(line)
        print(line, flush=True)

    def save(self, folder: Path, name: str, **more: Any) -> Path:
        """Writes `<date>-<name>.json` into `folder`: every round, and what was printed."""
        file = folder / f"{dt.date.today():%Y-%m-%d}-{name}.json"
        folder.mkdir(parents=True, exist_ok=True)
        figures = {one.name: asdict(one) | {"value": one.value} for one in self.figures.values()}
        content = {"machine": self.machine, **more, "figures": figures, "printed": self.lines}
        file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        return file
