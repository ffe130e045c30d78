"""Live events for programs: the same line that pages have, opened with a key."""

import asyncio
import json
import subprocess
import sys

import pytest
from call_tracking import CallTracker
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from accounts.models import ApiKey, User
from tests.accounts.test_roles_sockets import Browser
from tests.support.client import NOWHERE, environment
from tests.support.faults import FaultyLine
from tests.support.patience import await_that
from tests.support.people import key_of
from tests.support.server import Server

pytestmark = [pytest.mark.server, pytest.mark.engines]


def test_a_program_hears_of_calls_and_connects_again(live_people, server, tmp_path):
    network = FaultyLine(server.port)
    events: list[dict] = []
    alice, sue = key_of(live_people.alice), key_of(live_people.sue)

    def failing(event: dict) -> None:
        events.append(event)
        raise ZeroDivisionError

    with CallTracker(network.url, sue, journal=tmp_path / "sue") as supervisor:
        line = supervisor.subscribe(failing)
        assert line.connected.wait(60)
        with CallTracker(server.url, alice, journal=tmp_path / "alice") as agent:
            call_id = agent.start_call()
            agent.end_call()
            await_that(lambda: len(events) >= 2)
            assert [event["type"] for event in events] == ["call_started", "call_ended"]
            assert events[1]["call_id"] == call_id and events[1]["calls_made"] == 1
            network.cut()
            await_that(lambda: not line.connected.is_set())
            network.mend()
            assert line.connected.wait(60)
            agent.start_call()
            await_that(lambda: len(events) >= 3)
    assert not line.connected.is_set()
    network.close()


async def knock(server: Server, key: str) -> int:
    """The status that answers a program that wants a line; 101 if it gets one."""
    try:
        headers = {"X-API-Key": key}
        async with connect(server.ws_url, additional_headers=headers, origin=server.url) as line:
            await line.send("ping")
            assert json.loads(await line.recv()) == {"type": "pong"}
            return 101
    except InvalidStatus as error:
        return error.response.status_code


def test_only_a_living_key_of_an_active_person_opens_a_line(live_people, server):
    good, left = key_of(live_people.alice), key_of(live_people.bob)
    row, revoked = ApiKey.issue(live_people.alice)
    row.revoke()
    User.objects.filter(pk=live_people.bob.pk).update(is_active=False)
    keys = [good, "", "cm_unknown", revoked, left]
    answers = [asyncio.run(knock(server, key)) for key in keys]
    assert answers == [101, 403, 403, 403, 403]


def test_a_revoked_key_loses_its_line(live_people, server):
    row, key = ApiKey.issue(live_people.alice)

    async def scene() -> int:
        headers = {"X-API-Key": key}
        async with connect(server.ws_url, additional_headers=headers, origin=server.url) as line:
            await line.send("ping")
            await line.recv()
            await asyncio.to_thread(revoke_in_the_administration, server, live_people.ada, row)
            try:
                async with asyncio.timeout(60):
                    await line.recv()
            except ConnectionClosed as closed:
                return closed.rcvd.code
            return 0

    assert asyncio.run(scene()) == 4401


def revoke_in_the_administration(server: Server, admin: User, row: ApiKey) -> None:
    """Through the running server, whose sockets these are."""
    Browser(server, admin).post(
        "/admin/accounts/apikey/",
        "/admin/accounts/apikey/",
        action="revoke",
        _selected_action=str(row.pk),
    )


def test_without_the_extra_the_reason_is_told(tmp_path):
    """`-S` leaves out everything that was installed."""
    source = """if True:
    import sys
    from call_tracking import CallTracker
    with CallTracker(sys.argv[1], journal=sys.argv[2]) as tracker:
        try:
            tracker.subscribe(print)
        except RuntimeError as error:
            print(error)
    """
    command = [sys.executable, "-S", "-c", source, NOWHERE, str(tmp_path / "calls")]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    assert "pip install 'callmanager-client[live]'" in done.stdout
