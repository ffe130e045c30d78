"""Corrections where clocks change: what a form shows comes back as what it was."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from accounts.models import User
from calls import services, timeline
from calls.forms.correction import CorrectionForm
from calls.models import CallLog
from common.instants import local_instants

pytestmark = pytest.mark.engines

# Clocks in Madrid went back from 03:00 to 02:00 at 01:00 UTC, and forward on 30 March.
FIRST = "2025-10-26T00:05:00.250Z"  # 02:05, for the first time
SECOND = "2025-10-26T01:05:00.250Z"  # 02:05 once more


@pytest.fixture(autouse=True)
def in_madrid(settings):
    settings.TIME_ZONE = "Europe/Madrid"


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def call_at(user: User, start: str, seconds: float = 60) -> CallLog:
    begun = at(start)
    call, _ = services.start_call(user, reported=services.ReportedTime(begun))
    ended = services.ReportedTime(begun + dt.timedelta(seconds=seconds))
    return services.end_call(call.call_id, user, reported=ended)


def sent_by(form: Any) -> dict[str, str]:
    """What a browser sends for `form` as it is shown."""
    return {name: form[name].value() or "" for name in form.fields} | {
        name: f"{value:%Y-%m-%dT%H:%M:%S}"
        for name in form.own
        if isinstance(value := form[name].value(), dt.datetime)
    }


def corrected(user: User, call: CallLog, **changes: str) -> Any:
    """Opens the call's page, changes some of the form and sends it all."""
    client = Client()
    client.force_login(user)
    url = f"/calls/{call.call_id}/"
    form = client.get(url).context["correction"]
    sent = sent_by(form) | {"reason": "Colgó más tarde"} | changes
    response = client.post(f"{url}correct/", sent)
    call.refresh_from_db()
    return response


@pytest.mark.parametrize(
    ("start", "end", "right_end"),
    [
        (FIRST, "2025-10-26T06:00:00", "2025-10-26T05:00:00Z"),
        (SECOND, "2025-10-26T05:30:00", "2025-10-26T04:30:00Z"),
    ],
)
def test_a_start_that_comes_twice_stays_where_it_was(people, start, end, right_end):
    call = call_at(people.alice, start)
    assert corrected(people.sue, call, end=end).status_code == 302
    assert (call.start_time, call.end_time) == (at(start), at(right_end))
    assert set(call.events.get(kind=timeline.CORRECTED).data) == {"end", "reason"}


@pytest.mark.parametrize("start", [FIRST, SECOND])
def test_a_form_that_says_nothing_of_which_means_its_own_value(people, start):
    """As programs send it, and browsers that leave seconds of zero away."""
    call = call_at(people.alice, start)
    sent = {"start_which": "", "start": "2025-10-26T02:05", "status": "DROPPED"}
    assert corrected(people.sue, call, **sent).status_code == 302
    assert (call.start_time, call.status) == (at(start), "DROPPED")


def test_a_changed_time_that_comes_twice_offers_both(people):
    call = call_at(people.alice, "2025-10-25T23:00:00Z", 4 * 3600)
    response = corrected(people.sue, call, start="2025-10-26T02:30:00")
    assert response.status_code == 400
    form = response.context["correction"]
    assert list(form.errors) == ["start"]
    assert [label for _value, label in form.fields["start_which"].choices[1:]] == [
        "antes de que se atrasaran los relojes (UTC+02:00)",
        "después de que se atrasaran los relojes (UTC+01:00)",
    ]
    page = response.content.decode()
    assert 'name="start_which"' in page and "se repitió ese día" in page
    chosen = {"start": "2025-10-26T02:30:00", "start_which": "1"}
    assert corrected(people.sue, call, **chosen).status_code == 302
    assert call.start_time == at("2025-10-26T01:30:00Z")


def test_the_other_of_the_two_can_be_chosen(people):
    call = call_at(people.alice, FIRST, 4 * 3600)
    assert corrected(people.sue, call, start_which="1").status_code == 302
    assert call.start_time == at("2025-10-26T01:05:00Z")


