"""After the call: its outcome, and the work until the agent is ready."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import translation

from calls import services
from calls.errors import BadCallData, CallConflict
from calls.models import CallLog, Disposition, ProviderAccount, ProviderIdentity
from calls.providers.base import ProviderEvent
from calls.services import ReportedTime, wrap_up
from calls.telephony import intake
from common.instants import day_start, isoformat, now, to_ms, today
from metrics.models import DailyMetrics, UserMetrics
from tests.support.api import Api, error_of
from tests.support.people import make_call

pytestmark = pytest.mark.engines

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def hours_to_wrap_up(settings):
    """However slow the machine, nothing of these tests is over by itself."""
    settings.WRAP_UP_CAP_SECONDS = 3600


@pytest.fixture
def outcomes(people):
    return [
        Disposition.objects.create(code="sale", label_es="Venta", label_en="Sale", order=1),
        Disposition.objects.create(code="later", label_es="Luego", label_en="Later", order=2),
        Disposition.objects.create(
            code="blue", label_es="Azul", label_en="Blue", order=3, team=people.blue
        ),
        Disposition.objects.create(
            code="old", label_es="Vieja", label_en="Old", order=4, active=False
        ),
    ]


@pytest.fixture
def begun():
    return now() - dt.timedelta(seconds=60)


def at(base, seconds):
    return ReportedTime(base + dt.timedelta(seconds=seconds), explicit=True)


def ended(user, begun, **more) -> CallLog:
    """A call of 20 s by the desk, begun a minute ago."""
    call, _ = services.start_call(user, reported=at(begun, 0))
    return services.end_call(call.call_id, user, reported=at(begun, 20), wrap_up=True, **more)


def test_wrap_up_runs_from_the_end_until_ready_and_twice_is_once(people, begun):
    call = ended(people.alice, begun)
    assert call.wrap_up_since == call.end_time
    for seconds in (45.9, 50):
        call = wrap_up.ready(call.call_id, people.alice, reported=at(begun, seconds))
    assert (call.wrap_up_seconds, call.wrap_up_since) == (25, None)
    assert (call.duration_seconds, call.talk_seconds) == (20, 20)
    assert call.events.filter(kind="noted").count() == 2


def test_the_next_call_ends_it(people, begun):
    call = ended(people.alice, begun)
    services.start_call(people.alice, reported=at(begun, 50))
    call.refresh_from_db()
    assert (call.wrap_up_seconds, call.wrap_up_since) == (30, None)


def test_the_worker_ends_it_at_the_cap_and_a_late_ready_still_counts(people, begun, settings):
    call = ended(people.alice, begun)
    assert wrap_up.close_wrap_ups() == 0
    settings.WRAP_UP_CAP_SECONDS = 10
    assert (wrap_up.close_wrap_ups(), wrap_up.close_wrap_ups()) == (1, 0)
    call.refresh_from_db()
    assert (call.wrap_up_seconds, call.wrap_up_since) == (10, None)
    offline = ReportedTime(call.end_time + dt.timedelta(seconds=4), offline=True, explicit=True)
    assert wrap_up.ready(call.call_id, people.alice, reported=offline).wrap_up_seconds == 4


def test_a_ready_after_the_cap_counts_the_cap(people, begun, settings):
    call = ended(people.alice, begun)
    settings.WRAP_UP_CAP_SECONDS = 15
    assert wrap_up.ready(call.call_id, people.alice).wrap_up_seconds == 15


def test_a_call_that_was_begun_offline_ends_it_by_what_was_told_offline(people, begun):
    before = ended(people.alice, begun)
    offline = ReportedTime(begun + dt.timedelta(seconds=25), offline=True, explicit=True)
    services.start_call(people.alice, reported=offline)
    said = before.events.get(data__wrap_up="ended")
    assert (said.occurred_at, said.data["offline"]) == (offline.at, True)


@pytest.mark.parametrize("why", ["off", "long ago", "another call"])
def test_there_is_none_where_nobody_could_be_busy_with_it(people, begun, settings, why):
    if why == "off":
        settings.WRAP_UP_CAP_SECONDS = 0
    if why == "long ago":
        begun -= dt.timedelta(hours=1)
    if why == "another call":
        services.start_call(people.alice)
    call = ended(people.alice, begun)
    assert call.wrap_up_since is None
    assert wrap_up.ready(call.call_id, people.alice).wrap_up_seconds == 0


def test_nobody_is_ready_during_the_call(people):
    call, _ = services.start_call(people.alice)
    with pytest.raises(CallConflict):
        wrap_up.ready(call.call_id, people.alice)


@pytest.mark.usefixtures("noon")
def test_who_supervises_sees_who_is_not_ready_yet(client, people, begun):
    make_call(people.bob, ago=600)
    call, _ = services.start_call(people.alice, reported=at(begun, 0))
    services.end_call(call.call_id, people.alice, wrap_up=True, reported=at(begun, 20))
    client.force_login(people.sue)
    wall = client.get("/team/").context["wall"]
    assert [(one.user.pk, one.since) for one in wall.wrapping_up] == [
        (people.alice.pk, begun + dt.timedelta(seconds=20))
    ]
    assert [one.user.pk for one in wall.free] == [people.bob.pk]
    tiles = client.get("/wall/", headers={"Accept-Language": "en"}).content.decode()
    assert (tiles.count("Wrap-up"), tiles.count(">Free<")) == (2, 2)  # counted, and on the tile
    wrap_up.ready(call.call_id, people.alice)
    wall = client.get("/team/").context["wall"]
    assert (wall.wrapping_up, len(wall.free)) == ([], 2)


def test_the_figures_follow_wrap_up(people, begun):
    call = ended(people.alice, begun)
    wrap_up.ready(call.call_id, people.alice, reported=at(begun, 50))
    day = DailyMetrics.objects.get(user=people.alice).sums
    total = UserMetrics.objects.get(user=people.alice).sums
    assert day == total
    assert (day.total_talk_time, day.wrap_up_time, day.answered_time) == (20, 30, 50)
    assert (day.avg_call_duration, day.answered_average) == (20, 50)


def test_an_outcome_is_chosen_changed_and_taken_back(people, outcomes):
    call = make_call(people.alice)
    for code in ("sale", "sale", "later", ""):
        call = wrap_up.set_disposition(call, people.alice, code)
        assert call.disposition == code
    said = [event.data for event in call.events.filter(data__has_key="disposition")]
    assert [data["disposition"] for data in said] == ["sale", "later", ""]


@pytest.mark.parametrize(("code", "known"), [("nonsense", False), ("blue", False), ("old", True)])
def test_an_outcome_must_be_ones_own_yet_may_be_retired(people, outcomes, code, known):
    call = make_call(people.alice)
    if known:
        assert wrap_up.set_disposition(call, people.alice, code).disposition == code
        return
    with pytest.raises(BadCallData, match="sale, later"):
        wrap_up.set_disposition(call, people.alice, code)
    assert call.events.filter(kind="noted").count() == 0


def test_an_end_may_bring_the_outcome_even_the_second_time(people, outcomes, begun):
    call = ended(people.alice, begun)
    assert services.end_call(call.call_id, people.alice, disposition="sale").disposition == "sale"
    assert services.end_call(call.call_id, people.alice, disposition="later").disposition == "sale"


def test_programs_end_with_an_outcome_and_say_when_they_are_ready(people, outcomes):
    api, begun = Api(people.alice), now() - dt.timedelta(seconds=60)
    call_id = api.post("calls/start", {"started_at": isoformat(begun)}).json()["call_id"]
    ended, done = (isoformat(begun + dt.timedelta(seconds=second)) for second in (20, 45))
    body = {"call_id": call_id, "disposition": "sale", "wrap_up": True, "ended_at": ended}
    assert api.post("calls/end", body).status_code == 200
    assert api.get(f"calls/{call_id}").json()["disposition"] == "sale"
    for _ in range(2):
        answer = api.post(f"calls/{call_id}/ready", {"occurred_at": done})
        assert (answer.status_code, answer.json()["wrap_up_seconds"]) == (200, 25)
        answer = api.post(f"calls/{call_id}/disposition", {"disposition": "later"})
        assert answer.json()["disposition"] == "later"
    words = [
        event["data"].get("wrap_up", event["data"].get("disposition"))
        for event in api.get(f"calls/{call_id}").json()["events"]
    ]
    assert sorted(filter(None, words)) == ["ended", "later", "sale", "started"]
    assert api.get("calls/log").json()[0]["disposition"] == "later"


def test_a_program_that_knows_nothing_of_it_is_not_counted_as_busy(people):
    api = Api(people.alice)
    call_id = api.post("calls/start").json()["call_id"]
    api.post("calls/end", {"call_id": call_id})
    assert not CallLog.objects.wrapping_up().exists()


def test_programs_are_told_which_outcomes_there_are(people, outcomes):
    api = Api(people.alice)
    call_id = api.post("calls/start").json()["call_id"]
    answer = api.post("calls/end", {"call_id": call_id, "disposition": "blue"})
    assert "sale, later" in error_of(answer, 400, "disposition")
    assert CallLog.objects.active().count() == 1
    error_of(api.post(f"calls/{call_id}/disposition", {"disposition": "x"}), 400, "disposition")
    error_of(api.post(f"calls/{call_id}/disposition", {}), 400, "disposition")
    error_of(api.post(f"calls/{call_id}/ready"), 409)


@pytest.fixture
def alice(client, people):
    client.force_login(people.alice)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return people.alice


def test_the_desk_asks_for_the_outcome_in_order_and_counts(client, alice, outcomes, begun):
    call = ended(alice, begun)
    before = now()
    page = client.get(reverse("current_calls"), **HTMX)
    shown = call.end_time + dt.timedelta(milliseconds=page.context["wrap_up"].elapsed_ms)
    assert before <= shown <= now()
    assert [outcome.code for outcome in page.context["outcomes"]] == ["sale", "later"]
    answer = client.post(
        reverse("call_disposition", args=[call.call_id]), {"disposition": "later"}, **HTMX
    )
    assert "Outcome: Later." in answer.content.decode()
    before = now()
    answer = client.post(reverse("call_ready", args=[call.call_id]), **HTMX)
    after = now()
    assert answer.context["wrap_up"] is None
    assert "No call is running." in answer.content.decode()
    call.refresh_from_db()
    assert (call.disposition, call.wrap_up_since) == ("later", None)
    least, most = ((at - call.end_time).total_seconds() for at in (before, after))
    assert int(least) <= call.wrap_up_seconds <= most


def test_without_wrap_up_the_outcome_is_asked_with_the_end(client, alice, outcomes, settings):
    settings.WRAP_UP_CAP_SECONDS = 0
    call, _ = services.start_call(alice)
    assert 'name="disposition"' in client.get("/").content.decode()
    body = {"status": "COMPLETED", "disposition": "sale"}
    client.post(reverse("call_end", args=[call.call_id]), body, **HTMX)
    call.refresh_from_db()
    assert (call.disposition, call.wrap_up_since) == ("sale", None)


def test_without_outcomes_the_desk_asks_nothing(client, alice, begun):
    ended(alice, begun)
    page = client.get("/").content.decode()
    assert 'id="ready"' in page
    assert "What came of it?" not in page


def test_the_call_s_page_shows_outcome_and_wrap_up_in_the_reader_s_words(
    client, alice, people, outcomes, begun
):
    call = ended(alice, begun, disposition="sale")
    wrap_up.ready(call.call_id, alice, reported=at(begun, 50))
    page = client.get(reverse("call", args=[call.call_id])).content.decode()
    assert "<dd>Sale</dd>" in page and "<dd>00:30</dd>" in page
    assert "part-wrap-up" in page
    client.post(reverse("call_outcome", args=[call.call_id]), {"disposition": "later"})
    client.force_login(people.sue)
    client.post(reverse("call_outcome", args=[call.call_id]), {"disposition": "nonsense"})
    page = client.get(reverse("call", args=[call.call_id]), HTTP_ACCEPT_LANGUAGE="es")
    assert "<dd>Luego</dd>" in page.content.decode()


def test_a_code_stays_as_it_is(client, people, outcomes):
    client.force_login(people.ada)
    url = reverse("admin:calls_disposition_change", args=[outcomes[0].pk])
    body = {"code": "changed", "label_es": "Vendida", "label_en": "Sold", "order": 5}
    assert client.post(url, body).status_code == 302
    kept = Disposition.objects.get(pk=outcomes[0].pk)
    assert (kept.code, kept.label_en, kept.active) == ("sale", "Sold", False)
    add = reverse("admin:calls_disposition_add")
    answer = client.post(add, body | {"code": "Venta nueva"}, HTTP_ACCEPT_LANGUAGE="en")
    assert "small letters" in answer.content.decode()


def test_an_end_by_the_phone_system_begins_it_where_the_desk_is_used(people):
    pbx = ProviderAccount.objects.create(kind="webhook", name="pbx")
    ProviderIdentity.objects.create(account=pbx, identity="1001", user=people.alice)
    begun = now() - dt.timedelta(seconds=40)
    common = {"agents": ("1001",), "number": "+50651234567", "direction": "outbound"}

    def tell(call, *kinds):
        events = [
            ProviderEvent(kind, call=call, at=to_ms(begun) + seconds * 1000, **common)
            for kind, seconds in kinds
        ]
        return intake.record(pbx, events, received=now())[0]

    services.start_call(people.alice, contact_phone="51234567", reported=at(begun, -1))
    tell("clicked", ("started", 0), ("answered", 5))
    clicked = tell("clicked", ("ended", 20))
    assert clicked.wrap_up_since == clicked.end_time
    wrap_up.ready(clicked.call_id, people.alice)
    unseen = tell("unseen", ("started", 22), ("answered", 23), ("ended", 35))
    assert (unseen.user, unseen.wrap_up_since) == (people.alice, None)


def test_it_counts_on_the_day_of_the_call(people, settings):
    """The call ends before midnight, the work after it."""
    settings.WRAP_UP_CAP_SECONDS = 3 * 86_400
    yesterday = today() - dt.timedelta(days=1)
    midnight = day_start(yesterday)
    call = ended(people.alice, midnight - dt.timedelta(seconds=50))
    wrap_up.ready(call.call_id, people.alice, reported=at(midnight, 10))
    rows = DailyMetrics.objects.values_list("day", "wrap_up_time")
    assert list(rows) == [(yesterday - dt.timedelta(days=1), 40)]
