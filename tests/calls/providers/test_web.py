"""Asking a provider: over HTTPS alone, bounded in time and size, and wherever it answers from."""

import http.server
import json
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from django.utils import translation

from calls.providers import web
from calls.providers.base import Unreachable
from tests.support.certificates import certificate
from tests.support.processes import closed_port
from tests.support.server import ROOT


class Provider(http.server.BaseHTTPRequestHandler):
    """Answers what its path asks for, and notes what it was asked."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.asked.append((self.path, dict(self.headers), body))
        status = int(self.path.rpartition("/")[2]) if self.path.startswith("/status") else 200
        sent = b"x" * 1_200_000 if self.path == "/long" else b'{"message": "said"}'
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_words):
        pass


@contextmanager
def provider(folder):
    """The server, its address and the file of its certificate."""
    files = certificate(folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server, f"https://127.0.0.1:{server.server_port}", str(files[0])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def trusted(tmp_path, monkeypatch):
    with provider(tmp_path) as (server, url, authority):
        monkeypatch.setenv("SSL_CERT_FILE", authority)
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield server, url


def test_only_https_is_asked():
    with pytest.raises(Unreachable, match="https"):
        web.https(web.Question("GET", "http://127.0.0.1:1/"))
    with translation.override("en"), pytest.raises(Unreachable, match="does not answer"):
        web.https(web.Question("GET", "https://127.0.0.1:1/"))


def test_a_question_is_sent_as_it_is_and_its_answer_comes_back(trusted):
    server, url = trusted
    headers = web.basic("account", "token") | {"Content-Type": "application/x-www-form-urlencoded"}
    body = web.form([("To", "+34600000001"), ("Event", "a"), ("Event", "b")])
    answer = web.https(web.Question("POST", f"{url}/calls", headers, body))
    assert (answer.status, json.loads(answer.body)) == (200, {"message": "said"})
    ((path, heard, sent),) = server.asked
    assert (path, sent) == ("/calls", b"To=%2B34600000001&Event=a&Event=b")
    assert heard["Authorization"] == headers["Authorization"]
    assert heard["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 500])
def test_any_answer_is_an_answer_and_a_redirect_is_not_followed(trusted, status):
    server, url = trusted
    answer = web.https(web.Question("GET", f"{url}/status/{status}", web.basic("a", "b")))
    assert answer == web.Answer(status, b'{"message": "said"}')
    assert len(server.asked) == 1


def test_a_long_answer_is_cut(trusted):
    answer = web.https(web.Question("GET", f"{trusted[1]}/long"))
    assert answer.body == b"x" * 1_000_000


def test_a_certificate_of_nobody_we_know_is_refused(tmp_path):
    with provider(tmp_path) as (server, url, _authority):
        with pytest.raises(Unreachable, match=r"(?i)certificate"):
            web.https(web.Question("GET", url))
        assert server.asked == []


def test_a_proxy_of_the_environment_is_used(trusted, monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port()}")
    with pytest.raises(Unreachable):
        web.https(web.Question("GET", trusted[1]))
    assert trusted[0].asked == []


@pytest.mark.parametrize("url", ["https://", "https://[", "https://a b/", "https://h:99999/"])
def test_an_address_that_is_none_is_told_in_words(url):
    with pytest.raises(Unreachable):
        web.https(web.Question("GET", url))


def test_a_header_that_cannot_be_sent_is_told_in_words(trusted):
    with pytest.raises(Unreachable):
        web.https(web.Question("GET", trusted[1], {"X-Name": "ñ\n"}))


def test_who_asks_nobody_does_not_wait_for_the_library():
    asked = "import sys, calls.providers.web; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], cwd=ROOT).returncode == 0
