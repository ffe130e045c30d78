"""Calls on real softphones track themselves: two baresip, and sipp as the one who calls."""

import statistics
import subprocess
import time
from collections.abc import Iterator

import pytest
from call_tracking import CallTracker
from callmanager_track.baresip import Follower, Netstrings, netstring, number_of
from callmanager_track.clocks import Moment

from calls.models import CallLog
from tests.client import CommandLine, Stalls, await_that
from tests.people import key_of
from tests.server import Server
from tests.telephony import Softphone, call_with_sipp, need_telephony

pytestmark = pytest.mark.server
LENGTHS_MS = [400, 700, 1000, 1300, 1600, 2100]


class Followed:
    """Two softphones, alice's and bob's, each followed by a command of its own."""

    def __init__(self, people, server: Server, folder, bobs: str = "auto"):
        modes = {"alice": "manual", "bob": bobs}
        self.phones = {name: Softphone(folder / name, mode) for name, mode in modes.items()}
        self.tracks = {
            name: CommandLine(server.url, key_of(getattr(people, name)), folder / f"{name}.calls")
            for name in self.phones
        }
        self.followers: dict[str, subprocess.Popen[str]] = {}

    def start(self) -> None:
        for name, phone in self.phones.items():
            phone.start()
            self.follow(name)

    def follow(self, name: str) -> None:
        follower = self.tracks[name].leave("follow", "baresip", "--port", self.phones[name].control)
        self.followers[name] = follower
        assert follower.stdout.readline().startswith("following baresip")

    def stop(self) -> None:
        for follower in self.followers.values():
            follower.terminate()
            follower.communicate(timeout=20)
        for phone in self.phones.values():
            phone.kill()


@pytest.fixture
def followed(live_people, server, tmp_path) -> Iterator[Followed]:
    need_telephony()
    followed = Followed(live_people, server, tmp_path)
    followed.start()
    yield followed
    followed.stop()


def length(call: CallLog) -> float:
    return (call.end_time - call.start_time).total_seconds()


def test_calls_of_known_length(followed, live_people, tmp_path):
    """Each call is as long as sipp says itself, within 0.2 s."""
    with Stalls() as stalls:
        measured = call_with_sipp(followed.phones["bob"], LENGTHS_MS, tmp_path / "sipp")
    assert len(measured) == len(LENGTHS_MS)
    ours = CallLog.objects.filter(user=live_people.bob)
    await_that(lambda: ours.ended().count() == len(LENGTHS_MS))
    calls = {call.contact_phone: call for call in ours}
    assert calls.keys() == {call.caller for call in measured}
    differences = []
    for call in measured:
        tracked = calls[call.caller]
        assert (tracked.status, tracked.direction) == ("COMPLETED", "inbound")
        assert tracked.provider == "baresip" and tracked.answered_time is not None
        differences.append(length(tracked) - (call.ended - call.began))
    # sipp, the phone and its follower each may have been let wait.
    assert max(map(abs, differences)) < 0.2 + 3 * stalls.worst
    print(
        f"\n{len(measured)} calls of {min(LENGTHS_MS)} to {max(LENGTHS_MS)} ms: tracked less sipp's"
        f" own between {min(differences) * 1000:+.0f} and {max(differences) * 1000:+.0f} ms,"
        f" median {statistics.median(differences) * 1000:+.1f} ms"
    )


def calls_of(person) -> list[tuple[str, str, str]]:
    """Status, direction and the other side's address of the ended calls, oldest first."""
    ended = CallLog.objects.filter(user=person, end_time__isnull=False).order_by("start_time")
    return [(call.status, call.direction, call.contact_ref) for call in ended]


def test_what_two_people_do_on_their_phones(followed, live_people):
    """A call that is taken, one that nobody takes, one that is refused, one to nobody."""
    alice, bob = followed.phones["alice"], followed.phones["bob"]
    running = CallLog.objects.active()
    with Stalls() as stalls:
        alice.type(f"/dial {bob.uri}")
        await_that(lambda: running.filter(answered_time__isnull=False).count() == 2)
        time.sleep(1)
        alice.type("/hangup")
        await_that(lambda: not running.exists())
    assert calls_of(live_people.alice) == [("COMPLETED", "outbound", bob.uri)]
    assert calls_of(live_people.bob) == [("COMPLETED", "inbound", alice.uri)]
    one, other = CallLog.objects.all()
    assert length(one) == pytest.approx(length(other), abs=0.2 + 3 * stalls.worst)
    assert length(one) > 1

    alice.type(f"/dial sip:nobody@127.0.0.1:{bob.sip}")
    await_that(lambda: len(calls_of(live_people.alice)) == 2)
    assert calls_of(live_people.alice)[1][0] == "FAILED"


