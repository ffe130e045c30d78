"""The documents say what the code does: variables, roles, rooms, receivers, commands, links."""

import gc
import re
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.dispatch import Signal

from accounts.roles import ROLES
from metrics.live import rooms
from tests.support.server import ROOT

APPS = (
    "callmanager",
    "compat",
    "api",
    "accounts",
    "calls",
    "metrics",
    "upkeep",
    "reconciliation",
    "webphone",
    "notifications",
    "common",
)
UNSPOKEN = ("__init__.py", "apps.py", "urls.py", "migrations")  # Django's own
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
PAGES = [
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(ROOT.glob("*.md")),
    ROOT / "bench/README.md",
]


def rows_under(text, heading):
    """The cells of the table under a heading, without its head."""
    section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names_in(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_every_variable_is_documented_once_and_none_is_invented():
    source = "".join(
        (ROOT / "callmanager" / name).read_text() for name in ("settings.py", "environment.py")
    )
    read = set(re.findall(r'(?:flag|read|seconds|environ\.get)\(\s*"([A-Z_]+)"', source))
    documented = [names_in(row[0])[0] for row in rows_under(OPERATIONS, "Environment")]
    assert len(documented) == len(set(documented))
    assert {*documented, "TEST_DATABASE_NAME"} == read
    assert "`TEST_DATABASE_NAME`" in OPERATIONS


def test_the_roles_table_is_the_roles_table():
    documented = {name: set() for name in ROLES}
    for row in rows_under(ARCHITECTURE, "Roles"):
        for role, mark in zip(ROLES, row[1:], strict=True):
            assert mark in {"yes", ""}
            if mark:
                documented[role].update(names_in(row[0]))
    assert documented == {name: set(permissions) for name, permissions in ROLES.items()}


def our_receivers():
    # type(), because isinstance() would ask dead weak references too.
    signals = [one for one in gc.get_objects() if issubclass(type(one), Signal)]
    for signal in signals:
        for entry in signal.receivers:
            receiver = entry[1]
            function = receiver() if hasattr(receiver, "__callback__") else receiver
            function = function if callable(function) else None
            if function is not None and function.__module__.split(".")[0] in APPS:
                yield function.__name__


def test_every_receiver_is_listed_and_none_is_invented():
    documented = [names_in(row[0])[0] for row in rows_under(ARCHITECTURE, "Signals")]
    assert set(documented) == set(our_receivers())
    assert "sum_saved_call" in documented and len(documented) == len(set(documented))


def test_every_room_is_listed():
    documented = {names_in(row[0])[0] for row in rows_under(ARCHITECTURE, "Live rooms")}
    assert documented == {
        rooms.room_of_user(7).replace("7", "<id>"),
        rooms.room_of_team(7).replace("7", "<id>"),
        rooms.ROOM_OF_ORGANISATION,
        rooms.room_of_person(7).replace("7", "<id>"),
    }


def folders_and_files(names):
    return {name for name in names if "/" in name and not name.startswith("/")}


def test_every_room_of_the_apps_has_a_sentence():
    documented = {
        name.rstrip("/")
        for row in rows_under(ARCHITECTURE, "Rooms")
        for name in folders_and_files(names_in(row[0]))
    }
    large = ("calls", "metrics", "upkeep", "reconciliation", "notifications")
    rooms = set(APPS) - set(large)
    for app in large:
        found = [path for path in (ROOT / app).iterdir() if (path / "__init__.py").exists()]
        found += (ROOT / app).glob("*.py")
        rooms |= {f"{app}/{path.name}" for path in found}
    rooms -= {f"{app}/{name}" for app in large for name in UNSPOKEN}
    assert rooms - documented == set()
    assert all((ROOT / name).exists() for name in documented)


def test_what_a_change_touches_is_there():
    changes = rows_under(ARCHITECTURE, "To change X, touch Y")
    assert len(changes) > 10
    for change, *cells in changes:
        for cell in cells:
            named = folders_and_files(names_in(cell))
            assert named, change
            assert {name for name in named if not (ROOT / name).exists()} == set(), change


def test_every_command_of_ours_is_documented():
    ours = {name for name, app in get_commands().items() if app in APPS}
    documented = {names_in(row[0])[0].split()[1] for row in rows_under(OPERATIONS, "Commands")}
    assert documented == ours | {"run_huey"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_documents_mention_only_what_exists(page):
    text = page.read_text()
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= set(get_commands())
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = re.findall(r"`make ([a-z]+)|^ {4}make ([a-z]+)", text, re.MULTILINE)
    assert {one or other for one, other in commands} <= targets
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert link.startswith("http") or Path(page.parent, link).exists(), link
