"""Listening to Asterisk over real sockets: as a process, through breaks, and from a file."""

import asyncio
import logging
import random
import ssl
import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from calls import services, timeline
from calls.models import CallEvent, CallLog, ProviderAccount, ProviderIdentity
from calls.providers.asterisk.ami import Message, login_key
from calls.providers.asterisk.manager import Where, login
from calls.providers.lasting import Heard, Link, Lost, Refused, Up
from calls.simulation.asterisk.events import Exchange
from calls.simulation.asterisk.server import AsteriskServer, messages_of
from calls.simulation.base import ScriptedCall
from calls.telephony import intake
from calls.telephony.hooks import adapter_of
from calls.telephony.listening.listener import Listener
from common.instants import from_ms, now, to_ms
from tests.support.asterisk import STREAMS, stream, truths
from tests.support.certificates import certificate
from tests.support.listening import OnItsOwnLoop, listeners, only_call
from tests.support.patience import PATIENCE, await_that

pytestmark = pytest.mark.once

SECRET = "ami-secret-1"
NUMBER = "34600000001"


class Pbx(OnItsOwnLoop):
    """A manager interface, and the exchange behind it."""

    def __init__(self, **options):
        self.exchange = Exchange(start=time.time() - 10)
        super().__init__(AsteriskServer("calls", SECRET, **options), self.exchange)

    def asked(self):
        return [action.get("Action") for action in self.server.actions]


@pytest.fixture
def pbx():
    running = Pbx()
    yield running
    running.close()


def make_account(people, port, name="pbx", secret=SECRET):
    account = ProviderAccount(kind="asterisk", name=name)
    account.settings = {"host": "127.0.0.1", "port": str(port), "username": "calls"}
    account.settings["trunks"] = "trunk"
    account.add_secret("secret", secret)
    account.save()
    for identity, user in (("1001", people.alice), ("1002", people.bob)):
        ProviderIdentity.objects.create(account=account, identity=identity, user=user)
    return account


@pytest.fixture
def listen():
    with listeners("listen_asterisk") as start:
        yield start


def call_out(pbx):
    agent = pbx.exchange.call("1001", NUMBER)
    remote = pbx.exchange.dial(agent, "trunk", f"{NUMBER}@trunk")
    pbx.exchange.wait(5)
    return agent, remote


def lengths(call):
    state = timeline.fold(CallEvent.facts_of(call))
    return state.ring, state.hold, state.talk


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
    assert ringing.provider_call_id == agent.uniqueid

    pbx.exchange.answer(agent, remote)
    pbx.exchange.wait(20)
    pbx.exchange.hang_up(remote, agent)
    pbx.play()
    call = await_that(only_call(status="COMPLETED"))
    assert (call.ring_seconds, call.talk_seconds, call.duration_seconds) == (5, 20, 25)
    assert (call.direction, call.evidence, call.missing, call.end_reason) == (
        *("outbound", "B", "", "remote_hangup"),
    )
    account.refresh_from_db()
    assert account.state == "connected" and account.last_heard_at > begun

    printed = process.terminate()
    assert f"Listening to pbx at 127.0.0.1:{pbx.port}" in printed
    assert pbx.asked()[-1] == "Logoff"
    (proof,) = [action for action in pbx.server.actions if action.get("Action") == "Login"]
    assert proof.get("AuthType") == "MD5" and "Secret" not in proof
    account.refresh_from_db()
    assert account.state == "not listening"


