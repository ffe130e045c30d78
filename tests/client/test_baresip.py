"""Calls on real softphones track themselves; more of them in tests/proof."""

import time
from collections.abc import Iterator

import pytest
from call_tracking import CallTracker
from callmanager_track.baresip import Follower, Netstrings, netstring, number_of

from calls.models import CallLog
from tests.support.patience import await_that
from tests.support.people import key_of
from tests.support.telephony import Followed, calls_of, length, need_telephony

pytestmark = [pytest.mark.server, pytest.mark.once]


@pytest.fixture
def followed(live_people, server, tmp_path) -> Iterator[Followed]:
    need_telephony()
    with Followed(live_people, server, tmp_path) as followed:
        yield followed


def test_an_answered_call_tracks_itself_on_both_phones(followed, live_people):
    alice, bob = followed.phones["alice"], followed.phones["bob"]
    running = CallLog.objects.active()
    dialled = time.monotonic()
    alice.type(f"/dial {bob.uri}")
    await_that(lambda: running.filter(answered_time__isnull=False).count() == 2)
    answered = time.monotonic()
    time.sleep(0.05)
    ending = time.monotonic()
    alice.type("/hangup")
    await_that(lambda: CallLog.objects.ended().count() == 2)
    ended = time.monotonic()
    assert calls_of(live_people.alice) == [("COMPLETED", "outbound", bob.uri)]
    assert calls_of(live_people.bob) == [("COMPLETED", "inbound", alice.uri)]
    for call in CallLog.objects.all():
        assert call.provider == "baresip"
        assert ending - answered - 0.002 <= length(call) <= ended - dialled + 0.002


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
            follower.take(event | {"peeruri": "sip:8888@pbx"}, tracker.clock.now())
        follower.take({"event": True, "type": "REGISTER_OK"}, tracker.clock.now())
        closed = {"type": "CALL_CLOSED", "id": "1", "param": "Media timeout"}
        follower.take(closed, tracker.clock.now())
        assert tracker.flush()
    call = CallLog.objects.get()
    assert (call.status, call.contact_phone) == ("DROPPED", "8888")
    kinds = set(call.events.values_list("kind", flat=True))
    assert kinds == {"started", "answered", "held", "resumed", "ended"}