@pytest.fixture
def ringing(live_people, server, tmp_path) -> Iterator[Followed]:
    """The two phones, and bob's rings until he takes the call."""
    need_telephony()
    followed = Followed(live_people, server, tmp_path, bobs="manual")
    followed.start()
    yield followed
    followed.stop()


def test_a_call_that_rings(ringing, live_people):
    alice, bob = ringing.phones["alice"], ringing.phones["bob"]
    running = CallLog.objects.active()
    alice.type(f"/dial {bob.uri}")
    await_that(lambda: running.count() == 2)
    time.sleep(0.6)
    alice.type("/hangup")
    await_that(lambda: not running.exists())
    assert {call.status for call in CallLog.objects.all()} == {"NO_ANSWER"}
    alice.type(f"/dial {bob.uri}")
    await_that(lambda: running.count() == 2)
    bob.type("/hangup")
    await_that(lambda: not running.exists())
    assert calls_of(live_people.alice)[1] == ("FAILED", "outbound", bob.uri)
    alice.type(f"/dial {bob.uri}")
    await_that(lambda: running.count() == 2)
    time.sleep(0.6)
    bob.type("/accept")
    await_that(lambda: running.filter(answered_time__isnull=False).count() == 2)
    bob.type("/hangup")
    await_that(lambda: not running.exists())
    for call in CallLog.objects.filter(status="COMPLETED"):
        assert (call.answered_time - call.start_time).total_seconds() > 0.5
    assert CallLog.objects.filter(status="COMPLETED").count() == 2


def test_a_phone_that_dies_in_mid_call(followed, live_people):
    """Its call ends as dropped when it died; the follower waits for the phone to come back."""
    alice, bob = followed.phones["alice"], followed.phones["bob"]
    alice.type(f"/dial {bob.uri}")
    await_that(lambda: CallLog.objects.filter(answered_time__isnull=False).count() == 2)
    time.sleep(0.5)
    with Stalls() as stalls:
        dies = time.time()
        bob.kill()
        died = time.time()
        time.sleep(1)
    bob.start()
    await_that(lambda: calls_of(live_people.bob))
    call = CallLog.objects.get(user=live_people.bob)
    assert dies - 0.3 <= call.end_time.timestamp() <= died + 0.3 + stalls.worst
    assert call.status == "DROPPED"


# --- What a phone may send ---


def test_netstrings_come_in_any_pieces():
    sent = [{"event": True, "type": "CALL_CLOSED"}, {"response": True, "data": "a:1,b"}]
    stream = b"".join(map(netstring, sent))
    for size in (1, 7, len(stream)):
        reader = Netstrings()
        pieces = [stream[i : i + size] for i in range(0, len(stream), size)]
        assert [one for piece in pieces for one in reader.feed(piece)] == sent


@pytest.mark.parametrize("wrong", [b"GET / HTTP/1.1\r\n", b"x:{},", b"2:{}x", b"-1:,", b"4:nope,"])
def test_what_is_no_netstring_is_refused(wrong):
    with pytest.raises(ValueError):
        list(Netstrings().feed(wrong))


@pytest.mark.parametrize(
    ("uri", "number", "reference"),
    [
        ("sip:+50688887777@pbx.example", "+50688887777", None),
        ("sip:2222-3333@pbx;transport=udp", "2222-3333", None),
        ("sips:bob@pbx.example:5061;lr", None, "sips:bob@pbx.example:5061"),
        ("", None, None),
    ],
)
def test_who_is_at_the_other_end(uri, number, reference):
    assert number_of(uri) == (number, reference)


def test_newer_phones_tell_of_outgoing_calls_and_holds(live_people, server, tmp_path):
    """Events as baresip 2 and later send them."""
    key = key_of(live_people.alice)
    with CallTracker(server.url, key, journal=tmp_path / "calls") as tracker:
        follower = Follower(tracker)
        for kind in ("CALL_OUTGOING", "CALL_ESTABLISHED", "CALL_HOLD", "CALL_RESUME"):
            event = {"event": True, "type": kind, "id": "1", "direction": "outgoing"}
            follower.take(event | {"peeruri": "sip:8888@pbx"}, Moment.now())
        follower.take({"event": True, "type": "REGISTER_OK"}, Moment.now())
        closed = {"type": "CALL_CLOSED", "id": "1", "param": "Media timeout"}
        follower.take(closed, Moment.now())
        assert tracker.flush()
    call = CallLog.objects.get()
    assert (call.status, call.contact_phone) == ("DROPPED", "8888")
    kinds = set(call.events.values_list("kind", flat=True))
    assert kinds == {"started", "answered", "held", "resumed", "ended"}
