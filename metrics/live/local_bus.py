"""How the other processes of one machine tell its web servers of a change, where there is no Redis.

The worker, a listener or a command writes a datagram to the socket of every web process; the
sockets lie in DATA_DIR, which only the installation's own user may enter. Nobody waits and nothing
is kept: a process whose queue was full notices the missing number (`metrics.live.numbers`).
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection

logger = logging.getLogger(__name__)

_LONGEST_PATH: Final = 100  # of a socket's address, in bytes
_LARGEST: Final = 64 * 1024
_BUFFER: Final = 1024 * 1024


def folder() -> Path:
    """The sockets' folder, one a database; beside the temporary files where DATA_DIR is too deep
    for an address."""
    database = f"{settings.DATA_DIR}:{connection.settings_dict['NAME']}"
    mark = hashlib.sha256(database.encode()).hexdigest()[:16]
    place = settings.DATA_DIR / "live" / mark
    if len(os.fsencode(place)) + 20 > _LONGEST_PATH:
        place = Path(tempfile.gettempdir()) / f"callmanager-{os.getuid()}-{mark}"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    if place.stat().st_uid != os.getuid():
        raise PermissionError(f"{place} belongs to somebody else")
    return place


def answer(loop: asyncio.AbstractEventLoop, take: Callable[[dict[str, Any]], None]) -> None:
    """Calls `take` on `loop` with every message that another process rings with."""
    try:
        address = folder() / f"{os.getpid()}.sock"
        address.unlink(missing_ok=True)
        bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        bell.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        bell.setblocking(False)
        bell.bind(str(address))
    except OSError:
        logger.exception("Changes made by other processes will reach open pages late")
        return
    loop.add_reader(bell, _read, bell, take)


def _read(bell: socket.socket, take: Callable[[dict[str, Any]], None]) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            take(json.loads(bell.recv(_LARGEST)))


def is_heard() -> bool:
    """Whether a web process of this installation runs on this machine, or did when it died."""
    return any(folder().glob("*.sock"))


def ring(message: dict[str, Any]) -> None:
    """Tells every web process of this installation on this machine."""
    text = json.dumps(message).encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for address in folder().glob("*.sock"):
            try:
                sender.sendto(text, str(address))
            except ConnectionRefusedError:  # its process is gone
                address.unlink(missing_ok=True)
            except OSError:
                logger.debug("A web process is too busy to be told; it will notice and ask")