@pytest.mark.server
def test_one_process_serves_many_and_mends_and_marks_the_break_of_one(live_people, pbx, listen):
    other = Pbx()
    try:
        make_account(live_people, pbx.port)
        make_account(live_people, other.port, name="branch")
        listen()
        calls = {}
        for one in (pbx, other):
            one.synced()
            calls[one] = call_out(one)
            one.exchange.answer(*calls[one])
            one.play()
        await_that(lambda: CallLog.objects.filter(answered_time__isnull=False).count() == 2)
        broken = CallLog.objects.get(provider="pbx")
        pbx.cut()
        pbx.exchange.wait(10)
        pbx.synced()
        await_that(lambda: broken.events.filter(kind="noted"))
        for one in (pbx, other):
            one.exchange.wait(10)
            one.exchange.hang_up(*calls[one])
            one.play()
        await_that(lambda: CallLog.objects.filter(status="COMPLETED").count() == 2)
        found = CallLog.objects.values_list("provider", "ring_seconds", "talk_seconds", "missing")
        assert set(found) == {("pbx", 5, 20, "gap"), ("branch", 5, 10, "")}
        listed = [one.asked().count("CoreShowChannels") for one in (pbx, other)]
        assert listed == [2, 1]
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
        pbx.exchange.answer(agent, remote)
    pbx.exchange.hold(lasting[0])
    pbx.play()
    await_that(lambda: CallEvent.objects.filter(kind="held").exists())
    await_that(lambda: CallLog.objects.filter(answered_time__isnull=False).count() == 2)
    process.kill()
    pbx.exchange.wait(10)
    pbx.exchange.hang_up(*over)
    pbx.cut()
    pbx.play()

    listen("--account", "pbx")
    pbx.synced()
    pbx.exchange.unhold(lasting[0])
    pbx.exchange.wait(30)
    pbx.exchange.hang_up(*lasting)
    pbx.play()
    call = await_that(only_call(status="COMPLETED"))
    assert call.provider_call_id == lasting[0].uniqueid
    assert (call.hold_seconds, call.talk_seconds, call.missing) == (10, 30, "gap")

    open_call = CallLog.objects.get(provider_call_id=over[0].uniqueid)
    assert (open_call.end_time, CallLog.objects.count()) == (None, 2)
    mark = open_call.events.get(kind="noted")
    assert mark.data["gone"] is True and mark.data["gap"][0] < mark.data["gap"][1]


# --- The connection -------------------------------------------------------------------------------


class Ear:
    """A link within the test, and what it hears."""

    def __init__(self, where, **options):
        self.heard = []
        self.link = Link(where, self.heard.append, first_wait=0.02, **options)

    async def until(self, wanted):
        running = asyncio.ensure_future(self.link.run())
        try:
            async with asyncio.timeout(PATIENCE):
                while not wanted(self.heard):
                    await asyncio.sleep(0.005)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def where(port, *secrets, **options):
    return Where("127.0.0.1", port, "calls", secrets or (SECRET,), **options)


def count(kind):
    return lambda heard: sum(isinstance(item, kind) for item in heard)


def test_the_challenge_of_the_documents():
    assert login_key("123456789", SECRET) == "d145790a35d24146e8e2cfcbcac1ef5c"


def test_a_second_secret_is_tried_and_a_wrong_one_told():
    async def run():
        server = AsteriskServer("calls", SECRET)
        ear = Ear(where(await server.start(), "newer", SECRET))
        await ear.until(count(Up))
        await server.stop()
        return ear.heard

    heard = asyncio.run(run())
    (lost,) = [item for item in heard if isinstance(item, Lost)]
    assert lost.why == "Authentication failed"


def test_without_a_challenge_the_secret_is_sent_only_where_nobody_reads_it():
    async def run():
        server = AsteriskServer("calls", SECRET, knows_challenge=False)
        ear = Ear(where(await server.start()))
        await ear.until(count(Up))
        await server.stop()
        return server.actions

    (sent,) = [a for a in asyncio.run(run()) if a.get("Action") == "Login"]
    assert sent.get("Secret") == SECRET

    steps = login(Where("10.0.0.5", 5038, "calls", (SECRET,)), SECRET, events=True)
    next(steps)
    with pytest.raises(Refused, match="without TLS"):
        steps.send(Message([("Response", "Error")]))


def test_tls_with_a_private_certificate(tmp_path):
    files = certificate(tmp_path)

    async def run(trusted):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        server = AsteriskServer("calls", SECRET)
        ear = Ear(where(await server.start(tls=context), tls=True, tls_ca=trusted))
        await ear.until(lambda heard: heard)
        await server.stop()
        return ear.heard[0]

    assert isinstance(asyncio.run(run("")), Lost)
    assert isinstance(asyncio.run(run(str(files[0]))), Heard)


def test_a_line_that_has_gone_dead_is_noticed():
    async def run():
        server = AsteriskServer("calls", SECRET)
        server.answers = {"ping": b"", "coreshowchannels": b""}
        ear = Ear(where(await server.start()), dead_after=0.1)
        await ear.until(lambda heard: count(Up)(heard) == 2)
        await server.stop()

    asyncio.run(run())


def test_pings_keep_a_quiet_line_open():
    async def run():
        server = AsteriskServer("calls", SECRET)
        ear = Ear(where(await server.start()), ping_seconds=0.02)
        await ear.until(
            lambda heard: sum("Ping" in h.message for h in heard[1:] if count(Heard)([h])) > 5
        )
        await server.stop()
        return ear.heard

    heard = asyncio.run(run())
    assert count(Lost)(heard) == 0


