"""`make check`: all that CI checks. What reads the sources runs beside the tests."""

import os
import socket
import sys
from urllib.parse import urlsplit

from stages import BIN, Stage, make, run

DATABASE = os.environ.get("CHECK_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("CHECK_REDIS_URL", "redis://127.0.0.1:6379/15")


def main() -> None:
    run(_sources(), _tests())


def _sources() -> list[Stage]:
    manage = [sys.executable, "manage.py"]
    return [
        Stage("format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
        Stage("lint", [str(BIN / "ruff"), "check", "--quiet", "."]),
        Stage("imports", [str(BIN / "lint-imports"), "--no-logo"]),
        Stage("system checks", [*manage, "check", "--fail-level", "WARNING"]),
        Stage("migrations", [*manage, "makemigrations", "--check", "--dry-run"]),
        Stage("translations", [sys.executable, "scripts/check_translations.py"]),
        Stage("templates", [str(BIN / "djlint"), "templates", "--lint", "--quiet"]),
        Stage("types", [str(BIN / "mypy"), "--no-error-summary"]),
    ]


def _tests() -> list[Stage]:
    """The suite on the embedded engines, then what an engine can change on PostgreSQL and Redis
    where they answer."""
    embedded = {"DATABASE_URL": "", "REDIS_URL": ""}
    stages = [Stage("tests on SQLite", make("test"), embedded, shown=True)]
    missing = [url for url in (DATABASE, REDIS) if not _answers(url)]
    if not missing:
        servers = {"DATABASE_URL": DATABASE, "REDIS_URL": REDIS}
        again = make("test", "-m engines")
        return [*stages, Stage("tests on PostgreSQL and Redis", again, servers, shown=True)]
    complaint = f"no server answers at {' and '.join(map(_address, missing))}"
    if os.environ.get("CI"):
        sys.exit(f"FAILED: {complaint}, and CI needs PostgreSQL and Redis.")
    print(f"The tests will run on SQLite only: {complaint}.", flush=True)
    return stages


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


if __name__ == "__main__":
    main()
