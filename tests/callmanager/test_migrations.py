"""Migrations stay what they were: they import nothing of ours that may change."""

import ast

import pytest

from tests.support.server import ROOT

OURS = {folder.parent.name for folder in ROOT.glob("*/__init__.py")}
MIGRATIONS = sorted(ROOT.glob("*/migrations/*.py"))


def modules_in(source):
    """All that is imported, anywhere in the file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module if node.level == 0 else "." * node.level


def ours_in(source, app):
    return [
        name
        for name in modules_in(source)
        if (name.split(".")[0] in OURS and not name.startswith(f"{app}.migrations."))
        or name.startswith("..")
    ]


@pytest.mark.parametrize("file", MIGRATIONS, ids=lambda file: f"{file.parts[-3]}.{file.stem}")
def test_a_migration_imports_nothing_of_ours(file):
    assert ours_in(file.read_text(), file.parts[-3]) == []


def test_what_would_be_found():
    assert len(MIGRATIONS) > 15
    source = (
        "import calls.models\ndef f():\n  from ..text import x\nfrom calls.migrations.a import b"
    )
    assert ours_in(source, "calls") == ["calls.models", ".."]
    assert ours_in(source, "metrics") == ["calls.models", "calls.migrations.a", ".."]
