"""When keys were last used: noted in memory and written by a thread of the server.

A request that only reads must not wait for its turn to write. Where no such thread runs (a command,
a test), it is written at once. What a server that is killed had not written is lost: some seconds.
"""

import datetime as dt
import logging
import threading
from typing import Final

from django.db import Error, connection, transaction

from accounts.models import ApiKey

logger = logging.getLogger(__name__)

_WRITE_SECONDS: Final = 5.0


class KeyUsage:
    """The instants that are still to be written, by the key's id."""

    def __init__(self) -> None:
        self._noted: dict[int, dt.datetime] = {}
        self._guard = threading.Lock()
        self._writer: threading.Thread | None = None

    def start(self) -> None:
        """Writes every few seconds from now on, on a thread that ends with the process."""
        if self._writer is not None:
            return
        with self._guard:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_always, daemon=True)
                self._writer.start()

    def note(self, key_id: int, instant: dt.datetime) -> None:
        with self._guard:
            self._noted[key_id] = instant
        if self._writer is None:
            self.write()

    def noted(self, key_id: int) -> dt.datetime | None:
        """What is noted of the key and not written yet."""
        return self._noted.get(key_id)

    def write(self) -> None:
        """Writes what is noted, in one transaction; what cannot be written now, later."""
        with self._guard:
            noted, self._noted = self._noted, {}
        if not noted:
            return
        try:
            with transaction.atomic():
                ApiKey.objects.note_use(noted)
        except Error:
            with self._guard:
                self._noted = noted | self._noted
            raise

    def _write_always(self) -> None:
        pause = threading.Event()
        while not pause.wait(_WRITE_SECONDS):
            try:
                self.write()
            except Error:
                logger.warning("When keys were last used could not be written; trying again")
            finally:
                connection.close_if_unusable_or_obsolete()


key_usage = KeyUsage()
