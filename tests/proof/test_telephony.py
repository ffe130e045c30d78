"""Proves on real softphones that calls are as long as they were, however they went.

Two baresip, and sipp as the one who calls and measures by itself.
"""

import statistics
import time
from collections.abc import Iterator

import pytest

from calls.models import CallLog
from tests.support.client import Stalls
from tests.support.patience import await_that
from tests.support.telephony import Followed, call_with_sipp, calls_of, length, need_telephony

pytestmark = pytest.mark.server
LENGTHS_MS = [400, 700, 1000, 1300, 1600, 2100]


@pytest.fixture
def followed(live_people, server, tmp_path) -> Iterator[Followed]:
    need_telephony()
    with Followed(live_people, server, tmp_path) as followed:
        yield followed


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


def test_a_call_to_nobody(followed, live_people):
    alice, bob = followed.phones["alice"], followed.phones["bob"]
    alice.type(f"/dial sip:nobody@127.0.0.1:{bob.sip}")
    await_that(lambda: calls_of(live_people.alice))
    assert calls_of(live_people.alice)[0][0] == "FAILED"


@pytest.fixture
def ringing(live_people, server, tmp_path) -> Iterator[Followed]:
    """The two phones, and bob's rings until he takes the call."""
    need_telephony()
    with Followed(live_people, server, tmp_path, bobs="manual") as followed:
        yield followed


def test_a_call_that_rings(ringing, live_people):
    """One that the caller gives up, one that is refused, one that is taken."""
    alice, bob = ringing.phones["alice"], ringing.phones["bob"]
    running = CallLog.objects.active()
    alice.type(f"/dial {bob.uri}")
    await_that(lambda: running.count() == 2)
    alice.type("/hangup")
    await_that(lambda: not running.exists())
    assert {call.status for call in CallLog.objects.all()} == {"NO_ANSWER"}
    alice.type(f"/dial {bob.uri}")
    await_that(lambda: running.count() == 2)
    bob.type("/hangup")
    await_that(lambda: not running.exists())
    assert calls_of(live_people.alice)[1] == ("FAILED", "outbound", bob.uri)
    dialled = time.monotonic()
    alice.type(f"/dial {bob.uri}")
    await_that(lambda: running.count() == 2)
    rings = time.monotonic()
    time.sleep(0.05)
    taking = time.monotonic()
    bob.type("/accept")
    await_that(lambda: running.filter(answered_time__isnull=False).count() == 2)
    taken = time.monotonic()
    bob.type("/hangup")
    await_that(lambda: not running.exists())
    answered = CallLog.objects.filter(status="COMPLETED")
    assert answered.count() == 2
    for call in answered:
        rang = (call.answered_time - call.start_time).total_seconds()
        assert taking - rings - 0.002 <= rang <= taken - dialled + 0.002


def test_a_phone_that_dies_in_mid_call(followed, live_people):
    """Its call ends as dropped when it died; the follower waits for the phone to come back."""
    alice, bob = followed.phones["alice"], followed.phones["bob"]
    alice.type(f"/dial {bob.uri}")
    await_that(lambda: CallLog.objects.filter(answered_time__isnull=False).count() == 2)
    dies = time.time()
    bob.kill()
    while not followed.said("bob").startswith("baresip does not answer"):
        pass
    noticed = time.time()
    bob.start()
    await_that(lambda: calls_of(live_people.bob))
    call = CallLog.objects.get(user=live_people.bob)
    # The server's clock is known as well as its answers were quick.
    assert dies - 0.2 <= call.end_time.timestamp() <= noticed + 0.2
    assert call.status == "DROPPED"
