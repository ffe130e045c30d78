"""Searching the history: words, lengths, what few calls have; columns; what it all adds up to."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client

from accounts import roles
from accounts.models import User
from calls import services, timeline
from calls.models import CallLog, CallText, Contact, Disposition
from common.databases.query_timeout import TookTooLong, patience
from common.instants import day_range, today
from metrics.demo import Options, seed
from metrics.rollups import filtered
from tests.support.api import Api, error_of
from tests.support.people import make_call, make_user

pytestmark = pytest.mark.engines

PRESENT = dt.datetime(2026, 3, 18, 22, 10, tzinfo=dt.UTC)
PART = {"HX-Request": "true"}


def signed_in(user: User) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client


def found(user: User, query: str) -> list[CallLog]:
    response = signed_in(user).get(f"/calls/?{query}")
    assert response.status_code == 200
    return response.context["calls"]


@pytest.fixture
def garcia(people) -> CallLog:
    contact = Contact.objects.create(
        name="Adrián Ñúñez", phone="+50688887777", company="Café Tarrazú", external_id="crm-77"
    )
    call = make_call(people.alice, 300, contact=contact, ago=900)
    return services.add_note(call, people.alice, "Reclamó dos facturas; ¿devolución? (urgente)")


# --- Words ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "typed",
    [
        *("adrian", "ADRIÁN", "nunez", "Adria\u0301n ñu", "tarrazu cafe", "crm-77", "crm 77"),
        *("8888-77", "+506 8888 7777", "50688", "7777", "reclamo", "factur devolucion", "urgente)"),
        *("adrian facturas",),
    ],
)
def test_a_call_is_found_as_people_type(people, garcia, typed):
    make_call(people.alice, contact_phone="2222-3333")
    assert found(people.alice, f"search={typed.replace('+', '%2B')}") == [garcia]
    (row,) = Api(people.alice).get("calls/log", search=typed).json()
    assert row["call_id"] == str(garcia.call_id)


@pytest.mark.parametrize(
    "typed", ["adrian perez", "drian", "8887777", "?!", '"', "' OR 1=1 --", "*"]
)
def test_what_no_call_says_finds_none(people, garcia, typed):
    assert found(people.alice, f"search={typed}") == []


def test_blank_is_no_search(people, garcia):
    assert found(people.alice, "search=%20&min_duration=&provider=") == [garcia]


def test_words_find_only_what_one_may_see(people, garcia):
    make_call(people.carol, contact_ref="adrian-carol")
    assert found(people.bob, "search=adrian") == []
    assert found(people.sue, "search=adrian") == [garcia]
    assert found(people.sue, "search=adrian&agent=alice") == [garcia]
    assert found(people.sue, "search=adrian&agent=bob") == []
    assert {call.user for call in found(people.ada, "search=adrian")} == {
        people.alice,
        people.carol,
    }


def test_the_index_follows_every_change(people, garcia):
    garcia.contact.name = "José Peña"
    garcia.contact.save()
    assert found(people.alice, "search=adrian") == []
    assert found(people.alice, "search=pena") == [garcia]
    services.add_note(garcia, people.alice, "Otra cosa")
    assert found(people.alice, "search=reclamo") == []
    garcia.contact.delete()
    assert found(people.alice, "search=pena") == []
    assert found(people.alice, "search=cosa") == [garcia]
    services.correct_call(garcia, people.sue, reason="x", start=garcia.start_time - dt.timedelta(1))
    assert found(people.alice, "search=cosa") == [garcia]
    CallLog.objects.filter(pk=garcia.pk).delete()
    assert CallText.objects.count() == 0


def test_a_seeded_organisation_can_be_searched(people, settings):
    settings.DEMO = True
    seed(Options(seed=5, days=3, calls=120), PRESENT)
    assert CallText.objects.count() == CallLog.objects.count() == 120
    someone = CallLog.objects.exclude(contact=None).first()
    # The whole name: a first name alone may be a part of a company's, such as San José.
    named = set(CallLog.objects.filter(contact__name=someone.contact.name))
    assert someone in named
    assert set(CallLog.objects.search(someone.contact.name)) == named


def test_matches_come_newest_first_in_pages_without_gaps(people, monkeypatch):
    monkeypatch.setattr("calls.views.history.CALLS_A_PAGE", 3)
    made = [
        make_call(people.alice, 5, ago=ago, contact_ref="acme") for ago in range(900, 100, -100)
    ]
    CallLog.objects.filter(pk__in=[call.pk for call in made[2:5]]).update(
        start_time=made[2].start_time
    )
    client, seen, cursor = signed_in(people.alice), [], ""
    for length in (3, 3, 2):
        response = client.get(f"/calls/?search=acme&cursor={cursor}")
        assert len(response.context["calls"]) == length
        seen += response.context["calls"]
        cursor = response.context["older"]
    assert cursor == ""
    assert seen == list(CallLog.objects.order_by("-start_time", "-pk"))


@pytest.mark.usefixtures("noon")
def test_words_and_days_together(people):
    day = today() - dt.timedelta(days=1)
    start, end = day_range(day, day)
    starts = [start - dt.timedelta(seconds=1), start, end - dt.timedelta(milliseconds=1), end]
    calls = [
        services.start_call(
            people.alice, contact_ref="acme", reported=services.ReportedTime(at, explicit=True)
        )[0]
        for at in starts
    ]
    assert found(people.alice, f"search=acme&period=range&from={day}&to={day}") == calls[2:0:-1]
    assert found(people.alice, "search=acme&period=yesterday") == calls[2:0:-1]
    assert found(people.alice, f"period=yesterday&end_date={day - dt.timedelta(days=1)}") == []


# --- Other filters --------------------------------------------------------------------------------
def test_lengths_are_written_as_people_do(people):
    calls = [make_call(people.alice, seconds, ago=7000) for seconds in (59, 60, 90, 3700)]
    services.start_call(people.alice)
    assert found(people.alice, "min_duration=60&max_duration=1:30") == [calls[2], calls[1]]
    assert found(people.alice, "min_duration=1:01:40") == [calls[3]]


def test_by_provider_outcome_direction_and_evidence(people):
    make_call(people.alice)
    wanted = make_call(people.alice, provider="pbx", direction="inbound")
    CallLog.objects.filter(pk=wanted.pk).update(disposition="sold", evidence=timeline.OFFLINE)
    for query in ("provider=pbx", "disposition=sold", "direction=inbound", "evidence=D"):
        assert found(people.alice, query) == [wanted]
        assert len(Api(people.alice).get(f"calls/log?{query}").json()) == 1
    assert len(found(people.alice, "evidence=C")) == 1
    page = signed_in(people.alice).get("/calls/?provider=other").content.decode()
    assert '<option value="pbx"' in page and '<option value="other" selected' in page


MALFORMED = [
    ("search=%00", "search"),
    ("search=" + "x" * 121, "search"),
    ("min_duration=1:75", "min_duration"),
    ("max_duration=-1", "max_duration"),
    ("min_duration=99999999", "min_duration"),
    ("min_duration=10&max_duration=9", "min_duration"),
    ("direction=up", "direction"),
    ("evidence=Z", "evidence"),
    ("provider=%00", "provider"),
    ("period=someday", "period"),
    ("period=week&from=2026-01-01", "period"),
    ("from=2026-01-01", "to"),
    ("from=2026-01-02&to=2026-01-01", "from"),
]


@pytest.mark.parametrize(("query", "field"), MALFORMED)
def test_a_filter_that_cannot_be_read_is_bad(people, query, field):
    error_of(Api(people.alice).get(f"calls/log?{query}"), 400, field)
    response = signed_in(people.alice).get(f"/calls/?{query}")
    assert response.status_code == 400
    assert list(response.context["filter"].errors) == [field]


def test_what_few_calls_have_is_found_by_an_index(people):
    """Both engines would otherwise read every call to find the rare ones."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by what the table holds, and here it holds nothing")
    from calls.history.filters import CallFilter

    for query, index in (
        ({"provider": "pbx"}, "call_provider_start"),
        ({"disposition": "sold"}, "call_disposition_start"),
        ({"evidence": "A"}, "call_evidence_start"),
        ({"status": "IN_PROGRESS"}, "call_active_user"),
        ({"search": "x"}, "calls_calltext VIRTUAL TABLE"),
    ):
        plan = CallFilter(query, viewer=people.ada).qs.newest_first()[:50].explain()
        assert index in plan


