"""`callmanager-track` as scripts and people use it, against the real server."""

import io
import json
import os
import pty
import re
import signal
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from call_tracking import CallTracker, format_duration
from callmanager_track import terminal
from callmanager_track.journal import Journal

from calls.models import CallLog
from tests.support.client import NOWHERE, CommandLine, DrivenClock, environment, last_sign_ms
from tests.support.faults import FaultyLine
from tests.support.patience import await_that
from tests.support.people import key_of, make_call
from tests.support.processes import spawn

pytestmark = [pytest.mark.server, pytest.mark.once]


def lock_is_free(track: CommandLine) -> bool:
    """Whether no process is left behind that keeps the journal's calls alive."""
    path = track.journal.with_name(track.journal.name + ".keeper")
    if not path.exists():
        return True
    # Looked up, not tried: a keeper that starts while somebody tries the lock goes away again.
    inode = f":{path.stat().st_ino} "
    locks = Path("/proc/locks").read_text().splitlines()
    return not any("FLOCK" in lock and inode in lock for lock in locks)


@pytest.fixture
def track(live_people, server, tmp_path):
    track = CommandLine(server.url, key_of(live_people.alice), tmp_path / "calls")
    yield track
    for call in json.loads(track("status", "--json"))["running"]:
        track("end", "--call", call["call_id"])
    await_that(lambda: lock_is_free(track))


