"""A pytest plugin for scripts/mutation.py: tries the tests on mutants of one file, MUTATION_TARGET.

In the stage `functions` the tests run once as they are; then each mutant of a function is tried in
a fork that has everything loaded: the function gets the mutant's code, and the tests that had
called the function run again. In the stage `files` each mutant that is left is tried by all tests
in a fork that has loaded nothing of the project, and then reads the file as the mutant says.

Each fork has a copy of the database of its own. What became of the mutants is added to the file
MUTATION_REPORT: a line [number, whether it survived] for each.
"""

import contextlib
import gc
import importlib
import importlib.abc
import importlib.machinery
import inspect
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import hypothesis
import pytest
from _pytest.runner import runtestprotocol
from django.db import connections
from mutants import Mutant, mutants_of

TARGET = os.environ["MUTATION_TARGET"]
STAGE = os.environ["MUTATION_STAGE"]
REPORT = Path(os.environ["MUTATION_REPORT"])
PROCESSES = int(os.environ["MUTATION_PROCESSES"])
DEADLINE = float(
    os.environ.get("MUTATION_DEADLINE", "inf")
)  # no mutant is begun after it; seconds of time()
MUTANTS = mutants_of(TARGET)
NAME = TARGET.removesuffix(".py").replace("/", ".")
# What takes long to load and is not ours; loaded before the forks of the stage `files`.
HEAVY = (
    *("channels.layers", "django.contrib.admin", "django.core.management", "django.test"),
    *("httpx", "openpyxl", "playwright.sync_api", "redis.asyncio", "vobject", "xlsxwriter"),
)
# A property that needs more examples than this to notice a mutant wants a worked example beside it.
EXAMPLES = 60
UNSPOILT = 77  # exit code of a fork that could not put the mutant's code in place
SECONDS = 600  # after which a fork that hangs is stopped

Timed = tuple[float, pytest.Item]  # seconds of the processor, test

# The same examples each time, and no search for a smaller one: that a test fails is enough.
hypothesis.settings.register_profile(
    "mutation",
    derandomize=True,
    database=None,
    deadline=None,
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
)
hypothesis.settings.load_profile("mutation")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        test = getattr(item, "obj", None)
        if hypothesis.is_hypothesis_test(test):
            chosen = test._hypothesis_internal_use_settings
            few = hypothesis.settings(chosen, max_examples=min(EXAMPLES, chosen.max_examples))
            test._hypothesis_internal_use_settings = few


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    if STAGE == "files":
        return None  # in a fork: as ever
    _try_functions(_callers(session))
    return True


class _Forks:
    """Forks, a few at a time, each with a folder of its own."""

    def __init__(self) -> None:
        self._running: dict[int, tuple[int, Path]] = {}  # process -> mutant, its folder
        self.noticed: dict[str, str] = {}  # function -> the test that noticed its last mutant

    def start(self, number: int, seconds: int) -> Path | None:
        """The folder, in the fork; None in the process that forked.

        An endless loop is ended by the processor's time, which no busy neighbour prolongs.
        """
        while len(self._running) >= PROCESSES:
            self._wait()
        folder = Path(tempfile.mkdtemp(dir=REPORT.parent))
        pid = os.fork()
        if pid:
            self._running[pid] = number, folder
            return None
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        signal.alarm(SECONDS)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        database = REPORT.with_name("test.sqlite3")
        if database.exists():
            shutil.copy(database, folder)
        return folder

    def _wait(self) -> None:
        pid, status = os.wait()
        number, folder = self._running.pop(pid)
        if (noticed := folder / "noticed").exists():
            self.noticed[MUTANTS[number].where] = noticed.read_text()
        shutil.rmtree(folder, ignore_errors=True)
        if os.waitstatus_to_exitcode(status) != UNSPOILT:
            with REPORT.open("a") as report:
                print(json.dumps([number, status == 0]), file=report)

    def finish(self) -> None:
        while self._running:
            self._wait()


# --- Functions ---


def _passes(item: pytest.Item, following: pytest.Item) -> bool:
    reports = runtestprotocol(item, nextitem=following, log=False)
    return not any(report.failed for report in reports)


