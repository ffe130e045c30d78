"""HTTP through the thread pool: bodies, streams, and clients that leave."""

import datetime as dt
import http.client
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest
from django.db import transaction

from calls.instants import now
from calls.models import CallLog
from calls.services import start_call
from tests.people import key_of, make_call

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


def test_a_body_in_chunks_is_read_and_one_too_large_is_refused(server, live_people):
    headers = {"X-API-Key": key_of(live_people.alice), "Content-Type": "application/json"}

    def chunks(size):
        yield b'{"contact_phone": "+50651234567", "contact_id": "'
        yield b"x" * size
        yield b'"}'

    start = f"{server.url}/api/calls/start"
    assert httpx.post(start, content=chunks(10), headers=headers).status_code == 201
    refused = httpx.post(start, content=chunks(3_000_000), headers=headers)
    assert refused.status_code == 413
    assert "64" in refused.json()["error"]


def test_what_a_request_waits_for_is_no_part_of_the_call(server, live_people):
    """As a click waits for a busy server: here, for a lock that the test holds."""
    call, _ = start_call(live_people.alice)
    send = partial(
        httpx.post,
        f"{server.url}/api/calls/end",
        json={"call_id": str(call.call_id)},
        headers={"X-API-Key": key_of(live_people.alice)},
        timeout=20,
    )
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            CallLog.objects.select_for_update().get(pk=call.pk)
            answer = pool.submit(send)
            time.sleep(1.5)
            released = now()
        assert answer.result().status_code == 200
    call.refresh_from_db()
    assert call.end_time < released - dt.timedelta(seconds=0.5)


@pytest.mark.parametrize("target", ["/api/calls/log?x=\xff\xfe", "/api/\xff", "/calls/?\xe9=%ff"])
def test_bytes_that_are_no_text_are_no_crash(server, live_people, target):
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection._encode_request = lambda request: request.encode("latin-1")  # type: ignore
    connection.putrequest("GET", target, skip_accept_encoding=True)
    connection.putheader("X-API-Key", key_of(live_people.alice))
    connection.endheaders()
    assert connection.getresponse().status in (302, 400, 404)


def test_a_client_that_leaves_in_mid_stream_takes_no_thread_with_it(server, live_people, client):
    for _ in range(30):
        make_call(live_people.alice, 5, contact_ref="x" * 100)
    client.force_login(live_people.alice)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    request = f"GET /calls/export.csv HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n"
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            sock.sendall(request.encode())
            sock.recv(10)
    begun = time.monotonic()
    answer = httpx.get(f"{server.url}/calls/export.csv", headers={"Cookie": cookie})
    assert answer.status_code == 200 and answer.text.count("\n") == 31
    assert time.monotonic() - begun < 10
