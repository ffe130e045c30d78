"""A real SIP server on loopback: phones register by UDP or WebSocket, and a hook hears of calls."""

import os
import re
import shutil
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.patience import await_that
from tests.support.processes import kill, spawn
from tests.support.telephony import hold_port

DOMAIN = "call.test"
# What is not registered is at `gateway`, if there is one: SIPp, who plays everybody else.
CONFIG = """\
#!KAMAILIO
debug=1
log_stderror=yes
children=4
tcp_children=2
auto_aliases=no
enable_sctp=no
listen=udp:127.0.0.1:{sip}
listen=tcp:127.0.0.1:{web}
alias="{domain}"
tcp_accept_no_cl=yes
tcp_connection_lifetime=3605
loadmodule "kex.so"
loadmodule "corex.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "nathelper.so"
loadmodule "xhttp.so"
loadmodule "websocket.so"
loadmodule "dialog.so"
loadmodule "acc.so"
loadmodule "mqueue.so"
loadmodule "rtimer.so"
loadmodule "http_client.so"
modparam("usrloc", "db_mode", 0)
modparam("registrar", "default_expires", 120)
modparam("websocket", "keepalive_mechanism", 0)
modparam("nathelper|registrar", "received_avp", "$avp(RECEIVED)")
modparam("dialog", "db_mode", 0)
modparam("acc", "log_flag", 1)
modparam("acc", "cdr_enable", 1)
modparam("acc", "cdr_log_enable", 1)
modparam("acc", "cdr_extra", "ci=$ci;from=$fU;to=$tU")
modparam("mqueue", "mqueue", "name=hooks;size=10000")
modparam("rtimer", "timer", "name=sender;interval=20000u;mode=1;")
modparam("rtimer", "exec", "timer=sender;route=SEND")
modparam("http_client", "connection_timeout", 2)
modparam("tm", "fr_inv_timer", {patience_ms})
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (nat_uac_test(64)) {{
        force_rport();
        if (is_method("REGISTER")) fix_nated_register();
        else if (!add_contact_alias()) {{ sl_send_reply("400", "Bad Request"); exit; }}
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ handle_ruri_alias(); t_on_reply("ANSWERS"); t_relay(); exit; }}
        if (is_method("ACK") && t_check_trans()) {{ t_relay(); exit; }}
        sl_send_reply("404", "Not here"); exit;
    }}
    if (is_method("REGISTER")) {{ if (!save("location")) sl_reply_error(); exit; }}
    t_check_trans();
    if (is_method("INVITE")) {{
        setflag(1);
        dlg_manage();
        $var(event) = "started"; $var(status) = ""; route(HOOK);
        t_on_failure("FAILS");
    }}
    if (!is_method("ACK")) record_route();
    if (!lookup("location")) {{
        if ({gateway} == 0) {{
            $var(event) = "ended"; $var(status) = "failed"; route(HOOK);
            sl_send_reply("404", "Not registered"); exit;
        }}
        $du = "sip:127.0.0.1:{gateway}";
    }}
    handle_ruri_alias();
    t_on_reply("ANSWERS");
    if (!t_relay()) sl_reply_error();
}}
onreply_route[ANSWERS] {{
    if (nat_uac_test(64)) add_contact_alias();
    if (is_method("INVITE") && $rs == 180) {{
        $var(event) = "ringing"; $var(status) = ""; route(HOOK);
    }}
}}
failure_route[FAILS] {{
    $var(status) = "failed";
    if ($T_reply_code == 486) $var(status) = "busy";
    if ($T_reply_code == 408 || $T_reply_code == 480) $var(status) = "no answer";
    if (t_is_canceled()) $var(status) = "cancelled";
    $var(event) = "ended";
    route(HOOK);
}}
event_route[dialog:start] {{ $var(event) = "answered"; $var(status) = ""; route(HOOK); }}
event_route[dialog:end] {{ $var(event) = "ended"; $var(status) = "completed"; route(HOOK); }}
event_route[xhttp:request] {{
    set_reply_close();
    set_reply_no_connect();
    if ($hdr(Upgrade) =~ "websocket" && $hdr(Connection) =~ "Upgrade" && $rm =~ "GET") {{
        if (ws_handle_handshake()) exit;
    }}
    xhttp_reply("404", "Not Found", "", "");
}}
{hook}
"""
# The instant is taken at once. A process of its own sends the messages, again where a line breaks:
# a call never waits for them.
HOOK = """\
route[HOOK] {{
    mq_add("hooks", "$ci", "{{\\"event\\":\\"$var(event)\\",\\"call_id\\":\\"$ci\\","
        "\\"direction\\":\\"outbound\\",\\"from\\":\\"$fU\\",\\"to\\":\\"$tU\\","
        "\\"status\\":\\"$var(status)\\",\\"at\\":$TV(Sn)}}");
}}
route[SEND] {{
    while (mq_fetch("hooks")) {{
        $var(sent) = 0;
        while ($var(sent) < 9) {{
            $var(sent) = $var(sent) + 1;
            http_client_query("{url}", "$mqv(hooks)",
                "Content-Type: application/json\\r\\nX-CallManager-Token: {token}", "$var(answer)");
            if ($rc >= 200 && $rc < 500) $var(sent) = 9;
        }}
        mq_pv_free("hooks");
    }}
}}
"""
NO_HOOK = """\
route[HOOK] {{ return; }}
route[SEND] {{ return; }}
"""
# What its accounting writes, of an answer and of a whole call.
ANSWERED = re.compile(r"transaction answered: timestamp=(\d+);.*call_id=([^;]+);")
ENDED = re.compile(
    r"start_time=([\d.]+); end_time=([\d.]+); duration=([\d.]+); ci=(\S+); from=(\S+); to=(\S+)"
)


