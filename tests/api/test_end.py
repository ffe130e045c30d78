"""POST /api/calls/end."""

import datetime as dt
import uuid

import pytest

from calls.models import CallEvent, CallLog
from common.instants import isoformat, now
from metrics.models import UserMetrics
from tests.support.api import Api, error_of
from tests.support.people import make_call

pytestmark = pytest.mark.engines


@pytest.fixture
def api(people) -> Api:
    return Api(people.alice)


def started(api: Api, ago: float = 0) -> str:
    body = {"started_at": isoformat(now() - dt.timedelta(seconds=ago))}
    return api.post("calls/start", body).json()["call_id"]


def test_an_end_answers_with_the_figures(api, people):
    make_call(people.alice, 100)
    make_call(people.alice, 21, status="NO_ANSWER")
    make_call(people.bob, 5000)
    begun = now() - dt.timedelta(minutes=10)
    call_id = api.post("calls/start", {"started_at": isoformat(begun)}).json()["call_id"]
    ended = isoformat(begun + dt.timedelta(seconds=62, milliseconds=999))
    response = api.post("calls/end", {"call_id": call_id, "notes": "Hi", "ended_at": ended})
    assert response.status_code == 200
    assert response.json() == {
        "message": "Call ended",
        "call_id": call_id,
        "duration_seconds": 62,
        "new_average": 54,
        "calls_made": 3,
        "calls_success": 2,
        "total_talk_time": 162,
    }
    call = CallLog.objects.get(call_id=call_id)
    assert (call.status, call.notes) == ("COMPLETED", "Hi")


@pytest.mark.parametrize("status", ["COMPLETED", "DROPPED", "FAILED", "NO_ANSWER"])
def test_every_status_ends_a_call(api, status):
    call_id = started(api)
    assert api.post("calls/end", {"call_id": call_id, "status": status}).status_code == 200
    assert CallLog.objects.get().status == status


def test_the_same_end_again_counts_once(api):
    body = {"call_id": started(api, ago=30), "status": "DROPPED", "notes": None}
    first, again = api.post("calls/end", body), api.post("calls/end", body)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert UserMetrics.objects.get().calls_made == 1
    assert CallEvent.objects.filter(kind="ended").count() == 1


def test_another_end_contradicts(api):
    call_id = started(api)
    api.post("calls/end", {"call_id": call_id})
    error_of(api.post("calls/end", {"call_id": call_id, "status": "FAILED"}), 409)
    assert CallLog.objects.get().status == "COMPLETED"


@pytest.mark.parametrize("call_id", ["nonsense", str(uuid.UUID(int=7)), "1" * 5000])
def test_an_unknown_call_is_not_found(api, call_id):
    error_of(api.post("calls/end", {"call_id": call_id}), 404)


@pytest.mark.parametrize("who", ["bob", "sue", "ada"])
def test_only_ones_own_call_can_be_ended(api, people, who):
    call_id = started(api)
    error_of(Api(getattr(people, who)).post("calls/end", {"call_id": call_id}), 404)
    assert CallLog.objects.get().end_time is None


@pytest.mark.parametrize("body", [{}, {"call_id": None}, {"call_id": ""}, {"call_id": 7}])
def test_a_missing_call_id_is_bad(api, body):
    error_of(api.post("calls/end", body), 400, "call_id")


WORDS = {
    "completed": ("COMPLETED", ""),
    "hangup": ("COMPLETED", ""),
    "Finalizada": ("COMPLETED", ""),
    "no-answer": ("NO_ANSWER", ""),
    "No contestó": ("NO_ANSWER", ""),
    "BUSY": ("NO_ANSWER", "busy"),
    "ocupado": ("NO_ANSWER", "busy"),
    "canceled": ("NO_ANSWER", "cancelled"),
    "rechazada": ("NO_ANSWER", "rejected"),
    "Número inválido": ("FAILED", "invalid_number"),
    "error": ("FAILED", ""),
    "caída": ("DROPPED", ""),
}


@pytest.mark.parametrize("word", WORDS)
def test_a_plain_word_for_the_end_is_understood(api, word):
    body = {"call_id": started(api), "status": word}
    assert api.post("calls/end", body).status_code == 200
    assert api.post("calls/end", body).status_code == 200
    (row,) = api.get("calls/log").json()
    assert (row["status"], row["end_reason"]) == WORDS[word]
    assert CallEvent.objects.filter(kind="ended").count() == 1


@pytest.mark.parametrize(
    ("first", "same", "others"),
    [
        ("busy", ("BUSY", "ocupado", "NO_ANSWER"), ("canceled", "COMPLETED", "hangup")),
        ("NO_ANSWER", ("missed", "no answer"), ("busy", "failed")),
        ("completed", ("COMPLETED", "hangup"), ("busy", "DROPPED")),
    ],
)
def test_a_repeated_end_may_use_another_word_but_not_another_meaning(api, first, same, others):
    call_id = started(api)
    assert api.post("calls/end", {"call_id": call_id, "status": first}).status_code == 200
    before = CallLog.objects.values().get()
    for word in same:
        assert api.post("calls/end", {"call_id": call_id, "status": word}).status_code == 200
    for word in others:
        sentence = error_of(api.post("calls/end", {"call_id": call_id, "status": word}), 409)
        assert before["status"] in sentence and before["end_reason"] in sentence
    assert CallLog.objects.values().get() == before


@pytest.mark.parametrize("status", ["IN_PROGRESS", "", None, 1, True, ["COMPLETED"], "x" * 61])
def test_an_unknown_status_is_bad(api, status):
    call_id = started(api)
    error_of(api.post("calls/end", {"call_id": call_id, "status": status}), 400, "status")
    assert CallLog.objects.get().end_time is None


def test_a_word_that_says_nothing_plain_is_told_which_do(api):
    body = {"call_id": started(api), "status": "voicemail"}
    sentence = error_of(api.post("calls/end", body), 400, "status")
    for word in ("COMPLETED", "DROPPED", "NO_ANSWER", "FAILED", "busy", "rejected"):
        assert word in sentence


def test_an_end_before_the_start_is_bad(api):
    call_id = started(api, ago=60)
    before = CallLog.objects.get().start_time - dt.timedelta(milliseconds=1)
    body = {"call_id": call_id, "ended_at": isoformat(before)}
    error_of(api.post("calls/end", body), 400, "ended_at")
    assert CallLog.objects.get().end_time is None


def test_an_end_told_late_is_corrected_for_the_clock_that_told_it(api):
    call_id = started(api, ago=300)
    ahead, before = dt.timedelta(days=2), now()
    end = before - dt.timedelta(seconds=100)
    body = {
        "call_id": call_id,
        "ended_at": isoformat(end + ahead),
        "sent_at": isoformat(before + ahead),
    }
    assert api.post("calls/end", body).status_code == 200
    under_way = now() - before
    assert end <= CallLog.objects.get().end_time <= end + under_way


def test_figures_forget_nothing_after_the_answer(api):
    end = now()
    for seconds in (10, 21):
        begun = {"started_at": isoformat(end - dt.timedelta(seconds=seconds))}
        call_id = api.post("calls/start", begun).json()["call_id"]
        body = api.post("calls/end", {"call_id": call_id, "ended_at": isoformat(end)}).json()
    assert (body["calls_made"], body["total_talk_time"], body["new_average"]) == (2, 31, 15)
    sums = UserMetrics.objects.get().sums
    assert (sums.calls_made, sums.total_talk_time, sums.avg_call_duration) == (2, 31, 15)
