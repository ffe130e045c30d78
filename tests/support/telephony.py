"""Real SIP softphones and a real SIP caller on loopback, without sound hardware."""

import os
import re
import shutil
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from accounts.models import User
from calls.models import CallLog
from tests.support.client import CommandLine
from tests.support.patience import await_that
from tests.support.people import People, key_of
from tests.support.processes import spawn
from tests.support.server import Server

MODULES = Path("/usr/lib/baresip/modules")
CONFIG = """\
sip_listen 127.0.0.1:{sip}
net_interface 127.0.0.1
audio_player aubridge,nil
audio_source ausine,440
audio_alert aubridge,nil
ausrc_srate 48000
ausrc_channels 2
rtp_ports {rtp}-{last_rtp}
call_max_calls 20
module_path {modules}
module g711.so
module ausine.so
module aubridge.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
module cons.so
cons_listen 127.0.0.1:{console}
"""
# A caller that talks for field 1 milliseconds to number field 0, and logs when it did.
SCENARIO = """\
<?xml version="1.0" encoding="ISO-8859-1"?>
<scenario name="talk">
<nop><action>
  <assignstr assign_to="ms" value="[field1]"/><todouble assign_to="talk" variable="ms"/>
  <gettimeofday assign_to="s,u"/>
</action></nop>
<send retrans="500"><![CDATA[
INVITE sip:[field0]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field2]@[local_ip]:[local_port]>;tag=[pid]T[call_number]
To: <sip:[field0]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:[field2]@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=caller 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200" rrs="true"/>
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field2]@[local_ip]:[local_port]>;tag=[pid]T[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<pause variable="talk"/>
<send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field2]@[local_ip]:[local_port]>;tag=[pid]T[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>
<nop><action>
  <gettimeofday assign_to="t,v"/>
  <log message="from=[field2] began=[$s]/[$u] ended=[$t]/[$v]"/>
</action></nop>
</scenario>
"""
LOGGED = re.compile(r"from=(\S+) began=([\d.]+)/([\d.]+) ended=([\d.]+)/([\d.]+)")


def need_telephony() -> None:
    """Skips where there is no softphone, unless CI or REQUIRE_TELEPHONY says not."""
    missing = [name for name in ("baresip", "sipp") if shutil.which(name) is None]
    if not missing:
        return
    message = f"no {' and no '.join(missing)}: apt-get install baresip-core sip-tester"
    if os.environ.get("CI") or os.environ.get("REQUIRE_TELEPHONY"):
        pytest.fail(message)
    pytest.skip(message)


def hold_port(held: ExitStack) -> int:
    """A port that nobody uses, for TCP and UDP, and nobody else gets until `held` is closed."""
    while True:
        stream = held.enter_context(socket.socket())
        stream.bind(("127.0.0.1", 0))
        port = stream.getsockname()[1]
        packets = held.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        try:
            packets.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port


