"""The targets of `targets.toml`, and how a run is judged by them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.figures import Figure, number

FILE: Final = Path(__file__).with_name("targets.toml")
GREAT, OK, MISS = "GREAT", "ok", "MISS"


@dataclass(frozen=True)
class Target:
    """What the figure `name` of `part` should be. `profile`: the route whose profile tells why."""

    name: str
    says: str
    part: str
    must: float
    stretch: float
    at_least: bool
    profile: str = ""

    def mark(self, value: float) -> str:
        if self._keeps(value, self.stretch):
            return GREAT
        return OK if self._keeps(value, self.must) else MISS

    def _keeps(self, value: float, bound: float) -> bool:
        return value >= bound if self.at_least else value <= bound

    @property
    def wanted(self) -> str:
        sense = ">=" if self.at_least else "<="
        return f"{sense} {number(self.must)} / {number(self.stretch)}"


def targets(file: Path = FILE) -> dict[str, Target]:
    """The targets by their names, in the order of the file. KeyError where one lacks something."""
    found = {}
    for name, said in tomllib.loads(file.read_text()).items():
        sense = {"at least": True, "at most": False}[said["sense"]]
        must, stretch = float(said["must"]), float(said["stretch"])
        texts = (said["says"], said["part"])
        found[name] = Target(name, *texts, must, stretch, sense, said.get("profile", ""))
    return found


def judged(wanted: Mapping[str, Target], figures: Mapping[str, Figure]) -> list[str]:
    """The table of a run as Markdown: the targets that it measured."""
    lines = ["| Target | Must / stretch | Measured | |", "| --- | --- | --- | --- |"]
    for name, target in wanted.items():
        if name in figures:
            figure = figures[name]
            mark = target.mark(figure.value)
            lines.append(f"| {target.says} | {target.wanted} | {figure.in_words} | {mark} |")
    return lines


def missed(wanted: Mapping[str, Target], figures: Mapping[str, Figure]) -> list[Target]:
    return [
        target
        for name, target in wanted.items()
        if name in figures and target.mark(figures[name].value) == MISS
    ]
