"""Where the worker's tasks wait, and Huey without what that does not need."""

import sys
from pathlib import Path
from typing import Any, Final

_DRIVERS: Final = ("psycopg", "redis")


def huey_settings(redis_url: str, folder: Path) -> dict[str, Any]:
    """Huey's settings: a queue in Redis, or in a file of `folder` where there is none."""
    if not redis_url:
        _load_huey_alone()
    return {
        "name": "callmanager",
        "huey_class": "huey.RedisHuey" if redis_url else "huey.SqliteHuey",
        "immediate": False,
        "results": False,
        # A large file takes one for minutes; stale calls must be closed meanwhile.
        "consumer": {"workers": 3, "check_worker_health": True},
        **({"url": redis_url} if redis_url else {"filename": str(folder / "worker.sqlite3")}),
    }


def _load_huey_alone() -> None:
    """Huey loads every driver that is installed: 15 MB and a tenth of the start of a server that
    keeps its queue in a file. It takes one that cannot be imported as one that is not there."""
    hidden = [name for name in _DRIVERS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: not to be imported
    try:
        import huey.storage  # noqa: F401
    finally:
        for name in hidden:
            del sys.modules[name]
