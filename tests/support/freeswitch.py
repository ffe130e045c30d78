"""Streams of a FreeSWITCH's event socket, real and composed, and what they come to."""

import json
from collections.abc import Callable
from pathlib import Path

from calls.providers.base import ProviderEvent
from calls.providers.freeswitch.event_socket.esl import Message, Reader
from calls.providers.freeswitch.event_socket.tracker import Tracker
from calls.simulation.freeswitch.events import Switch
from tests.support.telling import check_words

STREAMS = Path(__file__).parents[1] / "fixtures" / "esl"
T = 1_767_607_200  # 2026-01-05 10:00:00 UTC
NUMBER = "34600000009"


def truths() -> dict[str, dict]:
    """What the phones of each real stream measured, in seconds."""
    lines = (STREAMS / "truth.jsonl").read_text().splitlines()
    return {row["scenario"]: row for row in map(json.loads, lines)}


def stream(scenario: str) -> bytes:
    return (STREAMS / f"{scenario}.txt").read_bytes()


def switch(**options) -> Switch:
    return Switch(start=T, **options)


def messages(raw: bytes) -> list[Message]:
    return Reader().feed(raw)


def told(follower: Tracker, heard: list[Message], received: int = T * 1000) -> list[ProviderEvent]:
    events = [event for one in heard for event in follower.read(one, received)]
    for event in events:
        check_words(event)
    return events


def events_of(raw: bytes, follower: Tracker | None = None) -> list[ProviderEvent]:
    """All that a tracker tells of a stream."""
    return told(follower or Tracker(), messages(raw))


# --- Calls of every kind --------------------------------------------------------------------------


def answered(s: Switch) -> None:
    a = s.call("1001", "1002")
    b = s.dial(a, "1002")
    s.wait(2)
    s.answer(a, b)
    s.wait(3)
    s.hold(b)
    s.wait(2.5)
    s.unhold(b)
    s.wait(2)
    s.hang_up(b, a)


def failed(cause: str, own: str = "") -> Callable[[Switch], None]:
    def play(s: Switch) -> None:
        a = s.call("1001", "1002")
        b = s.dial(a, "1002")
        s.wait(2)
        s.fail(a, b, cause, own)

    return play


def cancelled(s: Switch) -> None:
    a = s.call("1001", "1002")
    b = s.dial(a, "1002")
    s.wait(3)
    for leg in (a, b):
        s.leave(leg, "ORIGINATOR_CANCEL")


def two_at_once(s: Switch) -> None:
    a, c = s.call("1001", "1002"), s.call("1003", NUMBER)
    b, d = s.dial(a, "1002"), s.dial(c, NUMBER, way="out")
    s.wait(2)
    s.answer(a, b)
    s.wait(1)
    s.answer(c, d)
    s.wait(4)
    s.hang_up(a, b)
    s.wait(1)
    s.hang_up(d, c)


def transferred_by_callee(s: Switch) -> None:
    a = s.call("1001", "1002")
    b = s.dial(a, "1002")
    s.wait(2)
    s.answer(a, b)
    s.wait(3)
    s.transfer(b, a, "1003")
    c = s.dial(a, "1003")
    s.wait(2)
    s.answer(a, c)
    s.wait(4)
    s.hang_up(c, a)


def transferred_by_caller(s: Switch) -> None:
    a = s.call("1001", "1002")
    b = s.dial(a, "1002")
    s.wait(2)
    s.answer(a, b)
    s.wait(3)
    s.transfer(a, b, "1003")
    c = s.dial(b, "1003")
    s.wait(2)
    s.answer(b, c)
    s.wait(4)
    s.hang_up(c, b)


def transferred_attended(s: Switch) -> None:
    t = s.call(NUMBER, "1001", profile="external")
    b = s.dial(t, "1001")
    s.wait(2)
    s.answer(t, b)
    s.wait(3)
    s.hold(b)
    k = s.call("1001", "1002")
    c = s.dial(k, "1002")
    s.wait(2)
    s.answer(k, c)
    s.wait(2)
    s.transfer_attended(b, k, t, c)
    s.wait(5)
    s.hang_up(t, c)


def clicked(s: Switch) -> None:
    a = s.originate("1001")
    s.wait(2)
    s.pick_up(a, NUMBER)
    b = s.dial(a, NUMBER, way="out")
    s.wait(3)
    s.answer(a, b)
    s.wait(5)
    s.hang_up(b, a)


def looped(s: Switch) -> None:
    a = s.call("1001", "1002")
    one, two = s.loop(a, "1002")
    b = s.dial(two, "1002")
    s.wait(2)
    for leg in (b, two, one, a):
        s.go_up(leg)
    s.bridge(two, b)
    s.bridge(a, one)
    s.wait(1)
    s.hold(a)
    s.wait(1)
    s.unhold(a)
    s.wait(1)
    s.bridge(a, b)  # the loopback bows out
    for leg in (one, two):
        s.leave(leg, "NORMAL_UNSPECIFIED")
    s.wait(3)
    s.hang_up(a, b)


def looped_to_the_end(s: Switch) -> None:
    a = s.call("1001", "1002")
    one, two = s.loop(a, "1002")
    b = s.dial(two, "1002")
    s.wait(2)
    for leg in (b, two, one, a):
        s.go_up(leg)
    s.bridge(two, b)
    s.bridge(a, one)
    s.wait(1)
    s.hold(a)
    s.wait(1)
    s.unhold(a)
    s.wait(4)
    s.hang_up(a, one, two, b)


def group_answered(s: Switch) -> None:
    t = s.call(NUMBER, "5000", profile="external")
    b, c = s.dial(t, "1001"), s.dial(t, "1002")
    s.wait(2)
    s.leave(b, "LOSE_RACE")
    s.answer(t, c)
    s.wait(3)
    s.hang_up(c, t)


def group_unanswered(s: Switch) -> None:
    t = s.call(NUMBER, "5000", profile="external")
    b, c = s.dial(t, "1001"), s.dial(t, "1002")
    s.wait(2)
    for leg in (b, c, t):
        s.leave(leg, "ORIGINATOR_CANCEL")


def missed(s: Switch) -> None:
    t = s.call(NUMBER, "1002", profile="external")
    b = s.dial(t, "1002")
    s.wait(20)
    s.fail(t, b, "NO_ANSWER", "NORMAL_CLEARING")


def queued(s: Switch) -> None:
    t = s.call(NUMBER, "5000", profile="external")
    s.go_up(t)
    s.wait(4)
    in_vain = _member(s, t.uuid, "1001")
    b = _member(s, t.uuid, "1002")
    s.wait(3)
    s.go_up(b)
    s.leave(in_vain, "LOSE_RACE")
    s.bridge(b, t)
    s.wait(9)
    s.hang_up(t, b)


def abandoned(s: Switch) -> None:
    t = s.call(NUMBER, "5000", profile="external")
    s.go_up(t)
    b = _member(s, t.uuid, "1001")
    s.wait(3)
    s.leave(t, "ORIGINATOR_CANCEL")
    s.leave(b, "ORIGINATOR_CANCEL")


def _member(s: Switch, caller: str, user: str):
    more = {"cc_member_session_uuid": caller, "cc_side": "agent", "dialed_user": user}
    return s.originate(user, caller=NUMBER, **more)


def voicemail(s: Switch) -> None:
    a = s.call("1001", "*97")
    s.go_up(a)
    s.wait(13)
    s.hang_up(a)
