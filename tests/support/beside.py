"""What a test has done at the same time as what it does itself."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connection

from tests.support.patience import PATIENCE


@contextmanager
def beside(job: Callable[[], Any]) -> Iterator[Future[Any]]:
    """Runs `job` on a thread with a connection of its own; its result when both are through."""

    def run() -> Any:
        try:
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        yield running
        running.result(PATIENCE)
