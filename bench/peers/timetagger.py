"""TimeTagger, a time tracker with the nearest API: how it is started, signed in to and asked.

A record whose two instants are the same runs; the second of a pair ends it.
"""

import base64
import json
import random
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any, Final

from bench import wire
from bench.load import Flow
from bench.peers import environment

_API: Final = "/timetagger/api/v2"
_LASTED: Final = 60  # seconds of a call


def command() -> list[str]:
    return [str(environment.PYTHON), "-m", "timetagger"]


def surroundings(port: int, folder: Path) -> dict[str, str]:
    """The environment that it is configured by."""
    return {
        "TIMETAGGER_BIND": f"{wire.HOST}:{port}",
        "TIMETAGGER_DATADIR": str(folder),
        "TIMETAGGER_LOG_LEVEL": "warning",
    }


class TimeTagger:
    """A program that is signed in as the one user of this machine."""

    def __init__(self, port: int):
        self._base = f"http://{wire.HOST}:{port}{_API}"
        asked = base64.b64encode(json.dumps({"method": "localhost"}).encode())
        web = self._fetch("/bootstrap_authentication", data=asked, method="POST")["token"]
        token = self._fetch("/apitoken", headers={"authtoken": web})["token"]
        self._headers = {"authtoken": token}

    def _fetch(self, path: str, **how: Any) -> Any:
        with urllib.request.urlopen(urllib.request.Request(self._base + path, **how)) as answer:
            return json.load(answer)

    def pair(self) -> Flow:
        key = uuid.uuid4().hex[:8]
        now = int(time.time())
        yield self._put(key, now, now, now)
        yield self._put(key, now, now - _LASTED, now)

    def _put(self, key: str, modified: int, start: int, end: int) -> bytes:
        said = f"#call {random.randrange(20_000)}"
        record = {"key": key, "mt": modified, "t1": start, "t2": end, "ds": said}
        body = json.dumps([record]).encode()
        headers = self._headers | {"Content-Type": "application/json"}
        return wire.request("PUT", f"{_API}/records", headers, body)
