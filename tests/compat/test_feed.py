"""The Socket.IO feed with the library that the first system's program used: who gets in, who hears
what, and when a line ends."""

import asyncio
import datetime as dt
import os

import pytest
import requests
import socketio.exceptions
from django.contrib.sessions.models import Session

from accounts.models import ApiKey
from calls.models import Contact
from common.instants import now
from compat import feed as feed_server
from tests.support.browsing import session_cookie
from tests.support.desktop import Feed, card_of
from tests.support.lines import listening, next_events
from tests.support.patience import PATIENCE, await_that
from tests.support.people import key_of
from tests.support.server import Server

pytestmark = [pytest.mark.server, pytest.mark.engines]


class Program:
    """What a program of a person changes through the API."""

    def __init__(self, site: Server, user):
        self.site, self.user = site, user
        self.headers = {"X-API-Key": key_of(user)}

    def send(self, method: str, path: str, **body) -> dict:
        answer = requests.request(
            method, f"{self.site.url}/api/{path}", json=body, headers=self.headers, timeout=PATIENCE
        )
        assert answer.ok, answer.text
        return answer.json() if answer.content else {}

    def call(self, status: str = "COMPLETED") -> str:
        call_id = self.send("post", "calls/start", contact_phone="8888 7777")["call_id"]
        return self.send("post", "calls/end", call_id=call_id, status=status)["call_id"]

    def contact(self, name: str, **fields) -> int:
        return self.send("post", "contacts", name=name, phone="8888 7777", **fields)["id"]


def feed_of(site: Server, user, **options) -> Feed:
    return Feed(site, headers={"X-API-Key": key_of(user)}, **options)


def all_heard(feed: Feed, program: Program) -> list[str]:
    """All that was on its way to `feed`: until two contacts of the listener's own, one made behind
    the other. A room that has just been told pauses, and the first may overtake what waits there;
    the second waits for the pause that the first began."""
    heard: list[str] = []
    for marker in (f"{program.user.username} {number}" for number in (1, 2)):
        program.contact(marker)
        while (event := feed.next()[1]).get("contact", {}).get("name") != marker:
            heard.append(event["id"] if "id" in event else event["call_id"])
    return heard


@pytest.mark.parametrize("transports", [None, ["websocket"], ["polling"]])
def test_the_end_of_a_call_is_heard_as_the_dashboard_hears_it(live_people, site, transports):
    alice = Program(site, live_people.alice)

    async def scene(feed: Feed) -> tuple[dict, tuple]:
        async with listening(site, live_people.alice) as line:
            await asyncio.to_thread(alice.call, "busy")
            events = await next_events(line, 2)
        return events[1], await asyncio.to_thread(feed.next)

    with feed_of(site, live_people.alice, transports=transports) as feed:
        told, (name, heard) = asyncio.run(scene(feed))
    assert name == told.pop("type") == "call_ended"
    told.pop("seq", None)
    assert heard == told | {"user_id": str(live_people.alice.pk)}
    assert (heard["status"], heard["calls_made"], heard["avg_duration"]) == ("NO_ANSWER", 1, 0)


def test_a_contact_is_heard_as_the_list_has_it(live_people, site):
    alice = Program(site, live_people.alice)
    with feed_of(site, live_people.alice) as feed:
        pk = alice.contact("Elena", external_id="crm-7")
        name, made = feed.next()
        alice.send("patch", f"contacts/{pk}", name="Elena Mora", phone="2222 1001")
        _, changed = feed.next()
        listed = requests.get(f"{site.url}/contacts", headers=alice.headers).json()
        alice.send("delete", f"contacts/{pk}")
        gone = feed.next()
    assert (name, made["id"], card_of(made["contact"])) == (
        "contact_updated",
        "crm-7",
        "Elena +50688887777 sin gestionar",
    )
    assert [changed["contact"]] == listed
    assert changed["contact"]["numbers"] == ["+50622221001"]
    assert gone[0] == "contact_deleted"
    assert gone[1].items() >= {"id": "crm-7", "name": "Elena Mora"}.items()