class Accounted(NamedTuple):
    """A call in the server's own accounting: epoch seconds, of the answer whole ones."""

    call: str
    caller: str
    called: str
    started: float
    answered: int
    ended: float
    duration: float


def need_kamailio() -> None:
    """Skips where there is none, unless CI or REQUIRE_TELEPHONY says not."""
    if shutil.which("kamailio") and shutil.which("sipp"):
        return
    message = (
        "no Kamailio or SIPp: apt-get install sip-tester kamailio kamailio-websocket-modules "
        "kamailio-utils-modules"
    )
    if os.environ.get("CI") or os.environ.get("REQUIRE_TELEPHONY"):
        pytest.fail(message)
    pytest.skip(message)


class Kamailio:
    """`with Kamailio(folder) as server`: phones register at `server.sip` (UDP) or `server.ws_url`.

    Each step of a call is told to `hook`, an address of the generic adapter, with `token`. Numbers
    that nobody registered are passed to the UDP port `gateway`. A phone may ring for `patience_ms`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        hook: str = "",
        token: str = "",
        gateway: int = 0,
        patience_ms: int = 30_000,
    ):
        self.folder = folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._hook = (HOOK if hook else NO_HOOK).format(url=hook, token=token)
        self._gateway, self._patience_ms = gateway, patience_ms
        self._process: subprocess.Popen[bytes] | None = None
        self._log = self.folder / "log"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.web}"

    def __enter__(self) -> "Kamailio":
        """Starts it; anew with other ports where one of them was taken meanwhile."""
        for _ in range(5):
            if self._starts():
                return self
            self.__exit__()
        raise AssertionError(f"Kamailio did not start: {self._log.read_text(errors='replace')}")

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            kill(self._process)
            self._process = None

    def accounted(self) -> list[Accounted]:
        """What its own accounting tells of the calls that are over."""
        log = self._log.read_text(errors="replace")
        answers = {call: int(at) for at, call in ANSWERED.findall(log)}
        return [
            Accounted(call, caller, called, float(s), answers[call], float(e), float(d))
            for s, e, d, call, caller, called in ENDED.findall(log)
        ]

    def _starts(self) -> bool:
        with ExitStack() as held:
            self.sip, self.web = hold_port(held), hold_port(held)
        config = self.folder / "kamailio.cfg"
        config.write_text(
            CONFIG.format(
                sip=self.sip,
                web=self.web,
                domain=DOMAIN,
                hook=self._hook,
                gateway=self._gateway,
                patience_ms=self._patience_ms,
            )
        )
        pid = self.folder / "pid"
        pid.unlink(missing_ok=True)
        command = ["kamailio", "-f", config, "-DD", "-E", "-m", "32", "-M", "4"]
        with self._log.open("wb") as log:
            self._process = spawn([*command, "-Y", self.folder, "-P", pid], stdout=log, stderr=log)
        process = self._process
        await_that(lambda: pid.exists() or process.poll() is not None)
        return process.poll() is None and _answers(self.sip)


def _answers(port: int) -> bool:
    """Whether a SIP server answers at the UDP port: to a request that it will not pass on."""

    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.bind(("127.0.0.1", 0))
        own = asking.getsockname()[1]
        asking.settimeout(1)
        for number in range(20):
            request = (
                f"OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{own};"
                f"branch=z9hG4bK{number}\r\nFrom: <sip:t@127.0.0.1>;tag=1\r\n"
                f"To: <sip:t@127.0.0.1>\r\nCall-ID: {number}@t\r\nCSeq: 1 OPTIONS\r\n"
                "Max-Forwards: 0\r\nContent-Length: 0\r\n\r\n"
            )
            try:
                asking.sendto(request.encode(), ("127.0.0.1", port))
                return bool(asking.recv(2000))
            except OSError:
                continue
    return False
