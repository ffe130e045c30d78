"""The desk's doors: who may, what each part shows, what each button does and refuses."""

import datetime as dt
import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from calls import services, timeline
from calls.models import CallLog, Contact
from calls.templatetags.calls_format import clock
from common.instants import now, to_ms
from metrics.definitions import ON_CARDS
from metrics.entries import CALLS
from tests.support.people import make_call

pytestmark = pytest.mark.engines

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def alice(client, people) -> User:
    client.force_login(people.alice)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return people.alice


def running(user: User, ago: float = 0, **about) -> CallLog:
    reported = services.ReportedTime(now() - dt.timedelta(seconds=ago), explicit=True)
    return services.start_call(user, reported=reported, **about)[0]


def end_url(call: CallLog) -> str:
    return reverse("call_end", args=[call.call_id])


def step_url(call: CallLog, action: str) -> str:
    return reverse("call_step", args=[call.call_id, action])


# --- Who may, and how much -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["desk", "cards", "recent", "contacts", "current_calls", "timer"])
def test_signed_out_people_are_sent_to_sign_in(client, db, name):
    response = client.get(reverse(name))
    assert response.status_code == 302
    assert response.url.startswith("/login/")


@pytest.mark.parametrize("name", ["desk", "cards", "recent", "contacts", "current_calls"])
def test_whoever_may_not_track_calls_has_no_desk(client, people, name):
    client.force_login(User.objects.create_user("guest"))
    assert client.get(reverse(name)).status_code == 403


@pytest.mark.parametrize("who", ["alice", "sue", "ada"])
def test_every_role_has_a_desk(client, people, who):
    client.force_login(getattr(people, who))
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("cards", "cards"),
        ("recent", "recent_calls"),
        ("contacts", "contacts"),
        ("current_calls", "current_calls"),
        ("unconfirmed", "unconfirmed"),
    ],
)
def test_htmx_gets_the_part_alone_and_a_browser_the_page(client, alice, name, root):
    part = client.get(reverse(name), **HTMX).content.decode()
    page = client.get(reverse(name))
    assert "<html" not in part
    assert f'id="{root}"' in part
    assert "<html" in page.content.decode()
    assert f'id="{root}"' in page.content.decode()
    assert "HX-Request" in page["Vary"]


def test_the_desk_costs_the_same_few_queries_however_much_there_is(
    client, alice, django_assert_max_num_queries
):
    for number in range(12):
        contact = Contact.objects.create(
            name=f"Contact {number}", phone=f"+5062222100{number % 10}"
        )
        make_call(alice, 60, ago=3600 + number * 90, contact=contact)
    for _ in range(3):
        running(alice)
    with django_assert_max_num_queries(12):
        assert len(client.get("/").context["running"]) == 3


def test_a_page_asks_for_the_running_calls_once(client, alice, django_assert_num_queries):
    running(alice)
    client.get(reverse("timer"))
    with django_assert_num_queries(3):  # session, person, running calls
        assert "Calling" in client.get(reverse("timer")).content.decode()


# --- Whom to call --------------------------------------------------------------------------------


def test_the_search_finds_by_name_company_and_number(client, alice):
    Contact.objects.create(name="María Solano", phone="+50622221001", company="Acme")
    Contact.objects.create(name="Pedro Mora", phone="+50687654321", company="Beta")

    def found(query: str) -> list[str]:
        response = client.get(reverse("contacts"), {"q": query}, **HTMX)
        return [contact.name for contact in response.context["search"]["contacts"]]

    assert found("maría") == ["María Solano"]
    assert found("beta") == ["Pedro Mora"]
    assert found("8765") == ["Pedro Mora"]
    assert found("nobody") == []
    assert len(found("")) == 2


def test_the_search_shows_twenty_and_says_that_there_are_more(client, alice):
    Contact.objects.bulk_create(
        Contact(name=f"Contact {n:02}", phone=f"+506222210{n:02}") for n in range(21)
    )
    search = client.get(reverse("contacts"), **HTMX).context["search"]
    assert len(search["contacts"]) == 20
    assert search["more_contacts"]


def test_other_people_s_contacts_are_not_found(client, alice, people):
    Contact.objects.create(name="Secret", phone="+50622221001", owner=people.carol)
    Contact.objects.create(name="Also secret", phone="+50622221002", team=people.blue)
    response = client.get(reverse("contacts"), {"q": "secret"}, **HTMX)
    assert response.context["search"]["contacts"] == []


def test_a_typed_number_that_no_contact_has_can_be_called(client, alice):
    Contact.objects.create(name="Known", phone="+50622221001")
    known = client.get(reverse("contacts"), {"q": "2222 1001"}, **HTMX).context["search"]
    unknown = client.get(reverse("contacts"), {"q": "8888-1234"}, **HTMX).context["search"]
    assert known["number"] == ""
    assert unknown["number"] == "+50688881234"


