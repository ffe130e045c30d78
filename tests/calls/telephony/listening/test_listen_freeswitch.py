"""Listening to FreeSWITCH over real sockets: as a process, through breaks, from a file, and beside
its records."""

import asyncio
import json
import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from calls import timeline
from calls.models import CallEvent, CallLog, ProviderAccount, ProviderIdentity
from calls.providers.base import Gone, Unreachable
from calls.providers.freeswitch.event_socket.where import Where
from calls.providers.lasting import Link, Lost, Up
from calls.simulation.freeswitch.events import Switch
from calls.simulation.freeswitch.server import FreeSwitchServer
from calls.simulation.freeswitch.wire import GREETING
from calls.telephony.hooks import adapter_of
from common.instants import now
from tests.support import freeswitch as play
from tests.support.freeswitch import NUMBER, STREAMS, truths
from tests.support.listening import OnItsOwnLoop, listeners, only_call
from tests.support.patience import PATIENCE, await_that

pytestmark = pytest.mark.once

PASSWORD = "ClueCon-of-ours"


class Pbx(OnItsOwnLoop):
    """An event socket, and the switch behind it."""

    def __init__(self, **options):
        self.switch = Switch(start=int(time.time()) - 10)
        super().__init__(FreeSwitchServer(PASSWORD, **options), self.switch)


@pytest.fixture
def pbx():
    running = Pbx()
    yield running
    running.close()


def make_account(people, port=8021, name="pbx", password=PASSWORD, **more):
    account = ProviderAccount(kind="freeswitch", name=name)
    account.settings = {"host": "127.0.0.1", "port": str(port), **more}
    account.add_secret("event_socket_password", password)
    account.add_secret("password", "of-the-records")
    account.save()
    for identity, user in (("1001", people.alice), ("1002", people.bob)):
        ProviderIdentity.objects.create(account=account, identity=identity, user=user)
    return account


@pytest.fixture
def listen():
    with listeners("listen_freeswitch") as start:
        yield start


def lengths(call):
    state = timeline.fold(CallEvent.facts_of(call))
    return state.ring, state.hold, state.talk


def call_out(pbx):
    agent = pbx.switch.call("1001", NUMBER)
    remote = pbx.switch.dial(agent, NUMBER, way="out")
    pbx.switch.wait(5)
    return agent, remote


# --- The process ----------------------------------------------------------------------------------


@pytest.mark.engines
@pytest.mark.server
def test_a_call_is_recorded_while_it_happens_and_the_process_stops_cleanly(
    live_people, pbx, listen
):
    account, begun = make_account(live_people, pbx.port), now()
    process = listen("--account", "pbx")
    pbx.synced()
    agent, remote = call_out(pbx)
    pbx.play()
    ringing = await_that(only_call(user=live_people.alice))
    assert (ringing.status, ringing.answered_time) == ("IN_PROGRESS", None)
    assert ringing.provider_call_id == agent.uuid

    pbx.switch.answer(agent, remote)
    pbx.switch.wait(20)
    pbx.switch.hang_up(remote, agent)
    pbx.play()
    call = await_that(only_call(status="COMPLETED"))
    assert (call.ring_seconds, call.talk_seconds, call.duration_seconds) == (5, 20, 25)
    assert (call.direction, call.evidence, call.missing, call.end_reason) == (
        *("outbound", "B", "", "remote_hangup"),
    )
    account.refresh_from_db()
    assert account.state == "connected" and account.last_heard_at > begun

    printed = process.terminate()
    assert f"Listening to pbx at 127.0.0.1:{pbx.port}" in printed and PASSWORD not in printed
    assert pbx.server.commands[-1] == "exit"
    account.refresh_from_db()
    assert account.state == "not listening"


@pytest.mark.server
def test_one_process_serves_many_and_mends_and_marks_the_break_of_one(live_people, pbx, listen):
    other = Pbx()
    try:
        make_account(live_people, pbx.port)
        make_account(live_people, other.port, name="branch")
        ProviderAccount.objects.create(kind="freeswitch", name="only-records")
        listen()
        calls = {}
        for one in (pbx, other):
            one.synced()
            calls[one] = call_out(one)
            one.switch.answer(*calls[one])
            one.play()
        await_that(lambda: CallLog.objects.filter(answered_time__isnull=False).count() == 2)
        broken = CallLog.objects.get(provider="pbx")
        pbx.cut()
        pbx.switch.wait(10)
        pbx.synced()
        await_that(lambda: broken.events.filter(kind="noted"))
        for one in (pbx, other):
            one.switch.wait(10)
            one.switch.hang_up(*calls[one])
            one.play()
        await_that(lambda: CallLog.objects.filter(status="COMPLETED").count() == 2)
        found = CallLog.objects.values_list("provider", "ring_seconds", "talk_seconds", "missing")
        assert set(found) == {("pbx", 5, 20, "gap"), ("branch", 5, 10, "")}
    finally:
        other.close()


