"""Who may open a live line, and what becomes of it when the person's rights change.

Rights are changed through the administration of the running server, as they would be.
"""

import asyncio
import datetime as dt
import json
import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator
from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

import metrics.receivers
from accounts import roles
from accounts.models import ApiKey, User
from common.instants import now
from metrics.live.consumers import DashboardConsumer
from tests.support.browsing import session_cookie
from tests.support.lines import Caller, all_heard, answer, listening
from tests.support.patience import PATIENCE
from tests.support.people import key_of
from tests.support.server import Server

pytestmark = [pytest.mark.server, pytest.mark.engines]


class Browser:
    """A person's browser, without the pictures."""

    def __init__(self, server: Server, user: User):
        cookies = {"sessionid": session_cookie(user)}
        self.http = httpx.Client(base_url=server.url, cookies=cookies, timeout=PATIENCE)

    def post(self, url: str, page: str, **fields: Any) -> None:
        """Sends `fields` to `url` with the token of the form on `page`."""
        found = re.search(r'csrfmiddlewaretoken" value="(\w+)"', self.http.get(page).text)
        answer = self.http.post(url, data=fields | {"csrfmiddlewaretoken": found[1]})
        assert answer.status_code == 302, answer.text

    def save_person(self, user: User, **changes: Any) -> None:
        """Changes a person on the person's page of the administration."""
        url = f"/admin/accounts/user/{user.pk}/change/"
        as_is = {
            "username": user.username,
            "is_active": "on",
            "team": user.team_id or "",
            "groups": [group.pk for group in user.groups.all()],
        }
        fields = {name: value for name, value in (as_is | changes).items() if value is not None}
        self.post(url, url, **fields)


async def refusal(server: Server, origin: str | None, cookie: str) -> int:
    """The status that answers an attempt to open a line; 101 if it was opened."""
    headers = {"Cookie": f"sessionid={cookie}"} if cookie else {}
    try:
        async with connect(
            server.ws_url, additional_headers=headers, origin=origin, open_timeout=PATIENCE
        ):
            return 101
    except InvalidStatus as error:
        return error.response.status_code


def test_only_a_page_of_this_site_with_a_living_session_gets_a_line(live_people, server):
    cookie, left = session_cookie(live_people.alice), session_cookie(live_people.bob)
    User.objects.filter(pk=live_people.bob.pk).update(is_active=False)

    async def scene() -> list[int]:
        return [
            await refusal(server, server.url, cookie),
            await refusal(server, server.url, ""),
            await refusal(server, server.url, "x" * 32),
            await refusal(server, server.url, left),
            await refusal(server, "https://evil.example", cookie),
            await refusal(server, f"http://127.0.0.1.evil.example:{server.port}", cookie),
            await refusal(server, "null", cookie),
        ]

    assert asyncio.run(scene()) == [101, 403, 403, 403, 403, 403, 403]


async def hang_up(socket: ClientConnection) -> int:
    """The code with which the server closes the line."""
    async with asyncio.timeout(PATIENCE):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed as closed:
            assert closed.rcvd is not None
            return closed.rcvd.code


async def lines_that_end(lines: dict[str, ClientConnection]) -> dict[str, int]:
    """Whose lines the server has closed, with which code; the others answer."""
    ended = {}
    for name, line in lines.items():
        try:
            await answer(line)
        except ConnectionClosed as closed:
            ended[name] = closed.rcvd.code if closed.rcvd else 0
    return ended


def test_a_change_of_rights_ends_the_lines_of_that_person_alone(live_people, server):
    people, ada = live_people, Browser(server, live_people.ada)
    supervisor = Group.objects.get(name=roles.SUPERVISOR).pk
    blue, users = f"/admin/accounts/team/{people.blue.pk}/change/", "/admin/accounts/user/"
    both = [people.sam.pk, people.sue.pk]
    changes: dict[str, Callable[[], None]] = {
        "alice": lambda: ada.save_person(people.alice, groups=[supervisor]),
        "bob": lambda: ada.save_person(people.bob, team=people.blue.pk),
        "sue": lambda: ada.post(blue, blue, name="Blue", supervisors=both),
        "carol": lambda: ada.save_person(people.carol, is_active=None),
        "sam": lambda: ada.post(users, users, action="deactivate", _selected_action=both[0]),
    }

    async def scene() -> None:
        async with AsyncExitStack() as open_lines:
            lines = {
                name: await open_lines.enter_async_context(listening(server, getattr(people, name)))
                for name in (*changes, "ada")
            }
            for name, change in changes.items():
                await asyncio.to_thread(change)
                assert await hang_up(lines.pop(name)) == 4401
                assert await lines_that_end(lines) == {}

    asyncio.run(scene())