def test_a_typed_number_that_a_contact_has_in_another_spelling_is_that_contact_s(client, alice):
    luz = Contact(name="Luz")
    luz.set_numbers([("+50622221001", "work"), ("+5491123456789", "mobile")])
    search = client.get(reverse("contacts"), {"q": "+54 11 2345-6789"}, **HTMX).context["search"]
    assert (search["contacts"], search["number"]) == ([luz], "")


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", "+50622221001"),
        ("sala 101", "+50622221001"),
        ("101", "+50622221001"),  # as it is called, too
        ("9101", "+50622229101"),
        ("8888-77", "+50688887777"),
        ("+506 2222 1001", "+50622221001"),
    ],
)
def test_a_click_calls_the_preferred_number_or_the_one_searched_for(client, alice, query, number):
    sala = Contact(name="Sala 101")
    sala.set_numbers([("+50622221001", "work"), ("+50688887777", "mobile"), ("22229101", "fax")])
    response = client.get(reverse("contacts"), {"q": query}, **HTMX)
    buttons = re.findall(r'name="phone" value="([^"]*)"', response.content.decode())
    assert buttons[0] == number
    assert sorted(buttons) == ["+50622221001", "+50622229101", "+50688887777"]


def test_many_numbers_cost_one_more_statement(client, alice):
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("contacts"), **HTMX)
        return len(asked)

    Contact.objects.create(name="Ana", phone="+50622221001")
    cost()
    few = cost()
    for n in range(5):
        Contact(name=f"P{n}").set_numbers([(f"+5068888000{n}", "mobile"), ("22221002", "work")])
    assert cost() == few


# --- Starting ------------------------------------------------------------------------------------


def test_one_click_starts_the_call_and_shows_the_phone_link(client, alice):
    contact = Contact.objects.create(name="María Solano", phone="+50622221001")
    response = client.post(reverse("call_start"), {"contact": contact.pk}, **HTMX)
    call = CallLog.objects.get()
    assert response.status_code == 200
    assert (call.user, call.contact, call.status) == (alice, contact, timeline.IN_PROGRESS)
    assert f"call_{call.call_id}" in response.content.decode()
    assert 'id="timer"' in response.content.decode()
    assert 'href="tel:+50622221001"' in response.content.decode()


def test_without_script_a_start_leads_back_to_the_desk(client, alice):
    response = client.post(reverse("call_start"), {"phone": "8888 1234"}, follow=True)
    assert response.redirect_chain == [("/", 302)]
    assert CallLog.objects.get().phone_e164 == "+50688881234"
    assert "+506 8888 1234" in response.content.decode()


@pytest.mark.parametrize("headers", [HTMX, {}])
def test_a_contact_that_is_gone_or_not_yours_starts_nothing(client, alice, people, headers):
    foreign = Contact.objects.create(name="Secret", phone="+50622221001", owner=people.carol)
    for pk in (foreign.pk, 10**9):
        response = client.post(reverse("call_start"), {"contact": pk}, **headers)
        assert response.status_code == 404
        assert "No call was started." in response.content.decode()
        assert "Secret" not in response.content.decode()
    assert CallLog.objects.count() == 0


@pytest.mark.parametrize(
    "data",
    [
        {"contact": "x"},
        {"contact": "9" * 40},
        {"contact": "-1"},
        {"phone": "8" * 65},
        {"phone": "8888\x001234"},
        {"call_id": "no uuid"},
        {"clicked_at": "soon"},
        {"clicked_at": "9" * 30, "sent_at": "0"},
    ],
)
def test_a_start_that_makes_no_sense_is_refused(client, alice, data):
    response = client.post(reverse("call_start"), data, **HTMX)
    assert response.status_code == 400
    assert "cannot be understood" in response.content.decode()
    assert CallLog.objects.count() == 0


def test_a_start_sent_twice_is_one_call(client, alice):
    call_id = str(uuid.uuid4())
    for _ in range(2):
        assert client.post(reverse("call_start"), {"call_id": call_id}, **HTMX).status_code == 200
    assert CallLog.objects.count() == 1


def test_a_start_under_another_person_s_call_id_is_refused(client, alice, people):
    theirs = running(people.bob)
    response = client.post(reverse("call_start"), {"call_id": str(theirs.call_id)}, **HTMX)
    assert response.status_code == 404
    assert CallLog.objects.count() == 1