@pytest.mark.engines
@pytest.mark.server
def test_after_a_kill_what_goes_on_is_taken_up_and_no_end_is_invented(live_people, pbx, listen):
    make_account(live_people, pbx.port)
    process = listen("--account", "pbx")
    pbx.synced()
    lasting, over = call_out(pbx), call_out(pbx)
    for agent, remote in (lasting, over):
        pbx.switch.answer(agent, remote)
    pbx.switch.hold(lasting[0])
    pbx.play()
    await_that(lambda: CallEvent.objects.filter(kind="held").exists())
    await_that(lambda: CallLog.objects.filter(answered_time__isnull=False).count() == 2)
    process.kill()
    pbx.switch.wait(10)
    pbx.switch.hang_up(*over)
    pbx.cut()
    begun = call_out(pbx)  # nobody hears how it begins
    pbx.switch.answer(*begun)
    pbx.switch.wait(8)
    pbx.play()

    listen("--account", "pbx")
    pbx.synced()
    taken_up = await_that(only_call(provider_call_id=begun[0].uuid, answered_time__isnull=False))
    assert (taken_up.user, taken_up.status) == (live_people.alice, "IN_PROGRESS")
    await_that(lambda: lengths(taken_up)[0] == 5000)  # to the millisecond, by what is asked
    pbx.switch.unhold(lasting[0])
    pbx.switch.wait(30)
    pbx.switch.hang_up(*lasting)
    pbx.play()
    call = await_that(only_call(status="COMPLETED"))
    assert call.provider_call_id == lasting[0].uuid
    assert (call.talk_seconds, call.missing) == (30, "gap")

    open_call = CallLog.objects.get(provider_call_id=over[0].uuid)
    assert open_call.end_time is None
    mark = open_call.events.get(kind="noted")
    assert mark.data["gone"] is True and mark.data["gap"][0] < mark.data["gap"][1]


@pytest.mark.server
def test_a_wrong_password_is_said_in_words(live_people, pbx, listen):
    account = make_account(live_people, pbx.port, password="wrong")
    listen("--account", "pbx")

    def state():
        account.refresh_from_db()
        return account.state

    await_that(lambda: state() == "not connected: FreeSWITCH says that the password is wrong.")


# --- The connection -------------------------------------------------------------------------------


def heard(where, wanted, **options):
    """What a link within the test hears until `wanted` says so."""
    items = []

    async def run():
        running = asyncio.ensure_future(Link(where, items.append, 0.02, **options).run())
        try:
            async with asyncio.timeout(PATIENCE):
                while not wanted(items):
                    await asyncio.sleep(0.005)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())
    return items


def count(kind):
    return lambda items: sum(isinstance(item, kind) for item in items)


def test_a_second_password_is_tried_and_a_wrong_one_told(pbx):
    items = heard(Where("127.0.0.1", pbx.port, ("newer", PASSWORD)), count(Up))
    (lost,) = [item for item in items if isinstance(item, Lost)]
    assert lost.why == "FreeSWITCH says that the password is wrong."


@pytest.mark.django_db
def test_an_access_list_that_keeps_us_out_is_told(people):
    pbx = Pbx(rejects=True)
    account = make_account(people, pbx.port)
    (first, *_) = heard(adapter_of(account).where, count(Lost))
    assert first == Lost("FreeSWITCH's access list does not let this machine in.")
    pbx.close()


@pytest.mark.django_db
def test_pings_keep_a_quiet_line_open_and_a_user_may_enter(people):
    pbx = Pbx(user="calls@pbx")
    account = make_account(people, pbx.port, event_socket_user="calls@pbx")
    items = heard(
        adapter_of(account).where,
        lambda _items: pbx.server.commands.count("api uptime") > 4,
        ping_seconds=0.02,
    )
    assert count(Lost)(items) == 0
    pbx.close()


# --- Dialling and asking --------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_click_rings_the_own_phone_and_the_call_can_be_asked_about(people, pbx):
    account = make_account(people, pbx.port, outside_prefix="00", context="office")
    adapter = adapter_of(account)
    leg = adapter.place_call("1001", "+34600000009")
    order = next(one for one in pbx.server.commands if one.startswith("bgapi"))
    assert f"origination_uuid={leg}," in order and f"\nJob-UUID: {leg}" in order
    assert "}user/1001 0034600000009 XML office" in order
    with pytest.raises(Gone):
        adapter.ask(leg)
    pbx.switch.originate("1001", leg=leg)
    pbx.play()
    assert adapter.ask(leg) == []
    for agent, number in (("1001 x", "123"), ("1001", "12 3"), ("1001,a=b", "123")):
        with pytest.raises(Unreachable):
            adapter.place_call(agent, number)


