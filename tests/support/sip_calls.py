"""SIPp on both sides of a SIP server: callers that talk as long as they are asked to and measure it
themselves, and everybody who is called."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support.patience import await_that
from tests.support.processes import kill, spawn
from tests.support.telephony import SCENARIO, epoch_seconds, hold_port

# As in SCENARIO, but through servers on the way, and with the instants of the answer and the end.
CALLER = (
    SCENARIO.replace("[last_To:]\nCall-ID", "[routes]\n[last_To:]\nCall-ID")
    .replace(
        '<recv response="200" rrs="true"/>',
        '<recv response="200" rrs="true"><action><gettimeofday assign_to="a,b"/></action></recv>',
    )
    .replace(
        '<pause variable="talk"/>',
        '<pause variable="talk"/>\n<nop><action><gettimeofday assign_to="t,v"/></action></nop>',
    )
    .replace(
        '<gettimeofday assign_to="t,v"/>\n  <log message="from=[field2]',
        '<log message="call=[call_id] answered=[$a]/[$b]',
    )
)
LOGGED = re.compile(
    r"call=(\S+) answered=([\d.]+)/([\d.]+) began=([\d.]+)/([\d.]+) ended=([\d.]+)/([\d.]+)"
)
CALLED = """\
<?xml version="1.0" encoding="ISO-8859-1"?>
<scenario name="called">
<recv request="INVITE" rrs="true"/>
<send><![CDATA[
SIP/2.0 180 Ringing
[last_Via:]
[last_From:]
[last_To:];tag=[pid]C[call_number]
[last_Call-ID:]
[last_CSeq:]
[last_Record-Route:]
Contact: <sip:[local_ip]:[local_port]>
Content-Length: 0

]]></send>
<pause milliseconds="300"/>
<send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]C[call_number]
[last_Call-ID:]
[last_CSeq:]
[last_Record-Route:]
Contact: <sip:[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=called 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
<recv request="ACK"/>
<recv request="BYE"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""


class Measured(NamedTuple):
    """What SIPp measured of a call, in epoch seconds, and how long it was asked to talk (ms)."""

    call: str
    asked_ms: int
    began: float
    answered: float
    ended: float

    @property
    def talk(self) -> float:
        return self.ended - self.answered


@contextmanager
def everybody_else(folder: Path) -> Iterator[int]:
    """Those who are called: they ring for 300 ms and answer. The UDP port where they are."""
    folder.mkdir()
    (folder / "called.xml").write_text(CALLED)
    with ExitStack() as held:
        port = hold_port(held)
    command = ["sipp", "-sf", "called.xml", "-i", "127.0.0.1", "-p", str(port), "-nostdin"]
    with (folder / "output").open("wb") as output:
        process = spawn(command, cwd=folder, stdout=output, stderr=output)
    try:
        await_that(lambda: _is_taken(port) or process.poll() is not None)
        assert process.poll() is None, (folder / "output").read_text(errors="replace")
        yield port
    finally:
        kill(process)


def _is_taken(port: int) -> bool:
    """Whether somebody hears what comes to the UDP port."""
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    return any(int(line.split()[1].partition(":")[2], 16) == port for line in lines)


def place_calls(port: int, agent: str, lengths_ms: list[int], folder: Path) -> list[Measured]:
    """`agent` calls once for each length, two calls at a time, by the server at the UDP port."""
    folder.mkdir()
    (folder / "caller.xml").write_text(CALLER)
    rows = [f"+5068888{n:04d};{ms};{agent}" for n, ms in enumerate(lengths_ms)]
    (folder / "calls.csv").write_text("\n".join(["SEQUENTIAL", *rows]) + "\n")
    command = ["sipp", f"127.0.0.1:{port}", "-sf", "caller.xml", "-inf", "calls.csv"]
    command += ["-i", "127.0.0.1", "-m", str(len(rows)), "-l", "2", "-r", "4", "-nostdin"]
    command += ["-trace_logs", "-log_file", "calls.log", "-cid_str", "%u-%p@%s"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout[-3000:].decode(errors="replace")
    found = LOGGED.findall((folder / "calls.log").read_text())
    return [
        Measured(
            call,
            lengths_ms[int(call.partition("-")[0]) - 1],
            epoch_seconds(s, u),
            epoch_seconds(a, b),
            epoch_seconds(t, v),
        )
        for call, a, b, s, u, t, v in found
    ]