def test_a_question_that_takes_too_long_is_stopped_and_said(people, monkeypatch):
    make_call(people.alice)
    numbers = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) "
        "SELECT count(*) FROM n"
    )
    with pytest.raises(TookTooLong), patience(0.2), connection.cursor() as cursor:
        cursor.execute(numbers)
    assert CallLog.objects.count() == 1


# --- Columns --------------------------------------------------------------------------------------
def heads(user: User, query: str) -> list[str]:
    response = signed_in(user).get(f"/calls/?{query}")
    assert response.status_code == 200
    return [column.name for column in response.context["columns"]]


def test_columns_are_chosen_and_ordered_by_the_address(people, garcia):
    everything = "start,agent,contact,status,duration_seconds,talk_seconds,evidence"
    assert ",".join(heads(people.sue, "")) == everything
    assert "agent" not in heads(people.alice, "")
    assert heads(people.alice, "columns=notes,start&columns=phone&columns=start") == [
        *("notes", "start", "phone")
    ]
    text = signed_in(people.alice).get("/calls/?columns=notes,phone,ring_seconds").content.decode()
    assert "Reclamó dos facturas" in text and "8888 7777" in text
    assert "Evidence</th>" not in text


def test_every_column_can_be_shown(people, garcia):
    from calls.history.columns import COLUMNS

    response = signed_in(people.sue).get(f"/calls/?columns={','.join(COLUMNS)}")
    row = response.content.decode().split("<tbody>")[1].split("</tbody>")[0]
    assert row.count("<td") + row.count("<th") == len(COLUMNS)


