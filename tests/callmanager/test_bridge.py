"""HTTP through the thread pool: bodies, waits, and odd bytes."""

import http.client
import select
from functools import partial

import httpx
import pytest
from django.db import transaction

from calls.models import CallLog
from calls.services import start_call
from common.instants import now
from tests.support.patience import PATIENCE
from tests.support.people import key_of

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True), pytest.mark.engines]


def test_a_body_in_chunks_is_read_and_one_too_large_is_refused(server, live_people):
    headers = {"X-API-Key": key_of(live_people.alice), "Content-Type": "application/json"}

    def chunks(size):
        yield b'{"contact_phone": "+50651234567", "contact_id": "'
        yield b"x" * size
        yield b'"}'

    start = f"{server.url}/api/calls/start"
    post = partial(httpx.post, start, headers=headers, timeout=PATIENCE)
    assert post(content=chunks(10)).status_code == 201
    refused = post(content=chunks(3_000_000))
    assert refused.status_code == 413
    assert "64" in refused.json()["error"]


def test_what_a_request_waits_for_is_no_part_of_the_call(server, live_people):
    """As a click waits for a busy server: here, for a lock that the test holds."""
    call, _ = start_call(live_people.alice)
    click = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    headers = {"X-API-Key": key_of(live_people.alice), "Content-Type": "application/json"}
    with transaction.atomic():
        CallLog.objects.select_for_update().get(pk=call.pk)
        click.request("POST", "/api/calls/end", f'{{"call_id": "{call.call_id}"}}', headers)
        # What is answered behind it shows that it has come in.
        assert httpx.get(f"{server.url}/api/calls/log", timeout=PATIENCE).status_code == 401
        behind = now()
        assert not has_answer(click)
    assert click.getresponse().status == 200
    call.refresh_from_db()
    assert call.end_time < behind


def has_answer(connection: http.client.HTTPConnection) -> bool:
    return bool(select.select([connection.sock], [], [], 0)[0])


@pytest.mark.parametrize("target", ["/api/calls/log?x=\xff\xfe", "/api/\xff", "/calls/?\xe9=%ff"])
def test_bytes_that_are_no_text_are_no_crash(server, live_people, target):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection._encode_request = lambda request: request.encode("latin-1")  # type: ignore
    connection.putrequest("GET", target, skip_accept_encoding=True)
    connection.putheader("X-API-Key", key_of(live_people.alice))
    connection.endheaders()
    assert connection.getresponse().status in (302, 400, 404)
