"""Requests to addresses that people typed in."""

import socket
import ssl

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from common import outgoing_http
from common.outgoing_http import AddressRefused, NoAnswer
from tests.support.certificates import certificate
from tests.support.receiver import dripping, endless, receiving, saying, silent


@pytest.fixture(autouse=True)
def here_too(settings):
    settings.OUTGOING_PRIVATE_ADDRESSES = True
    with translation.override("en"):
        yield


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


def test_what_is_sent_arrives_and_the_answer_comes_back(receiver):
    receiver.answers = [saying(201, b"thanks", X_Number="7")]

    answer = outgoing_http.post(
        receiver.url("/in?x=1", host="localhost"), b"{}", {"Content-Type": "application/json"}
    )

    assert (answer.status, answer.body, answer.headers["x-number"]) == (201, b"thanks", "7")
    (got,) = receiver.received
    assert (got.method, got.path, got.body) == ("POST", "/in?x=1", b"{}")
    assert got.headers["host"] == f"localhost:{receiver.port}"
    assert got.headers["content-type"] == "application/json"


def test_name_and_password_of_an_address_are_sent_as_such(receiver):
    outgoing_http.post(f"http://ana:s%40fe@127.0.0.1:{receiver.port}/", b"", {})
    assert receiver.received[0].headers["authorization"] == "Basic YW5hOnNAZmU="


def test_a_redirect_is_an_answer_and_is_not_followed(receiver):
    with receiving() as elsewhere:
        receiver.answers = [saying(307, Location=elsewhere.url("/secret"))]
        assert outgoing_http.post(receiver.url(), b"", {}).status == 307
        assert elsewhere.received == []


@pytest.mark.parametrize("answer", [silent, dripping], ids=["says nothing", "drips"])
def test_a_receiver_that_never_ends_is_left(receiver, answer):
    receiver.answers = [answer]
    with pytest.raises(NoAnswer, match=r"^127\.0\.0\.1 did not answer within 1 seconds\.$"):
        outgoing_http.post(receiver.url(), b"", {}, seconds=0.6)


def test_of_an_answer_without_an_end_the_beginning_is_read(receiver):
    receiver.answers = [endless]
    answer = outgoing_http.post(receiver.url(), b"", {})
    assert len(answer.body) == outgoing_http.BODY_LIMIT


def test_an_answer_is_not_unpacked(receiver):
    receiver.answers = [saying(200, b"\x1f\x8b", Content_Encoding="gzip")]
    assert outgoing_http.post(receiver.url(), b"", {}).body == b"\x1f\x8b"
    assert receiver.received[0].headers["accept-encoding"] == "identity"


def test_nobody_listens(receiver):
    with receiving() as gone:
        url = gone.url()
    with pytest.raises(NoAnswer, match=r"No connection to 127\.0\.0\.1 could be made"):
        outgoing_http.post(url, b"", {})


def test_what_is_no_http_is_no_answer(receiver):
    receiver.answers = [lambda handler: handler.wfile.write(b"hello\r\n\r\n")]
    with pytest.raises(NoAnswer, match="did not answer in HTTP"):
        outgoing_http.post(receiver.url(), b"", {})


def test_a_certificate_has_to_be_trusted_and_made_for_the_name(tmp_path, monkeypatch):
    cert, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with receiving(context) as receiver:
        with pytest.raises(NoAnswer, match=r"127\.0\.0\.1 has no certificate that can be trusted"):
            outgoing_http.post(receiver.url(scheme="https"), b"", {})
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        outgoing_http.ssl_context.cache_clear()
        try:
            assert outgoing_http.post(receiver.url(scheme="https"), b"", {}).status == 200
            # The same machine by another name, for which the certificate was not made.
            with pytest.raises(NoAnswer, match="localhost has no certificate"):
                outgoing_http.post(receiver.url(scheme="https", host="localhost"), b"", {})
        finally:
            outgoing_http.ssl_context.cache_clear()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "127。0。0。1",
        "0.0.0.0",
        "10.1.2.3",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "224.0.0.1",
        "240.0.0.1",
        "[::1]",
        "[::]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::10.0.0.1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "[2001:db8::1]",
    ],
)
def test_nothing_is_sent_into_a_private_network(settings, receiver, host):
    settings.OUTGOING_PRIVATE_ADDRESSES = False
    url = f"http://{host}:{receiver.port}/"
    with pytest.raises(AddressRefused, match="is an address of a private network"):
        outgoing_http.post(url, b"", {})
    with pytest.raises(ValidationError, match="is an address of a private network"):
        outgoing_http.validate_address(url)
    assert receiver.received == []


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8"]
)
def test_public_addresses_may_be_sent_to(address):
    assert outgoing_http.is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "javascript:alert(1)",
        "//example.org/",
        "http:///path",
        "http://exa\nmple.org/",
        "http://example.org:0/",
        "http://example.org:70000/",
        "http://example.org/" + "x" * 3000,
        "",
    ],
)
def test_what_is_no_web_address_is_refused(url):
    with pytest.raises(AddressRefused, match=r"web address|has to begin with https"):
        outgoing_http.check(url)


def test_a_name_that_nobody_knows():
    with pytest.raises(NoAnswer, match=r"No computer is known as xn--mnchen-3ya\.invalid\."):
        outgoing_http.post("http://münchen.invalid/", b"", {})


def test_a_fault_is_read_in_the_readers_language():
    with pytest.raises(AddressRefused) as raised:
        outgoing_http.check("")
    with translation.override("es"):
        assert str(raised.value) == "La dirección debe comenzar con https:// o http://."


def test_a_name_is_looked_up_once_for_a_request(receiver, monkeypatch):
    """So a name server that gives another address the second time gains nothing."""
    asked = []
    resolve = socket.getaddrinfo

    def getaddrinfo(host, *args, **kwargs):
        asked.append(host)
        return resolve("127.0.0.1" if host == "turning.example" else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    outgoing_http.post(receiver.url(host="turning.example"), b"", {})
    assert asked == ["turning.example", "127.0.0.1"]
    assert receiver.received[0].headers["host"] == f"turning.example:{receiver.port}"
