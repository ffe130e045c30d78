"""Mutants: the same file with one thing spoilt, made by mutmut's operators.

mutmut itself spoils only the inside of plain functions. Here tables, constants, properties and
decorated functions are spoilt too: what roles and sums are made of stands in tables.
"""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import libcst as cst
import libcst.matchers as m
from mutmut.mutation.mutators import mutation_operators, operator_arg_removal, operator_string

ROOT = Path(__file__).resolve().parent.parent
SURVIVORS = ROOT / "tests/proof/survivors.toml"
MODULE = "(module)"
OPEN = "open:"
# Texts that people read are checked by the tests of translations.
_TEXTS = m.Call(func=m.Name("_") | m.Name("pgettext_lazy"))
# What has no effect when the program runs, or only tells the type checker something.
_NO_CODE = (
    m.Annotation() | m.Assert() | m.Import() | m.ImportFrom() | m.Decorator() | m.TypeParameters()
)


@dataclass(eq=False)
class Mutant:
    """One change in the file `path`. `where`: the outermost function that holds it, or MODULE."""

    path: str
    tree: cst.Module
    where: str
    statement: int  # of the file, that holds `node`
    node: cst.CSTNode
    instead: cst.CSTNode

    @cached_property
    def source(self) -> str:
        """The whole file with the change."""
        body = list(self.tree.body)
        body[self.statement] = body[self.statement].deep_replace(self.node, self.instead)
        return self.tree.with_changes(body=body).code

    @cached_property
    def change(self) -> tuple[str, str]:
        """The changed lines: what stood there, and what stands there now."""
        was, becomes = (text.splitlines() for text in (self.tree.code, self.source))
        first = _alike(was, becomes)
        last = _alike(was[first:][::-1], becomes[first:][::-1])
        return _one_line(was[first : len(was) - last]), _one_line(
            becomes[first : len(becomes) - last]
        )

    @property
    def reason(self) -> str:
        """What survivors.toml says of it; "" if it is not there."""
        return explained(self.path).get(self.where, {}).get(self.change, "")

    @property
    def is_explained(self) -> bool:
        return self.reason != ""

    @property
    def is_open(self) -> bool:
        """Whether a test could notice it, and none does yet."""
        return self.reason.startswith(OPEN)


def _alike(some: list[str], others: list[str]) -> int:
    """How many lines two texts have in common before they differ."""
    pairs = enumerate(zip(some, others, strict=False))
    return next((n for n, (one, other) in pairs if one != other), min(len(some), len(others)))


def _one_line(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())


@cache
def explained(path: str) -> dict[str, dict[tuple[str, str], str]]:
    """Of the mutants of `path` that may survive: where -> change -> the reason."""
    places = tomllib.loads(SURVIVORS.read_text()).get(path, {})
    return {
        where: {(was, becomes): why for was, becomes, why in entries}
        for where, entries in places.items()
    }


def mutants_of(path: str) -> list[Mutant]:
    """All mutants of a file of the project."""
    tree = cst.parse_module((ROOT / path).read_text())
    spoiler = _Spoiler(path, tree)
    for number, statement in enumerate(tree.body):
        spoiler.statement = number
        statement.visit(spoiler)
    return spoiler.mutants


def _without_one(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A tuple, list, set or dictionary that lacks one of its elements."""
    elements = node.elements  # type: ignore[attr-defined]
    if len(elements) > 1:
        for number in range(len(elements)):
            yield node.with_changes(elements=[*elements[:number], *elements[number + 1 :]])


def _without_argument(node: cst.Call) -> Iterator[cst.CSTNode]:
    """A call that lacks one of its named arguments, or has None for another."""
    for number, argument in enumerate(node.args):
        before, after = node.args[:number], node.args[number + 1 :]
        if argument.keyword:
            yield node.with_changes(args=[*before, *after])
        elif not argument.star and not m.matches(argument.value, m.Name("None")):
            nothing = argument.with_changes(value=cst.Name("None"))
            yield node.with_changes(args=[*before, nothing, *after])


def _another_word(node: Any) -> Iterable[cst.CSTNode]:
    return list(operator_string(node))[:1]


# mutmut spoils a string in three ways and an argument in two, where one proves as much.
_INSTEAD = {operator_string: _another_word, operator_arg_removal: _without_argument}
_OPERATORS: list[Any] = [
    (kind, _INSTEAD.get(operator, operator)) for kind, operator in mutation_operators
]
_OPERATORS += [(kind, _without_one) for kind in (cst.Tuple, cst.List, cst.Set, cst.Dict)]


class _Spoiler(cst.CSTVisitor):
    def __init__(self, path: str, tree: cst.Module):
        super().__init__()
        self.path, self.tree = path, tree
        self.mutants: list[Mutant] = []
        self.statement = 0
        self._names: list[str] = []  # of the classes and functions around
        self._bodies = 0  # how many functions we are inside of

    def on_visit(self, node: cst.CSTNode) -> bool:
        if m.matches(node, _NO_CODE | _TEXTS) or _is_docstring(node):
            return False
        where = ".".join(self._names) if self._bodies else MODULE
        for kind, operator in _OPERATORS:
            if isinstance(node, kind):
                self.mutants += [
                    Mutant(self.path, self.tree, where, self.statement, node, instead)
                    for instead in operator(node)
                ]
        if isinstance(node, cst.ClassDef | cst.FunctionDef) and not self._bodies:
            self._names.append(node.name.value)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        node = original_node
        if isinstance(node, cst.ClassDef | cst.FunctionDef) and not self._bodies:
            self._names.pop()

    def on_visit_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        if isinstance(node, cst.FunctionDef) and attribute == "body":
            self._bodies += 1

    def on_leave_attribute(self, original_node: cst.CSTNode, attribute: str) -> None:
        if isinstance(original_node, cst.FunctionDef) and attribute == "body":
            self._bodies -= 1


def _is_docstring(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString)