def test_what_is_no_asterisk_is_told():
    async def run():
        async def other(_reader, writer):
            writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\nhello: you\r\n\r\n")

        server = await asyncio.start_server(other, "127.0.0.1", 0)
        ear = Ear(where(server.sockets[0].getsockname()[1]))
        await ear.until(lambda heard: heard)
        server.close()
        return ear.heard[0]

    assert asyncio.run(run()) == Lost("What answers there is no Asterisk manager.")


# --- Recording ------------------------------------------------------------------------------------


def listened(account, server, play, done):
    """Runs a listener and its link within the test while `play` runs, until `done` says so."""

    async def run():
        account.settings["port"] = str(await server.start())
        listener = Listener(account)
        recording = asyncio.ensure_future(asyncio.to_thread(listener.run))
        where = adapter_of(account).where
        link = asyncio.ensure_future(Link(where, listener.put, first_wait=0.01).run())
        try:
            async with asyncio.timeout(100):
                await play()
                while not await asyncio.to_thread(done):
                    await asyncio.sleep(0.02)
        finally:
            link.cancel()
            await asyncio.gather(link, return_exceptions=True)
            listener.stop()
            await recording
            await server.stop()

    asyncio.run(run())


def scripts(number, chance):
    """Calls of two agents, several at once, with every ending."""
    begun = to_ms(now()) - 86_400_000
    calls = []
    for serial in range(number):
        start = begun + serial * 20_000 + chance.randrange(10_000)
        answered = start + chance.randrange(500, 20_000) if chance.random() < 0.8 else None
        end = (answered or start) + chance.randrange(1_000, 100_000)
        unanswered = chance.choice([timeline.NO_ANSWER, timeline.FAILED])
        calls.append(
            ScriptedCall(
                call_id=str(serial),
                agent=chance.choice(["1001", "1002"]),
                number=f"+3460000{serial:04d}",
                start=start,
                end=end,
                ringing=start + 300,
                answered=answered,
                holds=((answered + 100, answered + 900),) if answered else (),
                status=chance.choice([timeline.COMPLETED, timeline.DROPPED])
                if answered
                else unanswered,
            )
        )
    return calls


def ended(number):
    return lambda: CallLog.objects.ended().count() >= number


@pytest.mark.engines
def test_calls_by_the_dozen_doubled_and_cut_are_exact(live_people):
    chance = random.Random(1)
    account = make_account(live_people, 1)
    server = AsteriskServer("calls", SECRET)
    calls = scripts(60, chance)
    played = {call.call_id: messages_of(call, serial=2 * int(call.call_id)) for call in calls}
    messages = [message for one in played.values() for message in one.messages]

    async def play():
        await server.play(messages, duplicates=0.2, cuts=5, chance=chance)

    listened(account, server, play, ended(len(calls)))
    assert server.connections == 6
    assert CallLog.objects.count() == len(calls)
    for call in calls:
        row = CallLog.objects.get(provider_call_id=played[call.call_id].call)
        state = timeline.fold(CallEvent.facts_of(row))
        recorded = {name: getattr(state, name) for name in call.truth}
        recorded["ring"] = state.ring
        assert recorded == call.truth
    gaps = CallLog.objects.filter(missing="gap").count()
    assert 0 < gaps < len(calls)


def test_what_is_lost_is_marked_and_nothing_invented(live_people):
    chance = random.Random(2)
    account = make_account(live_people, 1)
    server = AsteriskServer("calls", SECRET)
    calls = scripts(40, chance)
    played = {call.call_id: messages_of(call, serial=2 * int(call.call_id)) for call in calls}
    messages = [message for one in played.values() for message in one.messages]
    last = exchange_end(calls)

    async def play():
        await server.play([*messages, *last.messages], cuts=4, lost=15, chance=chance)

    listened(
        account,
        server,
        play,
        lambda: CallLog.objects.ended().filter(provider_call_id=last.call).exists(),
    )
    by_id = {one.call: call_id for call_id, one in played.items()}
    truth = {call.call_id: call.truth for call in calls}
    heard_of = 0
    for row in CallLog.objects.exclude(provider_call_id=last.call):
        heard_of += 1
        marked = row.events.filter(kind="noted", data__has_key="gap").exists()
        right = truth[by_id[row.provider_call_id]]
        if row.end_time is None:
            assert marked
        else:
            assert abs(to_ms(row.end_time) - right["end"]) <= 1
            assert marked or row.duration_seconds == right["duration"] // 1000
    assert heard_of >= len(calls) - 8  # a call that lies in a gap as a whole is not heard of


def exchange_end(calls):
    """One more call, after all others and after the last cut could have come."""
    start = max(call.end for call in calls) + 60_000
    final = ScriptedCall("last", "1001", "+34600009999", start, start + 5_000, None, start + 1_000)
    return messages_of(final, serial=100_000)


