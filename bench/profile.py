"""`make profile`: where the time of a request goes, and its statements. In process, one thread.

    python -m bench.profile [--route pair|nothing|log|export] [--times 200] [--functions 15]

Requests pass through the whole of Django, as a web process's threads run it, without the server
around it. The data is a copy of what `make bench` seeds.
"""

import argparse
import io
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from wsgiref.util import setup_testing_defaults

from bench.installation import Installation
from bench.programs import Keyed
from bench.sampling import Samples, sampled
from bench.stage import FEW
from bench.statements import Statement, heard

Application = Callable[..., Iterable[bytes]]
_PASSES: Final = 20  # whose statements are timed


@dataclass
class Work:
    """A piece of work, done again and again: requests by name, each fed the answer before it."""

    application: Application
    program: Keyed
    route: str

    def once(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """The requests of one piece, each to be run before the next is asked for."""
        flow = self._flow()
        names = ("start", "end") if self.route == "pair" else (self.route,)
        answers: list[tuple[int, bytes]] = []
        for name in names:
            asked = flow.send(answers[-1]) if answers else next(flow)
            yield name, lambda asked=asked: answers.append(ask(self.application, asked))  # type: ignore[misc]

    def _flow(self) -> Any:
        if self.route == "export":
            return iter([self.program.export()])
        if self.route == "log":
            return self.program.log(100)
        return getattr(self.program, self.route)()

    def run(self) -> None:
        for _name, request in self.once():
            request()


def ask(application: Application, asked: bytes) -> tuple[int, bytes]:
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
        work.run()
    return (time.process_time() - begun) * 1000 / times


def statements(work: Work, passes: int = _PASSES) -> dict[str, list[Statement]]:
    """The statements of each request, with the median of their times where all passes had the
    same."""
    found: dict[str, list[list[Statement]]] = {}
    for _ in range(passes):
        for name, request in work.once():
            with heard() as said:
                request()
            found.setdefault(name, []).append(said)
    return {name: _usual(lists) for name, lists in found.items()}


def _usual(lists: list[list[Statement]]) -> list[Statement]:
    last = [one.text for one in lists[-1]]
    alike = [one for one in lists if [said.text for said in one] == last]
    times = [statistics.median(said.milliseconds for said in at) for at in zip(*alike, strict=True)]
    return [Statement(text, taken) for text, taken in zip(last, times, strict=True)]


def layers(work: Work, times: int) -> Samples:
    with sampled() as samples:
        for _ in range(times):
            work.run()
    return samples


def tell(work: Work, times: int, functions: int) -> None:
    """Measures and prints everything about `work`."""
    for _ in range(min(times, 30)):
        work.run()
    each = cost(work, times)
    print(f"\n{work.route}: {each:.2f} ms of processor time each, over {times}")
    for name, said in statements(work, min(times, _PASSES)).items():
        total = sum(one.milliseconds for one in said)
        print(f"\n{name}: {len(said)} statements, {total:.2f} ms in SQLite")
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

    made: Application = application
    return made


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description="Where time goes.")
    routes = ["pair", "nothing", "log", "export"]
    parser.add_argument("--route", choices=routes, action="append", help="several: once for each")
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--calls", type=int, default=FEW, help="calls in the data")
    parser.add_argument("--functions", type=int, default=10, help="of ours that are listed, too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="callmanager-profile-") as folder:
        installation = Installation.copied(given.calls, Path(folder))
        application = application_on(installation.environment)
        program = Keyed(*installation.keys())
        for route in given.route or ["pair", "nothing"]:
            times = max(1, given.times // 50) if route == "export" else given.times
            tell(Work(application, program, route), times, given.functions)


if __name__ == "__main__":
    main()