def test_a_call_from_a_script(track, live_people):
    """Each command in a process of its own."""
    make_call(live_people.alice, 100)
    begun = time.monotonic()
    call_id = track.run("start", "--phone", "+506 8888 7777", "--contact", "c_1")
    await_that(lambda: not lock_is_free(track))
    track("pause")
    track("resume")
    track.run("hold")
    await_that(lambda: json.loads(track("status", "--json"))["pending"] == 0)
    [shown] = json.loads(track("status", "--json"))["running"]
    assert shown["activity"] == "on hold"
    line = re.fullmatch(r"● (\d\d):(\d\d)  \+506 8888 7777  on hold", track("status"))
    assert line is not None
    seconds = int(line[1]) * 60 + int(line[2])
    assert shown["duration_seconds"] <= seconds <= time.monotonic() - begun
    # The keeper's sign of life, a second after the start.
    await_that(lambda: last_sign_ms(track.journal) >= 1000)
    ended = track.run("end", "--status", "DROPPED", "--notes", "line broke", "--wait", "30")
    call = CallLog.objects.get(call_id=call_id)
    assert (call.status, call.notes, call.contact_ref) == ("DROPPED", "line broke", "c_1")
    assert call.duration_seconds >= 1
    average = format_duration((100 + call.talk_seconds) // 2)
    length = format_duration(call.duration_seconds)
    assert ended == f"DROPPED after {length}; 2 calls, average {average}"
    assert call_id in track.run("log", "--json", "--limit", "1")
    assert "DROPPED      +506 8888 7777" in track("log")
    assert track.run("status") == "○ 00:00  no call"
    await_that(lambda: lock_is_free(track))


def test_the_keeper_keeps_a_call_alive_and_delivers_when_the_server_is_back(
    live_people, server, tmp_path
):
    line = FaultyLine(server.port)
    line.cut()
    track = CommandLine(line.url, key_of(live_people.alice), tmp_path / "calls")
    call_id = track("start", "--phone", "1", "--wait", "1")
    ended = track("end", "--wait", "1")
    about = re.fullmatch(
        r"COMPLETED after (00:\d\d); 1 calls, average (00:\d\d) "
        r"\(estimated; not delivered yet\)",
        ended,
    )
    assert about is not None and about[1] == about[2], ended
    assert "2 not delivered yet" in track("status")
    assert call_id in track("log", "--json")  # what this computer knows
    await_that(lambda: not lock_is_free(track))
    line.mend()
    await_that(lambda: CallLog.objects.ended().exists())
    await_that(lambda: lock_is_free(track))
    line.close()
    assert str(CallLog.objects.get().call_id) == call_id


def test_what_cannot_be_done_is_said(track, tmp_path):
    assert track("end", expect=1) == "callmanager-track: No call runs."
    assert "no running call x" in track("end", "--call", "x", expect=1)
    assert "Which program?" in track("run", expect=2)
    assert "Unknown status" in track("run", "--exit-status", "2=OK", "--", "true", expect=2)
    assert "key file cannot be read" in track("status", "--key-file", tmp_path / "x", expect=2)
    assert "must look like https://" in track("start", "--url", "calls", expect=2)
    done = subprocess.run(
        track.command("status"),
        env=environment(HOME=str(tmp_path)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and "Where is the server?" in done.stderr


def test_a_settings_file_says_where_the_server_is(track, tmp_path):
    folder = tmp_path / ".config" / "callmanager"
    folder.mkdir(parents=True)
    key = track.variables["CALLMANAGER_API_KEY"]
    (folder / "track.ini").write_text(f"[callmanager]\nurl = {track.url}\napi_key = {key}\n")
    done = subprocess.run(
        track.command("log"), env=environment(HOME=str(tmp_path)), capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_wrong_key_is_said_at_once_and_can_be_mended(track):
    right = track.variables["CALLMANAGER_API_KEY"]
    track.variables["CALLMANAGER_API_KEY"] = "cm_wrong"
    assert "refused: This API key is unknown" in track("start", "--wait", "30", expect=3)
    await_that(lambda: not lock_is_free(track))
    assert "refused: This API key is unknown" in track("end", "--wait", "30", expect=3)
    await_that(lambda: lock_is_free(track))  # its keeper has the wrong key for as long as it stays
    assert track("status").splitlines()[1].startswith("2 refused by the server")
    assert "401" in track("refused")
    assert "This API key is unknown" in track("log", expect=1)
    track.variables["CALLMANAGER_API_KEY"] = right
    track("refused", "--retry", "--wait", "30")
    assert track("refused") == "" and CallLog.objects.ended().count() == 1


@pytest.mark.parametrize(
    ("script", "code", "status"),
    [
        ("exit 0", 0, "COMPLETED"),
        ("exit 3", 3, "FAILED"),
        ("exit 4", 4, "NO_ANSWER"),
        ("kill -9 $$", 137, "DROPPED"),
        (None, 127, "FAILED"),
    ],
)
def test_a_call_lasts_as_long_as_a_program(track, script, code, status):
    program = ["sh", "-c", script] if script else ["no-such-program"]
    given = ["run", "--phone", "8888 7777", "--exit-status", "4=NO_ANSWER", "--", *program]
    track.run(*given, expect=code)
    await_that(lambda: CallLog.objects.ended().exists())
    assert CallLog.objects.get().status == status


def test_a_signal_reaches_the_program(track):
    script = "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"
    running = track.leave("run", "--", "sh", "-c", script)
    assert running.stdout.readline() == "ready\n"
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 5
    await_that(lambda: CallLog.objects.filter(status="FAILED").exists())


def test_a_killed_run_is_closed_by_the_next_command(track):
    running = track.leave("run", "--", "sh", "-c", "echo ready; exec cat")
    assert running.stdout.readline() == "ready\n"
    running.kill()
    running.communicate()  # ends the program that it has left behind, too
    assert track("refused") == ""
    await_that(lambda: CallLog.objects.filter(status="DROPPED").exists())


GREY, GREEN, AMBER, RED = "\x1b[90m", "\x1b[1;32m", "\x1b[1;38;5;214m", "\x1b[1;31m"


class Terminal:
    """A command in a terminal of its own, and every line that it has shown."""

    def __init__(self, command: list[str], variables: dict[str, str]):
        self._ours, theirs = pty.openpty()
        self.process = spawn(command, env=variables | {"TERM": "xterm-256color"}, stdout=theirs)
        os.close(theirs)
        self._shown = b""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def lines(self) -> list[str]:
        return [line.partition("\x1b[K")[0] for line in self._shown.decode().split("\r")]

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        self._reader.join(60)
        return self.process.wait(60)

    def _read(self) -> None:
        try:
            while chunk := os.read(self._ours, 65536):
                self._shown += chunk
        except OSError:  # the other side has closed it
            pass


def test_the_terminal_timer_is_shown_in_three_colours(track):
    """Of calls that began a while ago, with the thresholds at one and two minutes."""
    watching = Terminal(track.command("watch", "--amber", "60", "--red", "120"), track.variables)
    idle = f"{GREY}○ 00:00\x1b[0m  no call"
    await_that(lambda: idle in watching.lines)
    with CallTracker(track.url, track.key, journal=track.journal) as tracker:
        for seconds, timer in [
            (0, f"{GREEN}● 00:0"),
            (90, f"{AMBER}● 01:"),
            (3690, f"{RED}● 01:01:"),
        ]:
            started = tracker.clock.now().plus_ms(-seconds * 1000)
            tracker.start_call(contact_phone="8888 7777", started=started)
            await_that(lambda: timer in watching.lines[-1])  # noqa: B023  (within this turn)
            tracker.pause()
            await_that(lambda: "8888 7777  paused" in watching.lines[-1])
            tracker.end_call()
            await_that(lambda: idle in watching.lines[-1])
    assert watching.interrupt() == 0


def test_the_terminal_timer_goes_on_by_itself(track):
    watching = Terminal(track.command("watch"), track.variables)
    track("start")
    await_that(lambda: any("● 00:01" in line for line in watching.lines))
    assert watching.interrupt() == 0


def test_the_terminal_timer_draws_every_second_once(tmp_path):
    """With the thresholds at three and five seconds."""
    clock, shown, stop = DrivenClock(), io.StringIO(), threading.Event()
    thresholds = terminal.Thresholds(3, 5)
    with (
        CallTracker(NOWHERE, journal=tmp_path / "calls", clock=clock) as tracker,
        closing(Journal(tmp_path / "calls")) as journal,
    ):
        tracker.start_call(contact_phone="8888 7777")
        watching = threading.Thread(
            target=terminal.watch, args=(journal, thresholds, shown, stop, True, clock)
        )
        watching.start()
        for second in range(7):
            await_that(lambda: f"00:0{second}" in shown.getvalue())  # noqa: B023
            clock.advance(1)
        stop.set()
        watching.join()
    timers = [line.partition("\x1b[0m")[0] for line in shown.getvalue().splitlines()]
    colours = [GREEN, GREEN, GREEN, AMBER, AMBER, RED, RED]
    expected = [f"{colour}● 00:0{second}" for second, colour in enumerate(colours)]
    assert timers[:7] == expected and set(timers[7:]) <= {f"{RED}● 00:07"}


def test_no_colours_where_nobody_sees_them(track):
    assert "\x1b" not in track("status")


def test_help_names_every_command(tmp_path):
    track = CommandLine(NOWHERE, "", tmp_path / "calls")
    listed = track("--help")
    for name in [
        "start",
        "end",
        "pause",
        "hold",
        "resume",
        "status",
        "log",
        "watch",
        "run",
        "follow",
        "refused",
    ]:
        assert f"    {name} " in listed
    assert "--at-last-sign" in track("end", "--help")
    assert "keep" not in listed