class Softphone:
    """One baresip; `answermode` is auto or manual. Its person types into a console of its own."""

    def __init__(self, folder: Path, answermode: str = "auto"):
        self.folder, self._answermode = folder, answermode
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        self._output = folder / "output"
        self._configure()

    def _configure(self) -> None:
        """Chooses ports that nobody has, and holds them until the phone takes them."""
        self._held = ExitStack()
        self.sip, self.control, self.console, rtp = (hold_port(self._held) for _ in range(4))
        rtp = min(rtp // 2 * 2, 65_000)
        (self.folder / "config").write_text(
            CONFIG.format(
                sip=self.sip,
                control=self.control,
                console=self.console,
                rtp=rtp,
                last_rtp=rtp + 100,
                modules=MODULES,
            )
        )
        account = f"<{self.uri}>;regint=0;answermode={self._answermode};audio_codecs=pcmu\n"
        (self.folder / "accounts").write_text(account)
        (self.folder / "contacts").touch()

    @property
    def uri(self) -> str:
        return f"sip:{self.folder.name}@127.0.0.1:{self.sip}"

    def start(self) -> "Softphone":
        """Starts it; anew with other ports where one of them was taken meanwhile."""
        for _ in range(5):
            if self._starts():
                return self
            self.kill()
            self._configure()
        raise AssertionError(f"baresip did not start: {self._output.read_text()}")

    def _starts(self) -> bool:
        self._held.close()
        with self._output.open("wb") as output:
            self.process = spawn(
                ["baresip", "-f", str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        await_that(lambda: self._said("is ready") or self.process.poll() is not None)
        return self.process.poll() is None and not self._said("in use")

    def _said(self, words: str) -> bool:
        return words in self._output.read_text(errors="replace")

    def type(self, command: str) -> None:
        """What the person at the phone does: `/dial URI`, `/accept`, `/hangup`."""
        with socket.socket(type=socket.SOCK_DGRAM) as console:
            console.sendto(f"{command}\n".encode(), ("127.0.0.1", self.console))

    def kill(self) -> None:
        self._held.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class SippCall(NamedTuple):
    """What sipp itself measured, in epoch seconds: before the INVITE, and after the last 200."""

    caller: str
    began: float
    ended: float


def call_with_sipp(phone: Softphone, lengths_ms: list[int], folder: Path) -> list[SippCall]:
    """Calls `phone` once for each length, two at a time; sipp's own measurements."""
    folder.mkdir()
    (folder / "talk.xml").write_text(SCENARIO)
    rows = [f"{phone.folder.name};{ms};+5068888{n:04d}" for n, ms in enumerate(lengths_ms)]
    (folder / "calls.csv").write_text("\n".join(["SEQUENTIAL", *rows]) + "\n")
    command = ["sipp", f"127.0.0.1:{phone.sip}", "-sf", "talk.xml", "-inf", "calls.csv"]
    command += ["-i", "127.0.0.1", "-m", str(len(rows)), "-l", "2"]
    command += ["-r", "4", "-nostdin", "-trace_logs", "-log_file", "calls.log"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stdout[-3000:].decode()
    return [
        SippCall(caller, epoch_seconds(s, u), epoch_seconds(t, v))
        for caller, s, u, t, v in LOGGED.findall((folder / "calls.log").read_text())
    ]


def epoch_seconds(whole: str, micro: str) -> float:
    """Two numbers as sipp prints them, 1795411851.000000 and 454427.000000."""
    return float(whole) + float(micro) / 1e6


class Followed:
    """`with Followed(...)`: alice's and bob's softphones, each followed by a command of its own."""

    def __init__(self, people: People, server: Server, folder: Path, bobs: str = "auto"):
        modes = {"alice": "manual", "bob": bobs}
        self.phones = {name: Softphone(folder / name, mode) for name, mode in modes.items()}
        self._tracks = {
            name: CommandLine(server.url, key_of(getattr(people, name)), folder / f"{name}.calls")
            for name in self.phones
        }
        self.followers: dict[str, subprocess.Popen[str]] = {}

    def __enter__(self) -> "Followed":
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _start(self) -> None:
        for name, phone in self.phones.items():
            phone.start()
            command = ["follow", "baresip", "--port", phone.control]
            self.followers[name] = self._tracks[name].leave(*command)
        for name in self.followers:
            assert self.said(name).startswith("following baresip")

    def said(self, name: str) -> str:
        """The next line that the follower of this phone prints."""
        stream = self.followers[name].stdout
        assert stream is not None
        return stream.readline().strip()

    def _stop(self) -> None:
        for follower in self.followers.values():
            follower.terminate()
        for follower in self.followers.values():
            follower.communicate(timeout=60)
        for phone in self.phones.values():
            phone.kill()


def length(call: CallLog) -> float:
    """Seconds from the start to the end."""
    assert call.end_time is not None
    return (call.end_time - call.start_time).total_seconds()


def calls_of(person: User) -> list[tuple[str, str, str]]:
    """Status, direction and the other side's address of the ended calls, oldest first."""
    ended = CallLog.objects.filter(user=person, end_time__isnull=False).order_by("start_time")
    return [(call.status, call.direction, call.contact_ref) for call in ended]
