"""`make run`: the site and its worker, ready to try out. One Ctrl-C ends both.

Prepares the database, collects the static files, makes the demo organisation when the database is
new, then starts the web server and the worker and watches over them. Meanwhile the people of the
demo organisation go on calling.
"""

import argparse
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
START_SECONDS = 60
STOP_SECONDS = 10

SIGN_INS = """
  agent1 ... agent12    agents: the desk, own calls
  supervisor1           two teams: live view, comparison, corrections
  supervisor2           the third team
  admin                 the whole organisation and the administration
  The password is "demo" for all of them."""


def main() -> int:
    port = _arguments().port
    _refuse_taken_port(port)
    os.chdir(ROOT)
    os.environ.setdefault("DEMO", "1")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callmanager.settings")
    demo = _prepare()
    wish = Wish()
    # Python leaves out Ctrl-C where a script started us in the background.
    signal.signal(signal.SIGINT, wish.hear)
    signal.signal(signal.SIGTERM, wish.hear)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup wants it
        signal.signal(signal.SIGHUP, wish.hear)
    processes: dict[str, Any] = {}
    try:
        processes["web server"] = _web_server(port)
        processes["worker"] = _worker()
        if _wait_until_ready(port, processes, wish):
            _say(f"\nCallManager is running: http://{HOST}:{port}/")
            _say(f"{SIGN_INS}\n\nStop with Ctrl-C." if demo else "Stop with Ctrl-C.")
        with _living(demo):
            return _watch(processes, wish)
    finally:
        _stop(processes)


class Wish:
    """That all of this ends. A signal is only noted: a handler that raises would do so anywhere,
    between the start of a process and the note of it, or while the processes are being stopped."""

    uttered = False

    def hear(self, signal_number: int, frame: Any) -> None:
        self.uttered = True


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=8000)
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, flush=True)


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "a port lies between 1 and 65535"
            sys.exit(
                f"Port {port} cannot be used: {reason}. "
                "Choose another one, for example: make run PORT=8010"
            )


def _prepare() -> bool:
    """Brings database and static files up to date; whether there are demo people."""
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.management import CommandError, call_command
    from django.db import connections

    try:
        _say("Preparing the database ...")
        call_command("migrate", verbosity=0, interactive=False)
        # In a process of its own, where the settings name the files by their contents.
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"]
        if subprocess.run(collect, cwd=ROOT).returncode != 0:
            sys.exit("The static files cannot be collected; the reason stands above.")
        people = get_user_model().objects
        if settings.DEMO and not people.exists():
            _say(
                "Making the demo organisation: three teams, twelve agents, four weeks of calls ..."
            )
            call_command("seed_demo", live=True, stdout=io.StringIO())
            from notifications.rules import demo as alerts

            alerts.seed()
            from reconciliation import demo as records

            records.seed()
        demo = settings.DEMO and people.filter(username="agent1").exists()
    except CommandError as error:
        sys.exit(str(error))
    connections.close_all()
    return demo


def _web_server(port: int) -> "subprocess.Popen[bytes]":
    daphne = [sys.executable, "-m", "daphne", "-v", "0", "-b", HOST, "-p", str(port)]
    return subprocess.Popen([*daphne, "callmanager.asgi:application"])


def _worker() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "manage.py", "run_huey", "--skip-checks"])


def _wait_until_ready(port: int, processes: dict[str, Any], wish: Wish) -> bool:
    """Whether the web server answers; if not, _watch tells why."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if _first_ended(processes) or wish.uttered:
            return False
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return True
        time.sleep(0.1)
    sys.exit(f"The web server did not answer within {START_SECONDS} seconds.")


@contextmanager
def _living(demo: bool) -> Iterator[None]:
    """The demo's agents go on calling meanwhile."""
    if not demo:
        yield
        return
    from metrics.demo.living import play

    stop = threading.Event()
    thread = threading.Thread(target=play, args=(stop,), name="living demo", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(STOP_SECONDS)


def _watch(processes: dict[str, Any], wish: Wish) -> int:
    """Returns when one of the processes has ended, or is to; the exit code to pass on."""
    while (name := _first_ended(processes)) is None and not wish.uttered:
        time.sleep(0.2)
    if name is None or wish.uttered:  # Ctrl-C reaches the processes, too
        _say("\nStopping ...")
        return 0
    code = processes[name].returncode
    print(f"The {name} ended by itself (exit code {code}); stopping.", file=sys.stderr, flush=True)
    return code if code > 0 else 1


def _first_ended(processes: dict[str, Any]) -> str | None:
    return next((name for name, one in processes.items() if one.poll() is not None), None)


def _stop(processes: dict[str, Any]) -> None:
    """Asks all of them to end, then insists."""
    for process in processes.values():
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes.values():
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
