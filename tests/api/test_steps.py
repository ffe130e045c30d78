"""POST /api/calls/{call_id}/answer|hold|resume|pause|unpause|heartbeat."""

import datetime as dt

import pytest

from calls import services
from calls.models import CallLog
from common.instants import isoformat, now
from tests.support.api import Api, error_of

pytestmark = pytest.mark.engines


@pytest.fixture
def api(people) -> Api:
    return Api(people.alice)


@pytest.fixture
def call(people) -> CallLog:
    begun = now() - dt.timedelta(seconds=100)
    reported = services.ReportedTime(begun, explicit=True)
    return services.start_call(people.alice, reported=reported)[0]


@pytest.mark.parametrize(
    ("steps", "activity"),
    [
        (["answer"], "talking"),
        (["answer", "hold"], "held"),
        (["answer", "hold", "resume"], "talking"),
        (["pause"], "paused"),
        (["pause", "unpause"], "calling"),
        (["heartbeat"], "calling"),
    ],
)
def test_a_step_changes_what_goes_on_and_twice_is_once(api, call, steps, activity):
    for step in steps:
        first = api.post(f"calls/{call.call_id}/{step}")
        again = api.post(f"calls/{call.call_id}/{step}")
        assert (first.status_code, again.status_code) == (200, 200)
        assert first.json() == again.json()
    body = again.json()
    assert (body["activity"], body["status"]) == (activity, "IN_PROGRESS")
    assert call.events.count() == 1 + len([step for step in steps if step != "heartbeat"])


def test_steps_told_late_make_the_parts(api, call):
    for step, second in [("answer", 10), ("hold", 20), ("resume", 35), ("pause", 50)]:
        at = isoformat(call.start_time + dt.timedelta(seconds=second))
        assert api.post(f"calls/{call.call_id}/{step}", {"occurred_at": at}).status_code == 200
    end = {"occurred_at": isoformat(call.start_time + dt.timedelta(seconds=54))}
    body = api.post(f"calls/{call.call_id}/unpause", end).json()
    assert (body["hold_seconds"], body["paused_seconds"]) == (15, 4)
    assert body["answered_time"] == isoformat(call.start_time + dt.timedelta(seconds=10))


def test_a_heartbeat_is_a_sign_of_life(api, call):
    before = now()
    api.post(f"calls/{call.call_id}/heartbeat")
    call.refresh_from_db()
    assert before <= call.last_seen_at <= now()


STEPS = ["answer", "hold", "resume", "pause", "unpause", "heartbeat"]


def test_an_ended_call_takes_no_steps(api, people, call):
    services.end_call(call.call_id, people.alice)
    for step in STEPS:
        error_of(api.post(f"calls/{call.call_id}/{step}"), 409)


@pytest.mark.parametrize("who", ["bob", "sue", "ada"])
def test_another_persons_call_is_not_found(people, call, who):
    api = Api(getattr(people, who))
    for step in STEPS:
        error_of(api.post(f"calls/{call.call_id}/{step}"), 404)
    assert call.events.count() == 1


def test_a_step_before_the_start_is_bad(api, call):
    at = isoformat(call.start_time - dt.timedelta(seconds=1))
    error_of(api.post(f"calls/{call.call_id}/hold", {"occurred_at": at}), 400, "occurred_at")


def test_no_such_call(api):
    for step in STEPS:
        error_of(api.post(f"calls/nonsense/{step}"), 404)
        error_of(api.post(f"calls/018f0000-0000-7000-8000-000000000000/{step}"), 404)


def test_what_is_told_late_of_a_call_that_the_watch_closed_counts(api, call, settings):
    """The program was without a network, paused meanwhile, is back before it reports the end."""
    settings.STALE_CALL_SECONDS = 0
    type(call).objects.filter(pk=call.pk).update(last_seen_at=call.start_time)
    assert services.close_stale_calls() == 1

    def at(second: int) -> str:
        return isoformat(call.start_time + dt.timedelta(seconds=second))

    error_of(api.post(f"calls/{call.call_id}/pause"), 409)  # now is after its end
    for step, second in [("pause", 10), ("unpause", 30)]:
        body = {"occurred_at": at(second)}
        assert api.post(f"calls/{call.call_id}/{step}", body).status_code == 200
        assert api.post(f"calls/{call.call_id}/{step}", body).status_code == 200
    call.refresh_from_db()
    assert (call.status, call.evidence, call.duration_seconds) == ("DROPPED", "E", 0)
    body = {"call_id": str(call.call_id), "ended_at": at(90)}
    ended = api.post("calls/end", body).json()
    assert (ended["duration_seconds"], ended["calls_made"]) == (70, 1)
    error_of(api.post(f"calls/{call.call_id}/pause", {"occurred_at": at(80)}), 409)