def test_signing_out_ends_the_lines(live_people, server):
    async def scene() -> int:
        async with listening(server, live_people.alice) as line:
            browser = Browser(server, live_people.alice)
            await asyncio.to_thread(browser.post, "/logout/", "/me/")
            return await hang_up(line)

    assert asyncio.run(scene()) == 4401


def test_who_is_gone_hears_no_more(live_people, server):
    """What other processes than the server end: people, sessions, passwords, groups."""
    people, night = live_people, Group.objects.create(name="Night")
    people.sue.groups.add(night)
    cookies = {name: session_cookie(getattr(people, name)) for name in ("bob", "ada")}

    def new_password() -> None:
        people.alice.set_password("another horse")
        people.alice.save(update_fields=["password"])

    ends: dict[str, Callable[[], object]] = {
        "alice": new_password,
        "bob": lambda: Session.objects.filter(pk=cookies["bob"]).delete(),
        "carol": people.carol.delete,
        "sue": night.delete,
    }

    async def scene() -> None:
        async with AsyncExitStack() as open_lines:
            lines = {
                name: await open_lines.enter_async_context(
                    listening(server, getattr(people, name), cookies.get(name))
                )
                for name in (*ends, "ada")
            }
            for name, end in ends.items():
                await asyncio.to_thread(end)
                assert await hang_up(lines.pop(name)) == 4401
                assert await lines_that_end(lines) == {}
            Session.objects.filter(pk=cookies["ada"]).update(session_data="")  # as `flush` empties
            await asyncio.to_thread(metrics.receivers.emptied, apps.get_app_config("metrics"))
            assert await hang_up(lines["ada"]) == 4401

    asyncio.run(scene())


def test_a_line_ends_when_its_session_runs_out(live_people, server):
    cookie = session_cookie(live_people.alice)

    async def code_within(seconds: int) -> int:
        """403: the session had run out before the line could open."""
        end = now() + dt.timedelta(seconds=seconds)
        Session.objects.filter(pk=cookie).update(expire_date=end)
        try:
            async with listening(server, live_people.alice, cookie) as line:
                code = await hang_up(line)
                assert now() >= end
                return code
        except InvalidStatus as error:
            return error.response.status_code
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 0

    async def scene() -> int:
        codes = [await code_within(1)]
        while codes[-1] == 403 and len(codes) < 6:
            codes.append(await code_within(2 ** len(codes)))
        return codes[-1]

    assert asyncio.run(scene()) == 4401


def test_rights_that_are_taken_from_the_other_side_end_the_lines(live_people, server):
    """As `manage.py shell` does: from the group, the permission or the team."""
    people, role = live_people, Group.objects.get(name=roles.SUPERVISOR)
    sees_team = role.permissions.get(codename="view_team_calls")
    takings: list[Callable[[], None]] = [
        people.red.supervisors.clear,
        lambda: role.user_set.remove(people.sue),
        role.user_set.clear,
        lambda: sees_team.group_set.remove(role),
    ]

    async def scene() -> None:
        for take in takings:
            async with listening(server, people.sue) as sue:
                await asyncio.to_thread(take)
                assert await hang_up(sue) == 4401
            await asyncio.to_thread(give_back)

    def give_back() -> None:
        people.red.supervisors.add(people.sue)
        role.user_set.add(people.sue)
        role.permissions.add(sees_team)

    asyncio.run(scene())


def test_a_line_is_looked_at_now_and_then_though_nobody_told_of_a_change(live_people):
    """An SQL statement tells nobody."""
    people, program = live_people, {"X-API-Key": key_of(live_people.bob)}
    observant = Server(LIVE_LOOK_SECONDS="1").start()

    async def scene() -> None:
        async with (
            listening(observant, people.alice) as alice,
            connect(observant.ws_url, additional_headers=program, origin=observant.url) as bob,
            listening(observant, people.ada) as ada,
        ):
            await asyncio.to_thread(User.objects.filter(pk=people.alice.pk).update, is_active=False)
            await asyncio.to_thread(ApiKey.objects.update, revoked_at=now())
            assert [await hang_up(alice), await hang_up(bob)] == [4401, 4401]
            assert await lines_that_end({"ada": ada}) == {}

    try:
        asyncio.run(scene())
    finally:
        observant.kill()


