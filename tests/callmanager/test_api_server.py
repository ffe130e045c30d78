"""The API of the real server, reached as programs reach it."""

import contextlib
import http.client
import json
import socket
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest

from calls.models import CallLog
from tests.support.client import NOWHERE
from tests.support.fuzzing import contradictions
from tests.support.patience import PATIENCE
from tests.support.people import key_of
from tests.support.server import Server

pytestmark = [pytest.mark.server, pytest.mark.engines]


def test_a_desktop_client_that_knows_three_routes(live_people, server):
    """Nothing but the standard library, and nothing but the three routes."""
    key = key_of(live_people.alice)

    def ask(path: str, body: dict | None = None) -> tuple[int, dict | list]:
        request = urllib.request.Request(
            f"{server.url}/api/calls/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-API-Key": key, "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    status, started = ask("start", {"contact_id": "c_1", "contact_phone": "+506-5123-4567"})
    assert (status, started["message"]) == (201, "Call started")
    end = {"call_id": started["call_id"], "status": "COMPLETED", "notes": "Will call back"}
    status, ended = ask("end", end)
    assert (status, ended["message"], ended["calls_made"]) == (200, "Call ended", 1)
    status, rows = ask("log?user_id=alice&start_date=&end_date=&status=COMPLETED&limit=10")
    assert status == 200
    assert [row["call_id"] for row in rows] == [started["call_id"]]
    assert rows[0]["duration_seconds"] == ended["duration_seconds"]
    status, refused = ask("end", end | {"status": "FAILED"})
    assert (status, list(refused)) == (409, ["error"])


class Raw:
    """Requests that no library would send, on connections of their own."""

    def __init__(self, server, key: str):
        self.server, self.headers = server, {"X-API-Key": key, "Content-Type": "application/json"}

    def __call__(self, method: str, target: str, body=None, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        connection._encode_request = lambda line: line.encode("latin-1")  # any byte in a target
        connection._validate_path = lambda target: None
        connection.request(method, target, body, self.headers | headers)
        response = connection.getresponse()
        return response.status, response.read()


@pytest.fixture
def raw(live_people, server) -> Raw:
    return Raw(server, key_of(live_people.alice))


def test_a_body_in_chunks_is_read_and_bounded(raw):
    status, answer = raw("POST", "/api/calls/start", iter([b'{"contact_id":', b' "c_1"}']))
    assert status == 201
    assert CallLog.objects.get().contact_ref == "c_1"
    large = (b" " * 1024 for _ in range(65))
    status, answer = raw("POST", "/api/calls/start", large)
    assert (status, list(json.loads(answer))) == (413, ["error"])
    huge = (b" " * 2**20 for _ in range(6))
    assert raw("POST", "/api/calls/start", huge)[0] == 413
    assert CallLog.objects.count() == 1


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "9" * 40])
def test_a_wrong_length_starts_nothing(raw, length):
    """It is refused, or the server waits for a rest that does not come before the goodbye."""
    connection = http.client.HTTPConnection("127.0.0.1", raw.server.port, timeout=PATIENCE)
    headers = raw.headers | {"Content-Length": length}
    connection.request("POST", "/api/calls/start", b"{}", headers)
    with contextlib.suppress(OSError):  # the server may have hung up already
        connection.sock.shutdown(socket.SHUT_WR)
    with contextlib.suppress(ConnectionError):
        assert connection.getresponse().status in (400, 413)
    connection.close()
    assert raw("POST", "/api/calls/start", b"{}")[0] == 201
    assert CallLog.objects.count() == 1


ODD_TARGETS = {
    "/api/calls/log?user_id=\xff\xfe": 400,
    "/api/calls/log?user_id=\xf1": 400,
    "/api/calls/log?user_id=%ff%fe": 200,
    "/api/calls/log?limit=%": 400,
    "/api/calls/log?%zz=%": 400,
    "/api/calls/log?" + "&".join(f"a{n}=1" for n in range(1100)): 400,
    "/api/calls/%ff%fe": 404,
    "/api/calls/%ed%a0%80": 404,
    "/api/calls/%00": 404,
    "/api/calls/\xff": 400,
    "/api/%ff": 404,
    "/api//calls/log": 404,
    "/api/calls/../calls/log": 404,
    "/api/calls/log;x=1": 404,
}


def test_odd_targets_are_answered(raw):
    assert {target: raw("GET", target)[0] for target in ODD_TARGETS} == ODD_TARGETS


def test_no_call_is_lost_while_redis_is_away(live_people):
    server = Server(REDIS_URL=f"redis://{urlsplit(NOWHERE).netloc}/0").start()
    try:
        api = Raw(server, key_of(live_people.alice))
        status, started = api("POST", "/api/calls/start", b"{}")
        assert status == 201
        end = json.dumps({"call_id": json.loads(started)["call_id"]})
        assert api("POST", "/api/calls/end", end)[0] == 200
    finally:
        server.kill()
    assert CallLog.objects.get().status == "COMPLETED"


# One of each kind; the others have the same parameters.
OPERATIONS = r"calls/(start|end|log|\{call_id\}(/hold)?)|reports/summary|contacts(/\{id\})?"


def test_what_the_description_says_is_true(live_people, server, tmp_path):
    options = ("--phases=examples,coverage", f"--include-path-regex=^/api/({OPERATIONS})$")
    assert contradictions(server, key_of(live_people.ada), tmp_path, *options) == ""
