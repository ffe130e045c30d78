"""`make check`: every stage that CI runs, the quick ones first; stops at the first that fails."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
DATABASE = os.environ.get("CHECK_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("CHECK_REDIS_URL", "redis://127.0.0.1:6379/15")

Stage = tuple[str, list[str], dict[str, str]]


def main() -> None:
    for name, command, environment in [*_quick_stages(), *_test_stages()]:
        _run(name, command, environment)
    print("Everything passed.")


def _quick_stages() -> list[Stage]:
    manage = [sys.executable, "manage.py"]
    return [
        ("format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."], {}),
        ("lint", [str(BIN / "ruff"), "check", "--quiet", "."], {}),
        ("types", [str(BIN / "mypy"), "--no-error-summary"], {}),
        ("templates", [str(BIN / "djlint"), "templates", "--lint", "--quiet"], {}),
        ("imports", [str(BIN / "lint-imports"), "--no-logo"], {}),
        ("system checks", [*manage, "check", "--fail-level", "WARNING"], {}),
        ("migrations", [*manage, "makemigrations", "--check", "--dry-run"], {}),
        ("translations", [sys.executable, "scripts/check_translations.py"], {}),
    ]


def _test_stages() -> list[Stage]:
    """The suite on the embedded engines, then what an engine can change on PostgreSQL and Redis
    where they answer."""
    test = ["make", "--no-print-directory", "test"]
    embedded: Stage = ("tests on SQLite", test, {"DATABASE_URL": "", "REDIS_URL": ""})
    missing = [url for url in (DATABASE, REDIS) if not _answers(url)]
    if not missing:
        servers = {"DATABASE_URL": DATABASE, "REDIS_URL": REDIS}
        again = [*test, "ARGS=-m 'not once'"]
        return [embedded, ("tests on PostgreSQL and Redis", again, servers)]
    complaint = f"no server answers at {' and '.join(map(_address, missing))}"
    if os.environ.get("CI"):
        sys.exit(f"FAILED: {complaint}, and CI needs PostgreSQL and Redis.")
    print(f"The tests will run on SQLite only: {complaint}.", flush=True)
    return [embedded]


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=3).close()
    except OSError:
        return False
    return True


def _address(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}"


def _run(name: str, command: list[str], environment: dict[str, str]) -> None:
    print(f"== {name}", flush=True)
    begun = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=False).returncode
    if code:
        print(f"FAILED: {name} (exit code {code})", file=sys.stderr, flush=True)
        sys.exit(code if code > 0 else 1)
    print(f"   passed in {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