def test_only_who_may_see_it_hears_it_and_once(live_people, site):
    people = live_people
    names = ("alice", "bob", "carol", "sue", "sam", "ada")
    programs = {name: Program(site, getattr(people, name)) for name in names}
    feeds = {name: feed_of(site, getattr(people, name)) for name in names}
    made = {
        "call": programs["alice"].call(),
        "own": str(programs["alice"].contact("Own")),
        "shared": str(programs["sue"].contact("Shared", team=people.red.pk)),
    }
    # Of one whom an agent owns and shares, the owner hears as the owner, the team besides.
    both = Contact.objects.create(name="Both", phone="88887779", owner=people.alice)
    Contact.objects.filter(pk=both.pk).update(team=people.red)
    programs["ada"].send("patch", f"contacts/{both.pk}", name="Both of them")
    Contact.objects.filter(pk=both.pk).update(owner=None, team=None)
    programs["ada"].send("patch", f"contacts/{both.pk}", company="For all")
    words = {value: name for name, value in made.items()} | {str(both.pk): "both"}
    heard = {}
    for name in names:
        told = all_heard(feeds[name], programs[name])
        heard[name] = sorted(words[one] for one in told if one in words)
        feeds[name].__exit__()
    assert heard == {
        "alice": ["both", "both", "call", "own", "shared"],
        "bob": ["both", "both", "shared"],
        "carol": ["both"],
        "sue": ["both", "both", "call", "shared"],
        "sam": ["both"],
        "ada": ["both", "both", "call", "own", "shared"],
    }


def test_the_key_may_come_in_four_ways_and_a_session_too(live_people, site):
    key = key_of(live_people.alice)
    cookie = f"sessionid={session_cookie(live_people.alice)}"
    alice = Program(site, live_people.alice)
    for options in (
        {"headers": {"Authorization": f"Bearer {key}"}},
        {"auth": {"api_key": key}},
        {"auth": {"token": key}},
        {"headers": {"Cookie": cookie}},
    ):
        with Feed(site, **options) as feed:
            call_id = alice.call()
            assert feed.next()[1]["call_id"] == call_id
    with Feed(site, query=f"?api_key={key}") as feed:
        call_id = alice.call()
        assert feed.next()[1]["call_id"] == call_id


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Envíe su clave"),
        ({"headers": {"Accept-Language": "en"}}, "Send your API key"),
        ({"headers": {"X-API-Key": "cm_wrong"}}, "fue revocada"),
        ({"headers": {"X-API-Key": "cm_x", "Accept-Language": "en"}}, "was revoked"),
        ({"auth": {"api_key": "clé ☎"}}, "fue revocada"),
        ({"auth": {"api_key": 7}}, "Envíe su clave"),
    ],
)
def test_a_stranger_is_refused_in_words(live_people, site, options, words):
    refusals: list[dict] = []
    client = socketio.Client(reconnection=False)
    client.on("connect_error", refusals.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(site.url, **options, wait_timeout=PATIENCE)
    assert refusals[0]["data"] == {"error": refusals[0]["message"], "status": 401}
    assert words in refusals[0]["message"]


def test_a_key_has_so_many_requests_and_lines_and_no_more(live_people, site):
    """A line counts like every other request of the key; of too many the oldest is hung up."""
    refusals: list[dict] = []
    limits = {"API_RATE_LIMIT": "3/d", "LIVE_LINES_PER_SESSION": "1"}
    busy = Server(DESKTOP_COMPAT="1", **limits).start()
    headers = {"X-API-Key": key_of(live_people.alice)}
    try:
        assert requests.get(f"{busy.url}/config", headers=headers).status_code == 200
        with Feed(busy, headers=headers) as older, Feed(busy, headers=headers) as newer:
            assert older.next()[0] == "disconnect"
            assert newer.client.connected
        client = socketio.Client(reconnection=False)
        client.on("connect_error", refusals.append)
        with pytest.raises(socketio.exceptions.ConnectionError):
            client.connect(busy.url, headers=headers, wait_timeout=PATIENCE)
        assert requests.get(f"{busy.url}/config", headers=headers).status_code == 429
    finally:
        busy.kill()
    assert refusals[0]["data"]["status"] == 429 and "3/d" in refusals[0]["message"]


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}])
def test_pages_of_other_sites_are_not_let_in(live_people, site, headers):
    key = {"X-API-Key": key_of(live_people.alice)}
    address = f"{site.url}/socket.io/?EIO=4&transport=polling"
    answer = requests.get(address, headers=key | headers)
    assert (answer.status_code, list(answer.json())) == (403, ["error"])
    ours = requests.get(address, headers=key | {"Origin": site.url})
    assert ours.status_code == 200
    assert not [name for name in ours.headers if name.startswith("Access-Control")]
    with pytest.raises(socketio.exceptions.ConnectionError):
        Feed(site, headers=key | headers, transports=["websocket"])