@pytest.mark.django_db
def test_why_nothing_could_be_asked_is_said(people, pbx):
    account = make_account(people, pbx.port, password="wrong")
    with pytest.raises(Unreachable, match="password is wrong"):
        adapter_of(account).place_call("1001", "123")
    account.settings.pop("host")
    with pytest.raises(Unreachable, match="host"):
        adapter_of(account).place_call("1001", "123")
    assert adapter_of(account).ask("a") is None


# --- A file, and the records ----------------------------------------------------------------------


def replayed(source, name="pbx"):
    output = StringIO()
    path = source if hasattr(source, "parts") else STREAMS / f"{source}.txt"
    call_command("listen_freeswitch", "--account", name, "--from-file", str(path), stdout=output)
    return output.getvalue()


RECORDS = STREAMS.parent / "freeswitch" / "real.jsonl"


@pytest.mark.engines
@pytest.mark.django_db
@pytest.mark.parametrize("scenario", truths())
def test_records_confirm_what_was_heard_and_make_no_other_call(people, client, scenario):
    make_account(people)
    printed = replayed(scenario)
    calls = list(CallLog.objects.order_by("pk"))
    assert {call.evidence for call in calls} == {"B"} and f"{len(calls)} calls" in printed
    live = {call.provider_call_id: (call.user, call.status, lengths(call)) for call in calls}
    for line in RECORDS.read_text().splitlines():
        said = json.loads(line)
        if said["scenario"] == scenario:
            client.post(
                "/hooks/freeswitch/pbx/",
                data=json.dumps(said["record"]),
                content_type="application/json",
                headers={"X-CallManager-Token": "of-the-records"},
            )
    assert set(CallLog.objects.values_list("provider_call_id", flat=True)) == set(live)
    for call in CallLog.objects.all():
        user, status, (ring, _hold, _talk) = live[call.provider_call_id]
        assert (call.user, call.status, call.evidence, call.missing) == (user, status, "A", "")
        assert abs(lengths(call)[0] - ring) <= 40
    replayed(scenario)
    assert CallLog.objects.count() == len(live)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "no events of a FreeSWITCH"),
        (b"\x00\xff" * 100, "no events of a FreeSWITCH"),
        (b"Content-Type: x\nContent-Length: many\n\n", "says that it is 'many' bytes long"),
    ],
)
def test_a_file_that_is_no_stream_is_refused_in_words(people, tmp_path, content, complaint):
    make_account(people)
    path = tmp_path / "stream.txt"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=complaint):
        replayed(path)
    assert not CallLog.objects.exists()


@pytest.mark.django_db
def test_a_second_stream_goes_on_where_the_first_was_cut_off(people, tmp_path):
    make_account(people)
    switch = play.switch()
    play.answered(switch)
    raw = [message for _at, message in switch.sent]
    place = next(n for n, message in enumerate(raw) if b"CHANNEL_HOLD" in message)
    for number, part in enumerate((raw[:place], raw[place:])):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(GREETING + b"".join(part))
        replayed(path)
    caller, callee = CallLog.objects.order_by("pk")
    assert lengths(caller) == lengths(callee) == (2000, 2500, 5000)
    assert caller.missing == callee.missing == "gap"
    assert (callee.status, callee.user) == ("COMPLETED", people.bob)


@pytest.mark.django_db
def test_accounts_that_cannot_be_listened_to_are_named(people):
    with pytest.raises(CommandError, match="There is no FreeSWITCH account nowhere"):
        call_command("listen_freeswitch", account=["nowhere"])
    with pytest.raises(CommandError, match="no active account of the kind freeswitch that has a h"):
        call_command("listen_freeswitch")
    account = make_account(people)
    account.settings = {}
    account.save()
    with pytest.raises(CommandError, match="pbx: Set the account's host"):
        call_command("listen_freeswitch", account=["pbx"])


@pytest.mark.django_db
def test_the_administration_says_whether_somebody_listens(people, client):
    account = make_account(people)
    account.state = "not connected: FreeSWITCH says that the password is wrong."
    account.save()
    client.force_login(people.ada)
    page = client.get("/admin/calls/provideraccount/").content.decode()
    assert "sin conexión: FreeSWITCH says" in page
    page = client.get(f"/admin/calls/provideraccount/{account.pk}/change/").content.decode()
    assert "event_socket_password" in page and PASSWORD not in page