def test_without_timestampevents_our_clock_serves_and_the_log_says_so(live_people, caplog):
    account = make_account(live_people, 1)
    server = AsteriskServer("calls", SECRET)
    present = to_ms(now())
    begun = present - 86_400_000
    script = messages_of(
        ScriptedCall("1", "1001", "+34600000001", begun, begun + 9, status="FAILED"), serial=0
    )
    bare = [(at, without_instant(message)) for at, message in script.messages]

    async def play():
        await server.play(bare)

    with caplog.at_level(logging.WARNING):
        listened(account, server, play, ended(1))
    assert "timestampevents" in caplog.text
    event = CallEvent.objects.get(kind="ended")
    assert event.precision_ms == 1000 and present <= to_ms(event.occurred_at) <= to_ms(now())


def without_instant(message):
    lines = message.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.startswith(b"Timestamp"))


def test_where_channels_may_not_be_listed_the_log_says_so(live_people, caplog):
    account = make_account(live_people, 1)
    server = AsteriskServer("calls", SECRET, lists_channels=False)
    begun = to_ms(now()) - 1000
    script = messages_of(
        ScriptedCall("1", "1001", "+34600000001", begun, begun + 9, status="FAILED"), serial=0
    )

    async def play():
        await server.play(script.messages)

    with caplog.at_level(logging.WARNING):
        listened(account, server, play, ended(1))
    assert "lists no channels" in caplog.text


def test_a_phone_that_has_just_been_mapped_is_followed(live_people):
    """Names that are no digits are agents' as soon as they are mapped to a person."""
    account = make_account(live_people, 1)
    ProviderIdentity.objects.create(account=account, identity="ana", user=live_people.carol)
    server = AsteriskServer("calls", SECRET)
    begun = to_ms(now()) - 1000
    script = messages_of(
        ScriptedCall("1", "ana", "+34600000001", begun, begun + 9, status="FAILED"), serial=0
    )

    async def play():
        await server.play(script.messages)

    listened(account, server, play, ended(1))
    assert CallLog.objects.get().user == live_people.carol


# --- From a file ----------------------------------------------------------------------------------


def replayed(scenario, *more, account="pbx"):
    out = StringIO()
    path = STREAMS / f"{scenario}.txt" if isinstance(scenario, str) else scenario
    call_command("listen_asterisk", "--account", account, "--from-file", str(path), stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("scenario", sorted(truths()))
def test_a_recorded_stream_is_replayed_through_the_same_code(people, scenario):
    make_account(people, 5038)
    truth = truths()[scenario]
    printed = replayed(scenario)
    call = CallLog.objects.get(user=people.alice)
    ring, hold, talk = lengths(call)
    if "ring" in truth:
        assert ring / 1000 == pytest.approx(truth["ring"], abs=0.05)
    assert (hold + talk) / 1000 == pytest.approx(truth["talk"], abs=0.05)
    assert f"agent alice  {call.direction} {truth['callee']}" in printed
    assert f"{len(CallLog.objects.all())} calls recorded" in printed

    before = list(CallEvent.objects.order_by("pk").values())
    assert replayed(scenario) == printed
    assert list(CallEvent.objects.order_by("pk").values()) == before


def test_calls_of_unmapped_phones_are_kept_without_an_agent(people):
    make_account(people, 5038)
    ProviderIdentity.objects.all().delete()
    assert "agent -" in replayed("01-answered-hold")
    assert CallLog.objects.unassigned().count() == 2


def test_a_click_and_its_originated_call_are_one(people):
    make_account(people, 5038)
    clicked = services.ReportedTime(from_ms(1795411422500), explicit=True)
    call, _ = services.start_call(people.alice, contact_phone="1002", reported=clicked)
    replayed("11-originate-click-to-call")
    call.refresh_from_db()
    assert (call.provider, call.status, call.talk_seconds) == ("pbx", "COMPLETED", 5)
    assert CallLog.objects.filter(user=people.alice).count() == 1


def test_a_call_that_we_placed_is_the_click_that_asked_for_it(people, tmp_path):
    account = make_account(people, 5038)
    clicked = services.ReportedTime(from_ms(1_767_607_200_000), explicit=True)
    call, _ = services.start_call(people.alice, contact_phone=f"+{NUMBER}", reported=clicked)
    intake.expect(call, account, "callmanager-7")
    pbx = Exchange(start=1_767_607_201)
    agent = pbx.originate("1001", f"00{NUMBER}", "callmanager-7")
    pbx.wait(3)
    pbx.pick_up(agent)
    remote = pbx.dial(agent, "trunk", f"00{NUMBER}@trunk")
    pbx.wait(6)
    pbx.answer(agent, remote)
    pbx.wait(30)
    pbx.hang_up(remote, agent)
    path = tmp_path / "placed.txt"
    path.write_bytes(pbx.stream())
    replayed(path)
    call = CallLog.objects.get()
    assert (call.user, call.status, call.contact_phone) == (
        *(people.alice, "COMPLETED", f"+{NUMBER}"),
    )
    assert (call.ring_seconds, call.talk_seconds) == (6, 30)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "has no instants"),
        (b"\x00\xff" * 100, "has no instants"),
        (b"Event: Hangup\r\nUniqueid: 1.1\r\n\r\n", "has no instants"),
        (b"x" * 70_000, "without an end"),
    ],
)
def test_what_is_no_stream_is_refused(people, tmp_path, content, complaint):
    make_account(people, 5038)
    path = tmp_path / "stream.txt"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=complaint):
        replayed(path)
    assert not CallLog.objects.exists()