@pytest.mark.parametrize("end", ["revoked", "deleted", "deactivated", "gone"])
def test_a_line_ends_with_its_key_and_its_person(live_people, site, end):
    person = live_people.bob
    row, key = ApiKey.issue(person)
    with Feed(site, headers={"X-API-Key": key}) as feed:
        if end == "revoked":
            row.revoke()
        elif end == "deleted":
            row.delete()
        elif end == "gone":
            person.delete()
        else:
            person.is_active = False
            person.save()
        assert feed.next()[0] == "disconnect"
    with pytest.raises(socketio.exceptions.ConnectionError):
        Feed(site, headers={"X-API-Key": key})


def test_a_line_ends_when_its_session_ends_by_itself(live_people, site):
    cookie = session_cookie(live_people.alice)
    ends = now() + dt.timedelta(seconds=1)
    Session.objects.filter(session_key=cookie).update(expire_date=ends)
    with Feed(site, headers={"Cookie": f"sessionid={cookie}"}) as feed:
        assert feed.next()[0] == "disconnect"
    assert now() > ends


def test_a_line_stays_when_its_person_sees_others(live_people, site):
    people = live_people
    alice, carol, sue = (Program(site, one) for one in (people.alice, people.carol, people.sue))
    with feed_of(site, people.sue) as feed:
        first = alice.call()
        assert feed.next()[1]["call_id"] == first
        people.sue.supervised_teams.set([people.blue])
        await_that(lambda: carol.call() in all_heard(feed, sue))
        last = alice.call()
        assert last not in all_heard(feed, sue)


def test_who_does_not_say_who_they_are_is_hung_up_on(monkeypatch):
    monkeypatch.setattr(feed_server, "_SIGN_IN_SECONDS", 0.01)
    scope = {
        "type": "websocket",
        "path": "/socket.io/",
        "query_string": b"EIO=4&transport=websocket",
        "headers": [(b"connection", b"upgrade"), (b"upgrade", b"websocket")],
    }

    async def scene() -> None:
        said, told = asyncio.Queue(), asyncio.Queue()
        said.put_nowait({"type": "websocket.connect"})
        line = feed_server.Server(async_mode="asgi").handle_request(scope, said.get, told.put)
        answering = asyncio.ensure_future(line)
        async with asyncio.timeout(PATIENCE):
            while (await told.get())["type"] != "websocket.close":
                pass
            said.put_nowait({"type": "websocket.disconnect"})
            await answering

    asyncio.run(scene())


def test_who_would_change_something_over_the_line_is_told_where_to(live_people, site):
    with feed_of(site, live_people.alice) as feed:
        feed.client.emit("update_contact", {"id": "7", "fields": {"name": "x"}})
        name, said = feed.next()
        assert name == "error" and "API" in said["message"]
        feed.client.emit("call_ended", {"user_id": "1"})
        assert feed.next()[0] == "error"


@pytest.mark.skipif(not os.environ.get("REDIS_URL"), reason="one process only without REDIS_URL")
def test_with_redis_what_happens_in_one_process_is_heard_in_another(live_people, site):
    second = Server(DESKTOP_COMPAT="1").start()
    try:
        alice = Program(second, live_people.alice)
        with feed_of(site, live_people.sue) as feed:
            call_id = alice.call()
            pk = Program(second, live_people.sue).contact("Elena", team=live_people.red.pk)
            heard = {feed.next()[1].get("call_id", str(pk)) for _ in range(2)}
    finally:
        second.kill()
    assert heard == {call_id, str(pk)}
