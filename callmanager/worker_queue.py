"""Where the worker's tasks wait."""

from pathlib import Path
from typing import Any

from common.databases.drivers import drivers_hidden


def huey_settings(redis_url: str, folder: Path) -> dict[str, Any]:
    """Huey's settings: a queue in Redis, or in a file of `folder` where there is none."""
    if not redis_url:
        with drivers_hidden():
            import huey.storage  # noqa: F401
    return {
        "name": "callmanager",
        "huey_class": "huey.RedisHuey" if redis_url else "common.databases.queue_file.FileHuey",
        "immediate": False,
        "results": False,
        # A large file takes one for minutes; stale calls must be closed meanwhile.
        "consumer": {"workers": 3, "check_worker_health": True},
        **({"url": redis_url} if redis_url else {"filename": str(folder / "worker.sqlite3")}),
    }
