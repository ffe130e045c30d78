"""The drivers of databases: an installation with its data in files needs none of them.

Libraries load every driver that is installed: 15 MB, and a tenth of the start. They take one that
cannot be imported as one that is not there.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings

_DRIVERS: Final = ("psycopg", "redis")


@contextmanager
def drivers_hidden() -> Iterator[None]:
    """What is imported in here finds no drivers but those that are loaded already."""
    hidden = [name for name in _DRIVERS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: not to be imported
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def cache_errors() -> tuple[type[Exception], ...]:
    """What the cache raises where it cannot be reached; one in memory always can."""
    if not settings.REDIS_URL:
        return ()
    from redis import RedisError

    return (RedisError,)