def test_a_stream_that_was_cut_off_leaves_the_call_open_and_marked(people, tmp_path):
    make_account(people, 5038)
    whole = stream("01-answered-hold")
    path = tmp_path / "cut.txt"
    path.write_bytes(whole[: whole.index(b"Event: Hangup\r\n") + 40])
    replayed(path)
    assert CallLog.objects.active().count() == 2
    assert CallEvent.objects.filter(kind="noted", data__has_key="gap").count() == 2


def test_a_second_stream_goes_on_where_the_first_was_cut_off(people, tmp_path):
    make_account(people, 5038)
    whole = stream("01-answered-hold")
    middle = whole.index(b"Event: Hold\r\n")
    for number, part in enumerate((whole[:middle], whole[middle:])):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(part)
        replayed(path)
    caller, callee = CallLog.objects.order_by("start_time")
    assert lengths(caller) == (2020, 2500, 5022) and caller.missing == callee.missing == "gap"
    assert (callee.status, callee.user) == ("COMPLETED", people.bob)
    replayed("01-answered-hold")
    assert CallLog.objects.count() == 2 and lengths(caller) == (2020, 2500, 5022)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"account": ["nowhere"]}, "There is no Asterisk account nowhere"),
        ({}, "no active account"),
    ],
)
def test_accounts_that_are_not_there_are_named(arguments, complaint):
    with pytest.raises(CommandError, match=complaint):
        call_command("listen_asterisk", **arguments)


def test_a_file_that_is_not_there_and_an_account_that_is_not_set_up(people, tmp_path):
    account = make_account(people, 5038)
    with pytest.raises(CommandError, match="cannot be read"):
        replayed(tmp_path / "nothing.txt")
    account.settings["port"] = "many"
    account.save()
    with pytest.raises(CommandError, match="not a port"):
        call_command("listen_asterisk")


@pytest.mark.engines
def test_an_attended_transfer_is_one_call_of_the_team(people, tmp_path):
    """1001 has a customer, asks 1002, and puts the two together: parts of one conversation."""
    make_account(people, 5038)
    pbx = Exchange(start=1_767_607_200)
    trunk = pbx.call("trunk", "1001", "34600000009")
    one = pbx.dial(trunk, "1001")
    pbx.answer(trunk, one)
    pbx.wait(10)
    pbx.hold(one)
    asking = pbx.call("1001", "1002")
    two = pbx.dial(asking, "1002")
    pbx.answer(asking, two)
    pbx.wait(5)
    before = len(pbx.sent)
    pbx.transfer_attended(one, asking, trunk, two)
    pbx.wait(20)
    pbx.hang_up(trunk, two)
    path = tmp_path / "transfer.txt"
    for messages in (pbx.sent[:before], pbx.sent):  # in two goes, then again: the same
        path.write_bytes(b"".join(message for _at, message in messages))
        replayed(path)
    calls = CallLog.objects.order_by("start_time", "pk")
    assert [call.user for call in calls] == [people.alice, people.alice, people.bob]
    assert {call.conversation for call in calls} == {trunk.linkedid}
    assert all(call.is_shared for call in calls)
    assert [call.talk_seconds for call in calls] == [10, 5, 25]


def test_the_administration_says_whether_somebody_listens(people, client):
    account = make_account(people, 5038)
    account.state = "not connected: Authentication failed"
    account.save()
    client.force_login(people.ada)
    assert (
        "sin conexión: Authentication failed"
        in client.get("/admin/calls/provideraccount/").content.decode()
    )
    page = client.get(f"/admin/calls/provideraccount/{account.pk}/change/").content.decode()
    assert "Donde escucha la interfaz del gestor" in page and SECRET not in page