def test_a_second_call_is_accepted_and_the_page_asks_about_the_first(client, alice):
    first, second = running(alice, ago=60), running(alice)
    page = client.get(reverse("current_calls"), **HTMX)
    asks = {shown.call.call_id: shown.asks for shown in page.context["running"]}
    assert asks == {second.call_id: False, first.call_id: True}
    assert page.content.decode().count("What about this one?") == 1


def test_kept_or_held_calls_are_not_asked_about_again(client, alice):
    kept, held, _newest = running(alice, ago=90), running(alice, ago=60), running(alice)
    client.post(step_url(held, "hold"), **HTMX)
    assert client.post(reverse("call_keep", args=[kept.call_id]), **HTMX).status_code == 200
    page = client.get(reverse("current_calls"), **HTMX)
    assert [shown.asks for shown in page.context["running"]] == [False, False, False]


def test_only_own_running_calls_can_be_kept(client, alice, people):
    theirs = running(people.bob)
    assert client.post(reverse("call_keep", args=[theirs.call_id]), **HTMX).status_code == 404


# --- During a call -------------------------------------------------------------------------------


def test_every_step_says_what_it_did_and_lands_in_the_ledger(client, alice):
    call = running(alice, ago=10)
    for action in services.STEPS:
        assert client.post(step_url(call, action), **HTMX).status_code == 200
    kinds = list(call.events.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["started", "answered", "held", "resumed", "paused", "unpaused"]


@pytest.mark.parametrize("action", ["end", "hold", "confirm"])
def test_another_person_s_call_is_not_there(client, alice, people, action):
    theirs = running(people.bob)
    response = client.post(f"/calls/{theirs.call_id}/{action}/", {"status": "COMPLETED"}, **HTMX)
    assert response.status_code == 404
    theirs.refresh_from_db()
    assert theirs.is_active
    assert theirs.events.count() == 1


def test_an_unknown_step_and_a_get_are_refused(client, alice):
    call = running(alice)
    assert client.post(step_url(call, "juggle"), **HTMX).status_code == 404
    assert client.get(step_url(call, "hold")).status_code == 405


# --- The end -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", timeline.TERMINAL)
def test_a_call_ends_with_its_status_and_note(client, alice, status):
    call = running(alice, ago=133)
    response = client.post(end_url(call), {"status": status, "notes": "Call back"}, **HTMX)
    call.refresh_from_db()
    assert response.status_code == 200
    seconds = call.duration_seconds
    assert 133 <= seconds <= (now() - call.start_time).total_seconds()
    assert f"{seconds // 60:02}:{seconds % 60:02}" in response.content.decode()
    assert (call.status, call.notes) == (status, "Call back")
    assert "own-calls" in response.headers["HX-Trigger"]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Call ended: {} · Average {} · {} today"),
        ("es", "Llamada terminada: {} · Promedio {} · {} hoy"),
    ],
)
def test_the_end_says_the_length_and_what_today_adds_up_to(client, alice, noon, language, sentence):
    """Also to a page that did not end it, and whatever there was before today."""
    make_call(alice, 1000, ago=30 * 3600)
    calls = {"en": ["1 call", "2 calls"], "es": ["1 llamada", "2 llamadas"]}[language]
    about = HTMX | {"HTTP_ACCEPT_LANGUAGE": language}
    seconds = []
    for count in calls:
        call = running(alice, ago=133)
        said = client.post(end_url(call), {"status": "COMPLETED"}, **about).content.decode()
        call.refresh_from_db()
        seconds.append(call.duration_seconds)
        wanted = sentence.format(clock(seconds[-1]), clock(sum(seconds) // len(seconds)), count)
        elsewhere = client.get(reverse("call_ended", args=[call.call_id]), **about)
        for answer in (said, elsewhere.content.decode()):
            assert wanted in re.sub("<[^>]*>", "", answer)


def test_the_end_of_a_call_from_before_today_says_its_length_alone(client, alice, noon):
    call = running(alice, ago=30 * 3600)
    said = client.post(end_url(call), {"status": "COMPLETED"}, **HTMX).content.decode()
    call.refresh_from_db()
    assert f">Call ended: {clock(call.duration_seconds)}</span><" in said.replace("\n", "")


def test_an_unknown_or_missing_status_ends_nothing(client, alice):
    call = running(alice)
    for data in ({}, {"status": "IN_PROGRESS"}, {"status": "nonsense"}):
        assert client.post(end_url(call), data, **HTMX).status_code == 400
    call.refresh_from_db()
    assert call.is_active


def test_a_call_that_ended_elsewhere_says_so_and_the_panel_is_fresh(client, alice):
    call = running(alice)
    services.end_call(call.call_id, alice, status=timeline.NO_ANSWER)
    for url, data in ((end_url(call), {"status": "COMPLETED"}), (step_url(call, "hold"), {})):
        response = client.post(url, data, **HTMX)
        body = response.content.decode()
        assert response.status_code == 409
        assert "had already ended elsewhere as “No answer”" in body
        assert f"call_{call.call_id}" not in body
        assert response.headers["X-Part"] == "current_calls"


def test_the_same_end_twice_is_one_end(client, alice):
    call = running(alice)
    for _ in range(2):
        assert client.post(end_url(call), {"status": "COMPLETED"}, **HTMX).status_code == 200
    assert call.events.filter(kind=timeline.ENDED).count() == 1


# --- Clicks that had to wait ---------------------------------------------------------------------


def test_a_click_that_waited_counts_from_the_click_whatever_the_local_clock_says(client, alice):
    call = running(alice, ago=300)
    wrong = to_ms(timezone.now()) + 7 * 3600 * 1000  # a clock seven hours ahead
    data = {"status": "COMPLETED", "clicked_at": wrong - 120_000, "sent_at": wrong}
    assert client.post(end_url(call), data, **HTMX).status_code == 200
    call.refresh_from_db()
    assert 180 <= call.duration_seconds <= (now() - call.start_time).total_seconds() - 120
    assert call.evidence == timeline.OFFLINE


def test_a_click_sent_at_once_is_an_ordinary_click(client, alice):
    call = running(alice, ago=60)
    local = to_ms(timezone.now()) - 3600 * 1000
    data = {"status": "COMPLETED", "clicked_at": local, "sent_at": local + 15}
    client.post(end_url(call), data, **HTMX)
    call.refresh_from_db()
    assert 60 <= call.duration_seconds <= (now() - call.start_time).total_seconds()
    assert call.evidence == timeline.CLICK


def test_a_click_from_before_the_call_or_from_long_ago_is_refused(client, alice):
    call = running(alice, ago=5)
    present = to_ms(timezone.now())
    for waited in (60_000, 100 * 3600 * 1000):
        data = {"status": "COMPLETED", "clicked_at": present - waited, "sent_at": present}
        assert client.post(end_url(call), data, **HTMX).status_code == 400
    call.refresh_from_db()
    assert call.is_active


# --- What the watchdog closed --------------------------------------------------------------------


@pytest.fixture
def estimated(alice) -> CallLog:
    call = running(alice, ago=3600)
    assert services.close_stale_calls() == 1
    call.refresh_from_db()
    assert call.evidence == timeline.ESTIMATE
    return call


def test_unconfirmed_calls_are_shown_with_both_ways_out(client, estimated):
    page = client.get("/").content.decode()
    assert "1 unconfirmed call" in page
    assert reverse("call_confirm", args=[estimated.call_id]) in page
    assert end_url(estimated) in page


def test_a_call_of_yesterday_can_only_be_confirmed(client, alice):
    call = running(alice, ago=24 * 3600)
    services.close_stale_calls()
    page = client.get(reverse("unconfirmed"), **HTMX).content.decode()
    assert reverse("call_confirm", args=[call.call_id]) in page
    assert end_url(call) not in page


def test_confirming_counts_the_call_as_it_stands(client, estimated):
    response = client.post(reverse("call_confirm", args=[estimated.call_id]), **HTMX)
    end_time = estimated.end_time
    estimated.refresh_from_db()
    assert response.status_code == 200
    assert (estimated.end_time, estimated.is_counted) == (end_time, True)


def test_ending_it_now_replaces_the_estimate(client, estimated):
    client.post(end_url(estimated), {"status": "COMPLETED"}, **HTMX)
    estimated.refresh_from_db()
    longest = (now() - estimated.start_time).total_seconds()
    assert 3600 <= estimated.duration_seconds <= longest
    assert (estimated.status, estimated.is_counted) == (timeline.COMPLETED, True)


# --- The cards -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("noon")
def test_the_cards_show_today_and_a_dash_for_what_no_call_can_tell(client, alice):
    empty = client.get(reverse("cards"), **HTMX).content.decode()
    figures = [figure for figure in ON_CARDS if figure.unit != CALLS]
    assert empty.count('<dd class="card-value">—</dd>') == len(figures)
    make_call(alice, 120, ago=200)
    make_call(alice, 60, ago=120, status=timeline.NO_ANSWER)
    cards = client.get(reverse("cards"), **HTMX).content.decode()
    for value in ("2", "1", "01:00", "2\xa0min\xa000\xa0s", "50.0%"):
        assert f'<dd class="card-value">{value}</dd>' in cards
    assert "0 dropped, 0 failed, 1 no answer" in cards
    assert "answered, with hold and wrap-up: 02:00" in cards
