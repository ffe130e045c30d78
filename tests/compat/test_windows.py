"""The first system's windows over HTTP, against the real server: on, and off as it is delivered."""

import pytest
import requests
import socketio.exceptions
from django.db import connection

from calls import services
from calls.models import CallLog, Contact
from common.instants import now
from tests.support.desktop import Feed, Windows
from tests.support.patience import PATIENCE
from tests.support.people import key_of, make_call
from tests.support.server import end_sessions
from tests.support.storage import alter_database, refusal

pytestmark = [pytest.mark.server, pytest.mark.engines]


@pytest.fixture
def calls(live_people):
    make_call(live_people.alice, 125, contact_phone="8888 7777")
    make_call(live_people.bob, 60, ago=1800, status="NO_ANSWER", contact_ref="contact_123")
    services.start_call(live_people.alice)
    CallLog.objects.create(start_time=now())  # nobody's
    Contact.objects.create(name="Elena", phone="88887777", owner=live_people.alice, notes="Mañana")


def test_every_window_shows_what_it_showed(live_people, calls, site):
    people = live_people
    alice, sue, ada = (Windows(site, key_of(one)) for one in (people.alice, people.sue, people.ada))
    assert alice.own_cards() == [
        f"alice (Agent) {people.alice.pk}",
        "1 = 1 + 0, 0/d",
        "100.0% 02:05",
        "1 contacts",
    ]
    assert sue.team_table() == [
        "alice Agent Red 1 1 100.0% 125s",
        "bob Agent Red 1 0 0.0% 0s",
        "2 people, 2 calls, 1 contacts",
    ]
    assert ada.overview() == {
        "calls": "2 1",
        "rate": "50.0%",
        "people": "6 with 1",
        "teams": {"Blue": (0, 0, 1), "Red": (2, 1, 2), "Sin equi": (0, 0, 3)},
        "team_users": ["ada", "alice", "bob", "carol", "sam", "sue"],
    }
    alices, bobs = str(people.alice.pk), str(people.bob.pk)
    elena = str(Contact.objects.get().pk)
    assert ada.call_table() == [
        ("", "", "tel ", "00:00", "IN_PROGRESS"),
        (alices, "", "tel ", "00:00", "IN_PROGRESS"),
        (bobs, "contact_123", "tel ", "01:00", "NO_ANSWER"),
        (alices, "", "tel 8888 7777", "02:05", "COMPLETED"),
    ]
    assert alice.contact_cards() == {elena: "Elena +50688887777 sin gestionar Mañana"}
    assert ada.contact_cards() == alice.contact_cards()
    assert Windows(site, key_of(people.bob)).contact_cards() == {}


def test_a_wrong_key_and_other_roles_are_told_in_words(live_people, site):
    wrong, alice = Windows(site, "cm_wrong"), Windows(site, key_of(live_people.alice))
    for windows, address, status in (
        (wrong, "/metrics/personal", 401),
        (wrong, "/config", 401),
        (alice, "/metrics/team", 403),
        (alice, "/metrics/all", 403),
    ):
        answer = windows.ask(address)
        assert answer.status_code == status
        assert list(answer.json()) == ["error"] and answer.json()["error"]


def test_it_is_off_unless_it_is_switched_on(live_people, server):
    windows = Windows(server, key_of(live_people.alice))
    unknown = windows.ask("/no/such/page")
    for address in ("/metrics/personal", "/metrics/team", "/metrics/all", "/health", "/config"):
        answer = windows.ask(address)
        assert (answer.status_code, answer.headers["Content-Type"]) == (
            unknown.status_code,
            unknown.headers["Content-Type"],
        )
    with pytest.raises(socketio.exceptions.ConnectionError):
        Feed(server, headers={"X-API-Key": windows.key})
    assert windows.ask("/socket.io/?EIO=4&transport=polling").status_code == 404


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a server's faults")
def test_a_database_that_lets_nobody_in_is_told_as_everywhere(live_people, site):
    windows, another = Windows(site, key_of(live_people.ada)), key_of(live_people.ada)
    addresses = ("/metrics/personal", "/metrics/team", "/metrics/all", "/contacts", "/health")
    refusals: list[dict] = []
    client = socketio.Client(reconnection=False)
    client.on("connect_error", refusals.append)
    assert windows.ask("/health").status_code == 200
    try:
        alter_database("ALLOW_CONNECTIONS false")
        end_sessions()
        for address in addresses:
            assert refusal(windows.ask(address))
        with pytest.raises(socketio.exceptions.ConnectionError):
            client.connect(site.url, headers={"X-API-Key": another}, wait_timeout=PATIENCE)
    finally:
        alter_database("ALLOW_CONNECTIONS true")
    assert refusals[0]["data"]["status"] == 503
    assert {windows.ask(address).status_code for address in addresses} == {200}
    with Feed(site, headers={"X-API-Key": another}) as feed:
        assert feed.client.connected


def test_the_fixed_address_of_metrics_is_nobodys_yet(live_people, site):
    windows = Windows(site, key_of(live_people.ada))
    assert windows.ask("/metrics").status_code == windows.ask("/no/such/page").status_code
    assert requests.get(f"{site.url}/metrics/personal").headers["WWW-Authenticate"] == "ApiKey"
