"""Loaded before the settings: a run of the tests gets databases and a folder of its own, so that
two runs beside each other, of one checkout or of several, do not meet."""

import atexit
import datetime as dt
import os
import shutil
import tempfile

_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if not _worker:
    os.environ.setdefault("TEST_DATABASE_NAME", f"test_callmanager_{os.getpid()}")
    if "DATA_DIR" not in os.environ:
        os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="callmanager-tests-")
        atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)

# Where it is about noon: no day begins or ends while the tests run, and the servers agree.
_hours = 12 - dt.datetime.now(dt.UTC).hour
os.environ.setdefault("TIME_ZONE", f"Etc/GMT{-_hours:+d}" if _hours else "UTC")

# Each worker of a parallel run hears only its own Redis database.
if _worker and os.environ.get("REDIS_URL"):
    _server, _, _number = os.environ["REDIS_URL"].rpartition("/")
    os.environ["REDIS_URL"] = f"{_server}/{int(_number or 0) - 1 - int(_worker[2:])}"

# For tests of logic a commit need not wait for the disk; servers and commands inherit this.
os.environ.setdefault("PGOPTIONS", "-c synchronous_commit=off")
