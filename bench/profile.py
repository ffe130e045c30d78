"""`make profile`: where the time of a request goes, and its statements. In process, one thread.

    python -m bench.profile [--route pair|nothing|log|export|hook] [--times 200] [--functions 15]

Requests pass through the whole of Django, as a web process's threads run it, without the server
around it. The data is a copy of what `make bench` seeds.
"""

import argparse
import asyncio
import io
import os
import statistics
import tempfile
import time
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from wsgiref.util import setup_testing_defaults

from bench.installation import Installation
from bench.load import Flow, Flows
from bench.programs import Keyed
from bench.sampling import Samples, sampled
from bench.stage import FEW
from bench.statements import Statement, heard
from bench.wire import Answer

ROUTES: Final = ("pair", "nothing", "log", "export", "hook")
Application = Callable[..., Iterable[bytes]]
_PASSES: Final = 20  # whose statements are timed


@dataclass
class Work:
    """A piece of work of the kind `route`, done again and again: the requests of a flow."""

    route: str
    application: Application
    flows: Flows

    def once(self, around: Callable[[str], AbstractContextManager[Any]] = nullcontext) -> None:
        """Does it; `around` stands around each request, by its path."""
        flow = self.flows()
        asked = next(flow)
        with suppress(StopIteration):
            while True:
                path = asked.split(b" ", 2)[1].decode()
                with around(path):
                    answer = ask(self.application, asked)
                asked = flow.send(answer)


def ask(application: Application, asked: bytes) -> Answer:
    """What the WSGI application answers to a request as it goes over the wire. AssertionError for
    an error."""
    head, body = asked.split(b"\r\n\r\n", 1)
    first, *lines = head.decode().split("\r\n")
    method, target, _version = first.split(" ")
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "wsgi.input": io.BytesIO(body),
    }
    for name, value in (line.split(": ", 1) for line in lines):
        plain = name.upper().replace("-", "_")
        environ[plain if plain.startswith("CONTENT_") else f"HTTP_{plain}"] = value
    setup_testing_defaults(environ)
    said: list[str] = []
    chunks = application(environ, lambda status, headers, exc_info=None: said.append(status))
    content = b"".join(chunks)
    chunks.close()  # type: ignore[attr-defined]  # Django's are
    assert said[0].startswith("2"), (said, content)
    return int(said[0][:3]), content


def cost(work: Work, times: int) -> float:
    """Milliseconds of processor time for one piece."""
    begun = time.process_time()
    for _ in range(times):
        work.once()
    return (time.process_time() - begun) * 1000 / times


def statements(work: Work, passes: int) -> dict[str, list[Statement]]:
    """The statements of each request, with the median of their times in those passes that had the
    same ones as the last."""
    found: dict[str, list[list[Statement]]] = {}

    @contextmanager
    def noted(path: str) -> Iterator[None]:
        with heard() as said:
            yield
        found.setdefault(path, []).append(said)

    for _ in range(passes):
        work.once(noted)
    return {path: _usual(lists) for path, lists in found.items()}


def _usual(lists: list[list[Statement]]) -> list[Statement]:
    last = [one.text for one in lists[-1]]
    alike = [one for one in lists if [said.text for said in one] == last]
    times = [statistics.median(said.milliseconds for said in at) for at in zip(*alike, strict=True)]
    return [Statement(text, taken) for text, taken in zip(last, times, strict=True)]


def layers(work: Work, times: int) -> Samples:
    with sampled() as samples:
        for _ in range(times):
            work.once()
    return samples


def tell(work: Work, times: int, functions: int) -> None:
    """Measures and prints everything about `work`."""
    for _ in range(min(times, 30)):
        work.once()
    each = cost(work, times)
    print(f"\n{work.route}: {each:.2f} ms of processor time each, over {times}")
    for path, said in statements(work, min(times, _PASSES)).items():
        total = sum(one.milliseconds for one in said)
        print(f"\n{path}: {len(said)} statements, {total:.2f} ms in SQLite")
        for one in said:
            print(f"  {one.milliseconds:7.3f} ms  {one.text}")
    samples = layers(work, times)
    print(f"\nWhere the time of {work.route} goes (samples)")
    for layer, share in samples.shares():
        print(f"  {share:6.1%} {share * each:7.2f} ms  {layer}")
    total = sum(samples.layers.values())
    for name, seconds in samples.functions.most_common(functions):
        print(f"  {seconds / total:6.1%} {seconds / total * each:7.2f} ms  {name}")


def application_on(environment: Mapping[str, str]) -> Application:
    """Django's WSGI application on an installation's data; this process is Django's from now on."""
    os.environ.update(environment)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callmanager.settings")
    from django.conf import settings

    from bench.statements import TimedConnection

    settings.DATABASES["default"]["OPTIONS"]["factory"] = TimedConnection
    from callmanager.wsgi import application

    # isort: split
    from accounts.key_usage import key_usage
    from metrics.live.hub import hub

    # As in a server to which nobody listens: keys' last use is written aside, no line is told.
    key_usage.start()
    hub.loop = asyncio.new_event_loop()
    made: Application = application
    return made


def flows_on(installation: Installation, times: int) -> dict[str, Flows]:
    """What each route asks, `times` times and some more."""
    program = Keyed(*installation.keys())

    def hook() -> Flow:
        yield next(messages)

    messages = map(b64decode, installation.ask(what="hooks", count=3 * times + 100))
    return {
        "pair": program.pair,
        "nothing": program.nothing,
        "log": partial(program.log, 100),
        "export": program.export,
        "hook": hook,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description="Where time goes.")
    parser.add_argument("--route", choices=ROUTES, action="append", help="several: once for each")
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--calls", type=int, default=FEW, help="calls in the data")
    parser.add_argument("--functions", type=int, default=10, help="of ours that are listed, too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="callmanager-profile-") as folder:
        installation = Installation.copied(given.calls, Path(folder))
        try:
            flows = flows_on(installation, given.times)
        finally:
            installation.close()
        application = application_on(installation.environment)
        for route in given.route or ["pair", "nothing"]:
            times = max(1, given.times // 50) if route == "export" else given.times
            tell(Work(route, application, flows[route]), times, given.functions)


if __name__ == "__main__":
    main()
