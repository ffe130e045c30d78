"""Sends a provider's messages over HTTP, as fast as they are taken or paced like life."""

import http.client
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from calls.simulation.base import SimRequest

_TIMEOUT = 30.0  # seconds


class Unsent(Exception):
    """The site could not be reached; says why."""


@dataclass
class Answers:
    """The status of each message and how long it took, in ms."""

    statuses: list[int] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    @property
    def refused(self) -> int:
        return sum(not 200 <= status < 300 for status in self.statuses)

    def percentile(self, share: float) -> float:
        ordered = sorted(self.milliseconds) or [0.0]
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def deliver(
    requests: Sequence[SimRequest], url: str, *, connections: int = 1, pause: float = 0.0
) -> Answers:
    """Sends `requests` to the site at `url`, whatever host they are addressed to; in their order on
    each of the `connections`. `pause` is the time between two on one connection, in seconds.

    Raises Unsent.
    """
    shares = [requests[place::connections] for place in range(connections)]
    found = Answers()
    with ThreadPoolExecutor(connections) as pool:
        for part in pool.map(lambda share: _send_all(share, url, pause), shares):
            found.statuses += part.statuses
            found.milliseconds += part.milliseconds
    return found


def _send_all(requests: Iterable[SimRequest], url: str, pause: float) -> Answers:
    site = urlsplit(url)
    secure = site.scheme == "https"
    make = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    line = make(site.hostname or "", site.port, timeout=_TIMEOUT)
    answers = Answers()
    try:
        for request in requests:
            begun = time.perf_counter()
            answers.statuses.append(_send(line, request))
            answers.milliseconds.append((time.perf_counter() - begun) * 1000)
            time.sleep(pause)
    except (OSError, http.client.HTTPException) as error:
        raise Unsent(f"{url}: {error or type(error).__name__}") from error
    finally:
        line.close()
    return answers


def _send(line: http.client.HTTPConnection, request: SimRequest) -> int:
    address = urlsplit(request.url)
    path = address.path + (f"?{address.query}" if address.query else "")
    line.request(request.method, path, request.body, dict(request.headers))
    answer = line.getresponse()
    answer.read()
    return answer.status
