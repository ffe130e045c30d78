"""Asterisk dials for us and is asked: the very bytes, over a real socket."""

import socket
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from calls.providers.asterisk import Asterisk
from calls.providers.asterisk.ami import Message, NotAmi, Reader, encode
from calls.providers.asterisk.manager import Where
from calls.providers.base import Gone, Unreachable
from calls.simulation.asterisk.events import GREETING
from tests.support.client import NOWHERE
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.once

SECRET = "ami-secret-1"
CHALLENGED = b"Response: Success\r\nActionID: login-1\r\nChallenge: 123456789\r\n\r\n"
ACCEPTED = b"Response: Success\r\nActionID: login-2\r\nMessage: Authentication accepted\r\n\r\n"
REFUSED = b"Response: Error\r\nActionID: login-2\r\nMessage: Authentication failed\r\n\r\n"
QUEUED = b"Response: Success\r\nActionID: ask-1\r\nMessage: Originate successfully queued\r\n\r\n"
DENIED = b"Response: Error\r\nActionID: ask-1\r\nMessage: Permission denied\r\n\r\n"
# What a manager sends whether asked or not.
BOOTED = b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n"


class Recorded:
    """A socket that says recorded bytes, one answer an action, and keeps what it is sent."""

    def __init__(self, *answers, greeting=GREETING, connections=1):
        self.answers, self.greeting, self.connections = list(answers), greeting, connections
        self.sent = b""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        for _ in range(self.connections):
            connection = self._socket.accept()[0]
            connection.sendall(self.greeting)
            reader = Reader()
            with connection:
                while piece := connection.recv(65536):
                    self.sent += piece
                    for action in reader.feed(piece):
                        if not self.answers:
                            continue
                        answer = self.answers.pop(0)
                        if answer is None:
                            break
                        asked = action.get("ActionID").encode()
                        connection.sendall(answer.replace(b"ask-1", asked))
                    else:
                        continue
                    break

    def close(self):
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "nobody came, or nobody left"
        self._socket.close()

    def actions(self):
        return Reader().feed(self.sent)


@contextmanager
def recorded(*answers, **options):
    server = Recorded(*answers, **options)
    try:
        yield server
    finally:
        server.close()


def adapter(port, secrets=(SECRET,), /, **settings):
    given = {"host": "127.0.0.1", "port": str(port), "username": "calls"}
    return Asterisk("pbx", given | settings, {"secret": list(secrets)}, "ES")


def test_the_bytes_that_place_a_call():
    with recorded(CHALLENGED, BOOTED + ACCEPTED, QUEUED) as server:
        made = adapter(server.port, context="office").place_call("1001", "+34600000001")
    assert made.startswith("callmanager-")
    assert server.sent.decode() == (
        "Action: Challenge\r\nActionID: login-1\r\nAuthType: MD5\r\n\r\n"
        "Action: Login\r\nActionID: login-2\r\nUsername: calls\r\nAuthType: MD5\r\n"
        "Key: d145790a35d24146e8e2cfcbcac1ef5c\r\nEvents: off\r\n\r\n"
        f"Action: Originate\r\nActionID: {made}\r\nChannel: PJSIP/1001\r\nContext: office\r\n"
        "Exten: 34600000001\r\nPriority: 1\r\nCallerID: <1001>\r\nTimeout: 30000\r\n"
        f"Async: true\r\nChannelId: {made}\r\n\r\n"
        "Action: Logoff\r\n\r\n"
    )


def test_how_the_account_wants_numbers_dialled():
    with recorded(CHALLENGED, ACCEPTED, QUEUED) as server:
        pbx = adapter(server.port, outside_prefix="900", technology="SIP")
        pbx.place_call("ana", "+34600000001")
    said = server.actions()[2]
    assert (said.get("Channel"), said.get("Exten")) == ("SIP/ana", "90034600000001")
    assert said.get("Context") == "from-internal"


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        ((CHALLENGED, ACCEPTED, DENIED), "Asterisk refused: Permission denied"),
        ((CHALLENGED, REFUSED), "refuses the login: Authentication failed"),
        ((CHALLENGED, None), "connection to Asterisk broke"),
        ((b"x" * 70_000,), "connection to Asterisk broke"),
    ],
)
def test_what_asterisk_refuses_is_said(answers, complaint):
    with recorded(*answers) as server, pytest.raises(Unreachable, match=complaint):
        adapter(server.port).place_call("1001", "+34600000001")


def test_the_second_secret_of_a_rotation_is_tried():
    with recorded(CHALLENGED, REFUSED, CHALLENGED, ACCEPTED, QUEUED, connections=2) as server:
        assert adapter(server.port, ("newer", SECRET)).place_call("1001", "+34600000001")


def test_nobody_there():
    with pytest.raises(Unreachable, match="does not answer at 127"):
        adapter(urlsplit(NOWHERE).port).place_call("1001", "+34600000001")