def test_an_end_and_an_answer_may_come_twice_too(people):
    call = call_at(people.alice, "2025-10-26T00:50:00.125Z", 600.5)
    assert (call.end_time, call.answered_time) == (at("2025-10-26T01:00:00.625Z"), None)
    answered = {"answered": "2025-10-26T02:55:00"}
    assert list(corrected(people.sue, call, **answered).context["correction"].errors) == [
        "answered"
    ]
    assert corrected(people.sue, call, **answered, answered_which="0").status_code == 302
    assert call.answered_time == at("2025-10-26T00:55:00Z")
    assert corrected(people.sue, call, status="DROPPED").status_code == 302
    assert call.answered_time == at("2025-10-26T00:55:00Z")
    assert call.end_time == at("2025-10-26T01:00:00.625Z")


def test_a_time_that_was_skipped_is_refused_in_words(people):
    call = call_at(people.alice, "2025-03-30T00:30:00Z", 3600)
    response = corrected(people.sue, call, start="2025-03-30T02:30:00")
    assert response.status_code == 400
    assert "No hubo tal hora" in response.content.decode()


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00", "9999-12-31T23:59:59", "2025-10-26"])
def test_the_ends_of_the_calendar_are_no_error_of_ours(people, start, settings):
    for settings.TIME_ZONE in ("Asia/Tokyo", "America/Costa_Rica", "Europe/Madrid"):
        call = call_at(people.alice, FIRST)
        response = corrected(people.sue, call, start=start)
        assert response.status_code in (302, 400)


def test_the_administration_has_the_same_form(people):
    call = call_at(people.alice, SECOND)
    client = Client()
    client.force_login(people.ada)
    url = f"/admin/calls/calllog/{call.pk}/correct/"
    sent = sent_by(client.get(url).context["form"]) | {"reason": "x", "end": "2025-10-26T05:30:00"}
    assert client.post(url, sent).status_code == 302
    call.refresh_from_db()
    assert (call.start_time, call.end_time) == (at(SECOND), at("2025-10-26T04:30:00Z"))


@pytest.mark.parametrize(
    ("zone", "local", "expected"),
    [
        ("Europe/Madrid", "2025-10-26T02:05:00", ["2025-10-26T00:05Z", "2025-10-26T01:05Z"]),
        ("Europe/Madrid", "2025-10-26T03:00:00", ["2025-10-26T02:00Z"]),
        ("Europe/Madrid", "2025-03-30T02:00:00", []),
        ("America/Santiago", "2025-04-05T23:30:00", ["2025-04-06T02:30Z", "2025-04-06T03:30Z"]),
        ("Australia/Lord_Howe", "2025-04-06T01:45:00", ["2025-04-05T14:45Z", "2025-04-05T15:15Z"]),
        ("America/Costa_Rica", "2025-10-26T02:05:00", ["2025-10-26T08:05Z"]),
    ],
)
def test_the_instants_of_a_local_time(settings, zone, local, expected):
    settings.TIME_ZONE = zone
    assert local_instants(at(local)) == [at(text) for text in expected]


def test_notes_that_come_back_as_they_were_shown_are_no_change(people):
    call = call_at(people.alice, FIRST)
    services.add_note(call, people.alice, "Una línea\notra\n")
    client = Client()
    client.force_login(people.alice)
    url = f"/calls/{call.call_id}/note/"
    assert client.post(url, {"notes": "Una línea\r\notra\r\n"}).status_code == 302
    call.refresh_from_db()
    assert call.notes == "Una línea\notra\n"
    assert call.events.filter(kind=timeline.NOTED).count() == 1


def test_the_words_follow_the_reader(people):
    call = call_at(people.alice, FIRST)
    with translation.override("en"):
        form = CorrectionForm(call=call)
        assert str(form["start_which"].label) == "Start: which of the two?"
