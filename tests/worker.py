"""Loaded before the settings: each worker of a parallel run hears only its own Redis database."""

import os

_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if _worker and os.environ.get("REDIS_URL"):
    _server, _, _number = os.environ["REDIS_URL"].rpartition("/")
    os.environ["REDIS_URL"] = f"{_server}/{int(_number or 0) - 1 - int(_worker[2:])}"

# For tests of logic a commit need not wait for the disk; servers and commands inherit this.
os.environ.setdefault("PGOPTIONS", "-c synchronous_commit=off")