def test_one_line_too_many_ends_the_oldest_of_the_session(live_people):
    """Other sessions of the same person keep theirs."""
    cookie = session_cookie(live_people.alice)
    few = Server(LIVE_LINES_PER_SESSION="3").start()

    async def scene() -> None:
        async with AsyncExitStack() as open_lines:

            async def one_more(session: str | None = None) -> ClientConnection:
                line = listening(few, live_people.alice, session)
                return await open_lines.enter_async_context(line)

            elsewhere = await one_more()
            first, second, third = [await one_more(cookie) for _ in range(3)]
            fourth = await one_more(cookie)
            assert await hang_up(first) == 4429
            for line in (elsewhere, second, third, fourth):
                await answer(line)

    try:
        asyncio.run(scene())
    finally:
        few.kill()


def test_after_a_move_the_new_supervisor_hears_and_the_old_one_does_not(live_people, server):
    people = live_people
    Browser(server, people.ada).save_person(people.alice, team=people.blue.pk)

    async def scene() -> list[list[dict]]:
        async with listening(server, people.sue) as sue, listening(server, people.sam) as sam:
            await Caller(server, people.alice).start()
            await Caller(server, people.bob).start()
            return [
                await all_heard(sue, Caller(server, people.sue)),
                await all_heard(sam, Caller(server, people.sam)),
            ]

    heard = [[event["user_id"] for event in events] for events in asyncio.run(scene())]
    assert heard == [[people.bob.pk], [people.alice.pk]]


def test_who_supervises_no_more_hears_no_more(live_people, server):
    people, ada = live_people, Browser(server, live_people.ada)
    page = f"/admin/accounts/team/{people.red.pk}/change/"

    async def scene() -> list[dict]:
        async with listening(server, people.sue) as before:
            await asyncio.to_thread(lambda: ada.post(page, page, name="Red", supervisors=[]))
            await hang_up(before)
        async with listening(server, people.sue) as sue:
            await Caller(server, people.alice).start()
            return await all_heard(sue, Caller(server, people.sue))

    assert asyncio.run(scene()) == []


def end_of_line(scope: dict[str, Any]) -> int | None:
    """The code with which a line whose user was loaded into `scope` a while ago is closed at once;
    None if it stays open."""

    async def scene() -> int | None:
        line = WebsocketCommunicator(DashboardConsumer.as_asgi(), "/ws/dashboard/")
        line.scope |= scope
        accepted, _ = await line.connect(timeout=PATIENCE)
        assert accepted
        await line.send_to(text_data="ping")
        answer = await line.receive_output(timeout=PATIENCE)
        if answer["type"] == "websocket.close":
            return answer["code"]
        assert answer["text"] == json.dumps({"type": "pong"})
        await line.disconnect()
        return None

    return async_to_sync(scene)()


def test_a_change_of_rights_while_a_line_opens_ends_it(live_people):
    """It is told when nobody sits in a room yet, so whoever opens a line asks once more."""

    def scope_of(user: User) -> dict[str, Any]:
        session = SessionStore(session_cookie(user))
        return {"user": User.objects.get(pk=user.pk), "headers": [], "session": session}

    people = live_people
    alice, bob, sue, ada = map(scope_of, (people.alice, people.bob, people.sue, people.ada))
    program = {"headers": [(b"x-api-key", key_of(people.carol).encode())], "user": people.carol}
    assert [end_of_line(scope) for scope in (alice, bob, sue, ada, program)] == [None] * 5

    User.objects.filter(pk=people.alice.pk).update(team=people.blue)
    people.alice.groups.set([Group.objects.get(name=roles.SUPERVISOR)])
    people.blue.supervisors.add(people.alice)
    User.objects.filter(pk=people.bob.pk).update(is_active=False)
    people.red.supervisors.clear()
    ada["session"].delete()
    ApiKey.objects.all().delete()
    assert [end_of_line(scope) for scope in (alice, bob, sue, ada, program)] == [4401] * 5