def test_an_unknown_column_is_refused_in_words(people, garcia):
    response = signed_in(people.alice).get("/calls/?columns=salary")
    assert response.status_code == 400
    assert "There is no such column" in response.content.decode()


# --- Totals ---------------------------------------------------------------------------------------
def sums(user: User, query: str) -> dict[str, int]:
    response = signed_in(user).get(f"/calls/totals/?{query}", headers=PART)
    assert response.status_code == 200
    assert not response.context["totals"].too_slow
    return response.context["sums"].as_json()


@pytest.fixture
def some_calls(people):
    for person, seconds in ((people.alice, 100), (people.bob, 50), (people.carol, 25)):
        make_call(person, seconds, contact_ref="acme")
        make_call(person, 10, status=timeline.NO_ANSWER, ago=1800)
    services.start_call(people.alice)


@pytest.mark.parametrize(
    ("who", "query", "made", "talk"),
    [
        ("alice", "", 2, 100),
        ("sue", "", 4, 150),
        ("ada", "", 6, 175),
        ("ada", "agent=bob", 2, 50),
        ("ada", "agent=nobody", 0, 0),
        ("sue", "agent=carol", 0, 0),
        ("ada", "status=COMPLETED", 3, 175),
        ("ada", "search=acme&agent=bob", 1, 50),
        ("sue", "min_duration=60", 1, 100),
        ("ada", "start_date=2001-01-01&end_date=2001-01-02", 0, 0),
    ],
)
def test_totals_are_those_of_the_filter(people, some_calls, who, query, made, talk):
    found = sums(getattr(people, who), query)
    assert (found["calls_made"], found["total_talk_time"]) == (made, talk)


def test_those_without_a_team_can_be_asked_for(people):
    alone = make_user("zoe", roles.AGENT)
    call = make_call(alone, 30)
    make_call(people.alice)
    assert found(people.ada, "team=none") == [call]
    assert sums(people.ada, "team=none")["total_talk_time"] == 30
    assert sums(people.ada, "team=none&direction=outbound")["total_talk_time"] == 30
    assert found(people.sue, "team=none") == []


def test_the_period_bar_keeps_the_filters_and_the_filters_the_period(people):
    response = signed_in(people.alice).get("/calls/?period=week&status=FAILED&cursor=")
    text = response.content.decode()
    assert 'href="/calls/?status=FAILED&amp;period=month"' in text
    assert '<input type="hidden" name="period" value="week">' in text
    part = signed_in(people.alice).get("/calls/?period=week&status=DROPPED", headers=PART)
    assert 'id="history_period" hx-swap-oob="true"' in part.content.decode()


def test_an_outcome_is_shown_in_the_organisations_words(people):
    Disposition.objects.create(code="sale", label_es="Venta", label_en="Sold it")
    call = make_call(people.alice)
    CallLog.objects.filter(pk=call.pk).update(disposition="sale")
    text = signed_in(people.alice).get("/calls/?columns=start,disposition").content.decode()
    assert '<td data-label="Outcome">Sold it</td>' in text
    assert '<option value="sale" >Sold it</option>' in text


def test_daily_rows_and_calls_say_the_same(people, some_calls):
    by_rows = sums(people.ada, f"team={people.red.pk}")
    by_calls = sums(people.ada, f"team={people.red.pk}&direction=outbound")
    assert by_rows == by_calls


def test_more_calls_than_are_added_up_is_said(people, some_calls, monkeypatch):
    monkeypatch.setattr(filtered, "MOST_CALLS", 3)
    response = signed_in(people.ada).get("/calls/totals/?direction=outbound", headers=PART)
    assert response.context["totals"].more
    assert response.context["sums"].calls_made == 3
    assert "more than" in response.content.decode()
    response = signed_in(people.ada).get("/calls/totals/?status=COMPLETED", headers=PART)
    assert not response.context["totals"].more


def test_without_htmx_the_totals_are_the_page_itself(people):
    response = signed_in(people.alice).get("/calls/totals/?status=FAILED")
    assert (response.status_code, response["Location"]) == (302, "/calls/?status=FAILED")


@pytest.mark.usefixtures("noon")
def test_totals_ask_few_queries(people, some_calls, django_assert_max_num_queries):
    client = signed_in(people.sue)
    for query in ("period=month", "search=acme"):
        with django_assert_max_num_queries(12):
            assert client.get(f"/calls/totals/?{query}", headers=PART).context["sums"].calls_made