def _with_next(items: list[pytest.Item]) -> Iterable[tuple[pytest.Item, pytest.Item]]:
    return zip(items, [*items[1:], *items[:1]], strict=True)


def _callers(session: pytest.Session) -> dict[str, list[Timed]]:
    """Function -> the tests that call it, the quickest first. Runs every test once."""
    file = str(Path(TARGET).absolute())
    called: set[str] = set()

    def note(frame: Any, *_: Any) -> None:
        if frame.f_code.co_filename == file:
            called.add(frame.f_code.co_qualname.split(".<locals>")[0])

    callers: dict[str, list[Timed]] = {}
    # The next item of the last is the first: whatever the session holds, the database above all,
    # stays for the forks.
    for item, following in _with_next(session.items):
        called.clear()
        began = time.process_time()
        sys.settrace(note)
        passes = _passes(item, following)
        sys.settrace(None)
        if not passes:
            pytest.exit(f"{item.nodeid} fails without any mutant", returncode=3)
        for name in called:
            callers.setdefault(name, []).append((time.process_time() - began, item))
    for tests in callers.values():
        tests.sort(key=lambda test: test[0])
    return callers


def _try_functions(callers: dict[str, list[Timed]]) -> None:
    connections.close_all()
    gc.freeze()
    forks = _Forks()
    for number, mutant in enumerate(MUTANTS):
        tests = callers.get(mutant.where)
        if tests and not mutant.is_explained and time.time() < DEADLINE:
            seconds = 10 + 3 * int(sum(took for took, _ in tests))
            # What noticed one mutant of a function will likely notice the next.
            likely = forks.noticed.get(mutant.where)
            tests.sort(key=lambda test: test[1].nodeid != likely)
            folder = forks.start(number, seconds)
            if folder is not None:
                os._exit(_try_function(mutant, [item for _, item in tests], folder))
    forks.finish()


def _try_function(mutant: Mutant, tests: list[pytest.Item], folder: Path) -> int:
    """The exit code of a fork: 0 where every test passes all the same."""
    try:
        if not _spoil(mutant):
            return UNSPOILT
        connections["default"].settings_dict["NAME"] = str(folder / "test.sqlite3")
        for item, following in _with_next(tests):
            if not _passes(item, following):
                (folder / "noticed").write_text(item.nodeid)
                return 1
        return 0
    except BaseException:
        return 1


def _spoil(mutant: Mutant) -> bool:
    """Gives the function the mutant's code. False where a running process cannot do so."""
    function: Any = sys.modules[NAME]
    code = compile(mutant.source, str(Path(TARGET).absolute()), "exec")
    for name in mutant.where.split("."):
        function = inspect.getattr_static(function, name)
        inner = (const for const in code.co_consts if isinstance(const, CodeType))
        code = next(const for const in inner if const.co_name == name)
    function = getattr(function, "fget", None) or getattr(function, "__func__", function)
    function = inspect.unwrap(function)
    if not isinstance(function, FunctionType) or function.__code__.co_freevars != code.co_freevars:
        return False
    function.__code__ = code
    return True


# --- Files ---


class _MutantFinder(importlib.abc.MetaPathFinder):
    """Reads one module as the mutant says."""

    def __init__(self, mutant: Mutant):
        self._mutant = mutant

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if fullname != NAME:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        assert spec is not None and spec.loader is not None
        code = compile(self._mutant.source, TARGET, "exec")
        read: Callable[[str], CodeType] = lambda _name: code  # noqa: E731
        spec.loader.get_code = read  # type: ignore[attr-defined]
        return spec


def _try_files() -> None:
    """Comes back in the forks alone, which then run pytest with the mutant."""
    for module in HEAVY:
        with contextlib.suppress(Exception):  # it wants the settings first
            importlib.import_module(module)
    gc.freeze()
    forks = _Forks()
    for number in map(int, os.environ["MUTATION_NUMBERS"].split()):
        if time.time() > DEADLINE:
            break
        folder = forks.start(number, seconds=SECONDS // 4)
        if folder is not None:
            os.environ["DATA_DIR"] = str(folder)
            sys.meta_path.insert(0, _MutantFinder(MUTANTS[number]))
            return
    forks.finish()
    os._exit(0)


if STAGE == "files":
    _try_files()