def test_somebody_else_there():
    with recorded(greeting=b"SSH-2.0\r\na: b\r\n\r\n") as server:
        with pytest.raises(Unreachable, match="no Asterisk manager"):
            adapter(server.port).place_call("1001", "+34600000001")


@pytest.mark.parametrize(
    ("agent", "number"),
    [
        ("1001\r\nAction: Command", "+34600000001"),
        ("1001,30,g", "+34600000001"),
        ("", "+34600000001"),
        ("1001", "+34600000001\r\nPriority: 9"),
        ("1001", "${SHELL(id)}"),
        ("1001", ""),
    ],
)
def test_nothing_but_an_extension_and_a_number_reaches_asterisk(agent, number):
    with pytest.raises(Unreachable, match="is no"):
        adapter(1).place_call(agent, number)


@pytest.mark.parametrize(
    ("wrong", "secrets", "complaint"),
    [
        ({"host": ""}, (SECRET,), "host, username and secret"),
        ({}, (), "host, username and secret"),
        ({"port": "0"}, (SECRET,), "not a port"),
        ({"port": "seventy"}, (SECRET,), "not a port"),
    ],
)
def test_an_account_that_is_not_set_up_says_so(wrong, secrets, complaint):
    with pytest.raises(Unreachable, match=complaint):
        adapter(5038, secrets, **wrong).place_call("1001", "+34600000001")


def test_the_port_of_tls():
    where = Where.of_account({"host": "pbx", "username": "u", "tls": "1"}, ["s"])
    assert (where.port, where.tls) == (5039, True)


LISTED = (
    b"Response: Success\r\nActionID: ask-1\r\nEventList: start\r\n\r\n"
    b"Event: CoreShowChannel\r\nUniqueid: 1.7\r\n\r\n"
    b"Event: CoreShowChannelsComplete\r\nListItems: 1\r\n\r\n"
)


def test_a_call_is_asked_about():
    with recorded(CHALLENGED, ACCEPTED, LISTED) as server:
        assert adapter(server.port).ask("1.7") == []
    with recorded(CHALLENGED, ACCEPTED, LISTED) as server, pytest.raises(Gone):
        adapter(server.port).ask("1.8")
    with recorded(CHALLENGED, ACCEPTED, DENIED) as server:
        assert adapter(server.port).ask("1.7") is None


@pytest.mark.parametrize(
    ("chosen", "url"),
    [
        ({}, "tel:+34600000001"),
        ({"link": "sip", "sip_domain": "call.test"}, "sip:34600000001@call.test"),
        ({"link": "sip", "outside_prefix": "00"}, "sip:0034600000001@127.0.0.1"),
        ({"link": "sip", "host": ""}, ""),
    ],
)
def test_the_link_that_dials(chosen, url):
    assert adapter(5038, **chosen).dial_url("+34600000001") == url


# --- Messages -------------------------------------------------------------------------------------


def test_messages_in_pieces_of_any_size():
    raw = GREETING + b"event: Hold\r\nCHANNEL: PJSIP/1001-1\r\nVariable: a\r\nVariable: b:c\r\n\r\n"
    for size in (1, 2, 7, len(raw)):
        reader = Reader()
        pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
        banner, hold = [message for piece in pieces for message in reader.feed(piece)]
        assert (hold.event, hold.get("Channel")) == ("Hold", "PJSIP/1001-1")
        assert hold.all("variable") == ["a", "b:c"] and not reader.unfinished
        assert "Asterisk" in banner.get("Banner")


def test_a_message_that_was_cut_off_is_not_given_out():
    reader = Reader()
    assert reader.feed(b"Event: Hangup\r\nUniqueid: 1.1\r\n") == [] and reader.unfinished
    (banner,) = reader.feed(GREETING)  # the next connection
    (message,) = reader.feed(b"Event: Hold\r\n\r\n")
    assert "Uniqueid" not in message and banner.event == ""


def test_names_in_any_encoding_and_what_is_unknown():
    raw = b"CallerIDName: Jos\xe9\r\nOther: Jos\xc3\xa9\r\nCallerIDNum: <unknown>\r\n\r\n"
    (message,) = Reader().feed(raw)
    assert (message.get("calleridname"), message.get("other")) == ("José", "José")
    assert (message.get("CallerIDNum"), message.get("nothing", "x")) == ("", "x")


def test_what_never_ends_is_no_manager():
    with pytest.raises(NotAmi):
        Reader().feed(b"a" * 70_000)
    with pytest.raises(NotAmi):
        Reader().feed(b"a: b\r\n" * 3000)


def test_an_action_holds_no_line_of_its_own():
    assert encode("Ping", {"ActionID": "1"}) == b"Action: Ping\r\nActionID: 1\r\n\r\n"
    with pytest.raises(ValueError, match="line break"):
        encode("Originate", {"Exten": "1\r\nAction: Command"})
    assert isinstance(Message([]), Message)
