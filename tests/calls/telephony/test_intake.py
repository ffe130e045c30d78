"""From a phone system's events to calls: whose call, which call, and the same in any order."""

import datetime as dt
import itertools
import random

import pytest
from django.db import IntegrityError, connection
from django.utils import translation

from accounts.models import User
from calls import services
from calls.errors import CallConflict
from calls.models import CallLog, Contact, ProviderAccount, ProviderIdentity
from calls.providers.base import ProviderEvent
from calls.services import ReportedTime
from calls.telephony import assignment, intake
from common.instants import cut, from_ms, local_day, now, to_ms
from metrics.models import UserMetrics
from metrics.rollups.daily import sums_by, sums_of
from metrics.rollups.rebuild import differences
from tests.support.announcements import listening
from tests.support.people import make_pbx, yesterday_noon

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

NUMBER = "+50651234567"
NOBODY = {"status": "NO_ANSWER"}


@pytest.fixture
def pbx(people):
    return make_pbx(people, "generic")


@pytest.fixture
def begun():
    return yesterday_noon()


def events_of(begun, call="c1", agent="1001", **changes):
    """An outbound call: rings 9 s, talks 101.4 s of which 12.5 s on hold."""
    common = {"call": call, "agents": (agent,), "number": NUMBER, "direction": "outbound"}
    common |= changes
    return [
        ProviderEvent("started", at=begun, **common),
        ProviderEvent("ringing", at=begun + 2_000, **common),
        ProviderEvent("answered", at=begun + 9_000, **common),
        ProviderEvent("held", at=begun + 40_000, **common),
        ProviderEvent("resumed", at=begun + 52_500, **common),
        ProviderEvent("ended", at=begun + 110_400, data={"status": "COMPLETED"}, **common),
    ]


def record(account, *events):
    return intake.record(account, events, received=now())


def facts_of(call):
    call.refresh_from_db()
    return (
        *(call.user_id, call.contact_phone, call.phone_e164, call.direction, call.status),
        *(call.start_time, call.answered_time, call.end_time),
        *(call.ring_seconds, call.hold_seconds, call.duration_seconds, call.talk_seconds),
        *(call.evidence, call.missing, call.provider, call.contact_id),
    )


def test_a_phone_systems_events_make_the_call_and_the_figures(people, pbx, begun):
    record(pbx, *events_of(begun))
    call = CallLog.objects.get()
    assert (call.user, call.status, call.evidence) == (people.alice, "COMPLETED", "B")
    assert (call.ring_seconds, call.duration_seconds) == (9, 110)
    assert (call.hold_seconds, call.talk_seconds) == (12, 88)
    assert (call.provider, call.direction, call.phone_e164) == ("pbx", "outbound", NUMBER)
    assert call.events.values_list("source", flat=True).distinct().get() == "provider:pbx"
    assert UserMetrics.objects.get(user=people.alice).total_talk_time == 88


def test_any_order_and_repetition_gives_the_same_call(people, pbx, begun):
    record(pbx, *events_of(begun))
    wanted = facts_of(CallLog.objects.get())
    dice = random.Random(7)
    for number in range(12):
        events = [*events_of(begun, call="x"), *dice.sample(events_of(begun, call="x"), 3)]
        dice.shuffle(events)
        CallLog.objects.all().delete()
        for event in events:
            record(pbx, event)
        assert facts_of(CallLog.objects.get()) == wanted, number
    assert differences() == []


def test_events_that_do_not_name_the_agent_wait_for_one_that_does(people, pbx, begun):
    nameless = events_of(begun, agents=(), number="")
    named = events_of(begun)
    for events in itertools.permutations([nameless[0], named[2], nameless[5]]):
        CallLog.objects.all().delete()
        for event in events:
            record(pbx, event)
        call = CallLog.objects.get()
        assert (call.user, call.phone_e164, call.talk_seconds) == (people.alice, NUMBER, 101)
    assert UserMetrics.objects.get(user=people.alice).calls_made == 1
    assert differences() == []


def click(user, begun, seconds, number=NUMBER, **more):
    reported_at = ReportedTime(from_ms(begun) + dt.timedelta(seconds=seconds), explicit=True)
    return services.start_call(user, contact_phone=number, reported=reported_at, **more)[0]


def test_a_click_and_its_events_are_one_call_whichever_comes_first(people, pbx, begun):
    clicked = click(people.alice, begun, -4)
    record(pbx, *events_of(begun))
    first = CallLog.objects.get()
    assert first.call_id == clicked.call_id
    assert (first.start_time, first.talk_seconds) == (from_ms(begun), 88)
    click_first = facts_of(first)

    CallLog.objects.all().delete()
    record(pbx, *events_of(begun)[:2])
    assert click(people.alice, begun, -4).pk == CallLog.objects.get().pk
    record(pbx, *events_of(begun)[2:])
    assert facts_of(CallLog.objects.get()) == click_first


def test_a_programs_own_call_id_stays_the_calls_id(people, pbx, begun):
    record(pbx, *events_of(begun)[:3])
    heard = CallLog.objects.get().call_id
    own = "0192f0c1-2222-7000-8000-000000000001"
    call = click(people.alice, begun, 1, call_id=own)
    assert str(call.call_id) == own
    assert services.end_call(heard, people.alice).pk == call.pk  # the earlier id still leads there
    assert click(people.alice, begun, 1, call_id=own).pk == call.pk
    assert CallLog.objects.count() == 1


def test_two_calls_to_one_number_each_find_their_own_click(people, pbx, begun):
    one, two = click(people.alice, begun, 0), click(people.alice, begun, 60)
    record(pbx, *events_of(begun + 61_000, call="second"))
    record(pbx, *events_of(begun + 1_000, call="first"))
    assert CallLog.objects.get(provider_call_id="first").pk == one.pk
    assert CallLog.objects.get(provider_call_id="second").pk == two.pk


@pytest.mark.parametrize(
    "other",
    [
        {"number": "+50688888888"},  # another number
        {"agent": "1002"},  # another agent
        {"direction": "inbound"},
    ],
)
def test_what_does_not_match_stays_two_calls(people, pbx, begun, other):
    record(pbx, *events_of(begun, **other))
    click(people.alice, begun, -2)
    assert CallLog.objects.count() == 2


def test_a_click_long_before_the_phone_rang_was_another_call(people, pbx, begun):
    click(people.alice, begun, -400)
    record(pbx, *events_of(begun))
    assert CallLog.objects.count() == 2


def test_a_dialling_prefix_does_not_hide_the_number(people, pbx, begun):
    click(people.alice, begun, -2)
    record(pbx, *events_of(begun, number="950651234567"))
    call = CallLog.objects.get()
    assert (call.phone_e164, call.provider_call_id) == (NUMBER, "c1")


def test_the_agents_end_stands_until_the_phone_system_tells_it_better(people, pbx, begun):
    call = click(people.alice, begun, 0)
    record(pbx, *events_of(begun)[:3])
    ended = ReportedTime(from_ms(begun + 112_000), explicit=True)
    services.end_call(call.call_id, people.alice, reported=ended, notes="wants a quote")
    record(pbx, events_of(begun)[5])
    call = CallLog.objects.get()
    assert call.end_time == from_ms(begun + 110_400)
    assert (call.notes, call.ended_by) == ("wants a quote", "provider:pbx")
    assert UserMetrics.objects.get(user=people.alice).calls_made == 1


def test_a_note_typed_when_the_phone_had_hung_up_is_kept(people, pbx, begun):
    call = click(people.alice, begun, 0)
    record(pbx, *events_of(begun))
    services.end_call(call.call_id, people.alice, status="DROPPED", notes="call back on Monday")
    call.refresh_from_db()
    assert (call.status, call.notes) == ("COMPLETED", "call back on Monday")
    services.end_call(call.call_id, people.alice, status="DROPPED")
    with pytest.raises(CallConflict):
        services.end_call(call.call_id, people.alice, status="FAILED")


def test_calls_of_unknown_people_are_kept_and_assigned_later(people, pbx, begun):
    record(pbx, *events_of(begun, agent="1999"))
    call = CallLog.objects.unassigned().get()
    assert call.talk_seconds == 88
    assert not CallLog.objects.visible_to(people.sue).exists()
    assert CallLog.objects.visible_to(people.ada).get() == call
    assert differences() == []

    assignment.assign(call, people.carol, people.ada)
    call.refresh_from_db()
    assert call.user == people.carol
    assert UserMetrics.objects.get(user=people.carol).total_talk_time == 88
    assert call.events.filter(kind="noted", actor=people.ada).get().data == {"assigned": "carol"}
    with pytest.raises(CallConflict):
        assignment.assign(call, people.bob, people.ada)
    assert differences() == []


def test_an_assigned_call_becomes_one_with_its_click(people, pbx, begun):
    record(pbx, *events_of(begun, agent="1999"))
    heard = CallLog.objects.get()
    clicked = click(people.carol, begun, -3)
    assert CallLog.objects.count() == 2
    assignment.assign(heard, people.carol, people.ada)
    call = CallLog.objects.get()
    assert (call.call_id, call.talk_seconds) == (clicked.call_id, 88)
    assert CallLog.objects.all().known_as(heard.call_id) == call
    record(pbx, *events_of(begun, agent="1999"))  # again: nothing new
    assert CallLog.objects.count() == 1
    assert UserMetrics.objects.get(user=people.carol).calls_made == 1
    assert differences() == []


def test_a_person_is_known_by_identity_extension_or_email(people, pbx, begun):
    people.carol.extension, people.carol.email = "2003", "carol@example.test"
    people.carol.save()
    ProviderIdentity.objects.create(identity="+506 2222 3333", user=people.carol)
    for number, name in enumerate(["2003", "Carol@Example.test", "22223333"]):
        record(pbx, *events_of(begun, call=f"c{number}", agent=name))
    assert CallLog.objects.filter(user=people.carol).count() == 3


def test_a_contact_is_recognised_by_the_number_of_the_phone_system(people, pbx, begun):
    ana = Contact.objects.create(name="Ana", phone=NUMBER)
    record(pbx, *events_of(begun, number="5123-4567"))
    assert CallLog.objects.get().contact == ana


def test_the_two_sides_of_an_internal_call_are_marked_as_one_conversation(people, pbx, begun):
    caller = {"direction": "internal", "conversation": "talk", "number": "1002"}
    callee = {"direction": "internal", "conversation": "talk", "number": "1001"}
    record(
        pbx,
        *events_of(begun, call="a", **caller),
        *events_of(begun, call="b", agent="1002", **callee),
    )
    assert CallLog.objects.filter(is_shared=True).count() == 2
    record(pbx, *events_of(begun, call="c"))
    assert not CallLog.objects.get(provider_call_id="c").is_shared


def test_a_transferred_call_is_each_agents_own_part_and_the_teams_one_call(people, pbx, begun):
    ProviderIdentity.objects.create(account=pbx, identity="1003", user=people.carol)
    parts = {"conversation": "talk"}
    record(pbx, *events_of(begun, call="a", **parts))  # Alice of Red hands over to Bob of Red,
    record(pbx, *events_of(begun + 60_000, call="b", agent="1002", **parts))
    # who tries Carol of Blue
    unanswered = events_of(begun + 120_000, call="c", agent="1003", **parts)
    record(pbx, unanswered[0], ProviderEvent("ended", "c", begun + 130_000, data=NOBODY))
    record(pbx, *events_of(begun, call="other", agent="1002"))

    everyone, day = User.objects.all(), local_day(from_ms(begun))
    own = sums_by("user", everyone, day, day)
    made = [own[person.pk].calls_made for person in (people.alice, people.bob, people.carol)]
    assert made == [1, 2, 1]
    teams = sums_by("user__team", everyone, day, day)
    red, blue = teams[people.red.pk], teams[people.blue.pk]
    assert (red.calls_made, red.calls_success, red.total_talk_time) == (2, 2, 3 * 88)
    assert (blue.calls_made, blue.calls_no_answer) == (1, 1)
    whole = sums_of(everyone, day, day)
    assert whole == teams.total == own.total == sums_by("day", everyone, day, day)[day]
    assert (whole.calls_made, whole.calls_success, whole.calls_no_answer) == (2, 2, 0)
    assert whole.total_talk_time == 3 * 88
    assert own.total_of([people.bob.pk, people.carol.pk]).calls_made == 2


def test_what_is_missing_is_marked(people, pbx, begun):
    numbered = [
        ProviderEvent(e.kind, e.call, e.at, agents=e.agents, sequence=n, leg="l", data=e.data)
        for n, e in enumerate(events_of(begun))
    ]
    for lost, lacks in ((0, ["start", "events"]), (2, ["answer", "events"]), (3, ["events"])):
        CallLog.objects.all().delete()
        record(pbx, *(event for event in numbered if event.sequence != lost))
        assert CallLog.objects.get().lacks == lacks
    CallLog.objects.all().delete()
    record(pbx, *numbered)
    assert CallLog.objects.get().lacks == []
    gap = ProviderEvent("noted", "c1", begun + 60_000, data={"gap": [begun, begun + 60_000]})
    record(pbx, gap)
    assert CallLog.objects.get().lacks == ["gap"]


def test_a_remark_about_a_call_nobody_heard_of_makes_no_call(people, pbx, begun):
    record(pbx, ProviderEvent("noted", "nothing", begun, data={"gap": [begun, begun + 1]}))
    assert not CallLog.objects.exists()


def test_a_phone_systems_call_is_not_stale_for_want_of_heartbeats(people, pbx, begun, settings):
    settings.MAX_CALL_SECONDS = 72 * 3600
    record(pbx, *events_of(begun)[:3])
    CallLog.objects.update(last_seen_at=cut(now() - dt.timedelta(seconds=1200)))
    assert services.close_stale_calls() == 0
    settings.MAX_CALL_SECONDS = 600
    assert services.close_stale_calls() == 1
    record(pbx, events_of(begun)[5])  # the end after all: better than the estimate
    call = CallLog.objects.get()
    assert (call.end_time, call.evidence) == (from_ms(begun + 110_400), "B")


# --- What the ledger keeps, and what is announced ---


def test_each_line_keeps_where_it_came_from(people, pbx, begun):
    received = cut(now())
    event = ProviderEvent(
        *("started", "c1", begun),
        agents=("1001",),
        precision_ms=1000,
        event_id="e" * 130,
        sequence=0,
        leg="l",
    )
    intake.record(pbx, [event], received=received, payload_hash="abc")
    line = CallLog.objects.get().events.get()
    assert (line.key, line.source) == (f"{pbx.pk}:{event.key}", "provider:pbx")
    assert (line.received_at, line.occurred_at) == (received, from_ms(begun))
    assert (line.precision_ms, line.sequence, line.payload_hash) == (1000, 0, "abc")
    assert line.provider_event_id == "e" * 120
    assert line.data == {"agent": "1001", "leg": "l", "seq": 0}


def test_the_calls_of_one_payload_are_answered_in_its_order(people, pbx, begun):
    calls = record(pbx, *events_of(begun, call="b")[:2], *events_of(begun, call="a")[:2])
    assert [call.provider_call_id for call in calls] == ["b", "a"]
    assert [call.events.count() for call in calls] == [2, 2]
    again = record(pbx, events_of(begun, call="a")[0])
    assert [call.pk for call in again] == [calls[1].pk]
    assert record(pbx, ProviderEvent("noted", "nothing", begun)) == []


@pytest.fixture
def heard():
    with listening() as announcements:
        yield announcements


def test_a_call_is_announced_when_it_begins_changes_and_ends(people, pbx, begun, heard):
    events = events_of(begun)
    for event, expected in zip(events, ["started", *["changed"] * 4, "ended"], strict=True):
        record(pbx, event)
        assert heard.take() == [f"call_{expected}"]
    record(pbx, *events)
    assert heard.take() == []
    record(pbx, ProviderEvent("ended", "c1", begun + 110_500, data={"status": "COMPLETED"}))
    assert heard.take() == ["call_changed"]
    record(pbx, *events_of(begun, call="told at once"))
    assert heard.take() == ["call_ended"]


def test_a_call_that_gets_its_agent_is_announced_though_nothing_else_is_new(
    people, pbx, begun, heard
):
    record(pbx, *events_of(begun, agent="1999")[:2])
    ProviderIdentity.objects.create(account=pbx, identity="1999", user=people.carol)
    heard.clear()
    record(pbx, events_of(begun, agent="1999")[0])
    assert heard.take() == ["call_moved", "call_changed"]
    call = CallLog.objects.get()
    assert (call.user, call.events.count()) == (people.carol, 2)
    record(pbx, events_of(begun, agent="1002")[2])  # the call has its agent: it keeps it
    call.refresh_from_db()
    assert call.user == people.carol


def test_an_assignment_is_announced_and_says_by_whom(people, pbx, begun, heard):
    record(pbx, *events_of(begun, agent="1999"))
    heard.clear()
    assignment.assign(CallLog.objects.get(), people.carol, people.ada)
    assert heard.take() == ["call_moved", "call_changed"]
    line = CallLog.objects.get().events.get(kind="noted")
    assert (line.source, line.actor) == ("admin", people.ada)


def test_a_phone_systems_word_is_a_sign_of_life_while_the_call_runs(people, pbx, begun):
    before = now()
    record(pbx, *events_of(begun)[:1])
    assert CallLog.objects.get().last_seen_at >= before
    CallLog.objects.update(last_seen_at=from_ms(begun))
    record(pbx, events_of(begun)[0])  # nothing new
    assert CallLog.objects.get().last_seen_at == from_ms(begun)
    before = now()
    record(pbx, events_of(begun)[1])
    assert CallLog.objects.get().last_seen_at >= before
    CallLog.objects.update(last_seen_at=from_ms(begun))
    record(pbx, events_of(begun)[5])
    assert CallLog.objects.get().last_seen_at == from_ms(begun)


def test_calls_that_go_on_are_alive_and_others_stay_as_they_are(people, pbx, begun):
    record(pbx, *events_of(begun, call="runs")[:2], *events_of(begun, call="other")[:2])
    record(pbx, *events_of(begun, call="over"))
    CallLog.objects.update(last_seen_at=from_ms(begun))
    before = now()
    intake.alive(CallLog.objects.exclude(provider_call_id="other"))
    seen = {call.provider_call_id: call.last_seen_at >= before for call in CallLog.objects.all()}
    assert seen == {"runs": True, "other": False, "over": False}


def test_silence_is_counted_from_the_last_sign_of_life_or_the_start(people, pbx, begun):
    record(pbx, *events_of(begun)[:1])
    call = CallLog.objects.get()
    for seen, since in ((from_ms(begun + 5_000), begun + 5_000), (None, begun)):
        call.last_seen_at = seen
        before = to_ms(now())
        silent = intake.silence(call)
        assert before - since <= silent <= to_ms(now()) - since


# --- Whom the call is with ---


def test_the_number_that_was_clicked_stays_and_one_that_was_not_is_taken_over(people, pbx, begun):
    clicked = click(people.alice, begun, 0)
    record(pbx, *events_of(begun, number="950651234567"))
    clicked.refresh_from_db()
    assert (clicked.contact_phone, clicked.phone_e164) == (NUMBER, NUMBER)
    record(pbx, *events_of(begun, call="long", number="7" * 70, agent="1002"))
    assert CallLog.objects.get(provider_call_id="long").contact_phone == "7" * 64


def test_a_number_is_read_as_in_the_accounts_region(people, pbx, begun):
    pbx.region = "ES"
    pbx.save()
    clicked = click(people.alice, begun, 0, number="+34 912 345 678")
    record(pbx, *events_of(begun, number="912345678"))
    assert CallLog.objects.get().pk == clicked.pk
    record(pbx, *events_of(begun + 900_000, call="heard", number="912345678"))
    assert CallLog.objects.get(provider_call_id="heard").phone_e164 == "+34912345678"


def test_the_direction_is_the_one_that_the_phone_system_tells(people, pbx, begun):
    record(pbx, *events_of(begun, direction="inbound"))
    record(pbx, *events_of(begun, call="silent", direction=""))
    directions = dict(CallLog.objects.values_list("provider_call_id", "direction"))
    assert directions == {"c1": "inbound", "silent": "outbound"}


def test_a_contact_that_is_known_already_is_not_replaced(people, pbx, begun):
    ana = Contact.objects.create(name="Ana", phone="+50688887777")
    Contact.objects.create(name="Bea", phone=NUMBER)
    call = click(people.alice, begun, 0, contact=ana)
    record(pbx, *events_of(begun))
    call.refresh_from_db()
    assert call.contact == ana


def test_nobody_sees_a_contact_in_a_call_without_an_agent(people, pbx, begun):
    Contact.objects.create(name="Ana", phone=NUMBER)
    record(pbx, *events_of(begun, agent="1999"))
    assert CallLog.objects.get().contact is None


# --- Clicks ---


def test_the_clicked_call_takes_the_phone_systems_names(people, pbx, begun):
    clicked = click(people.alice, begun, -3)
    record(pbx, *events_of(begun, conversation="talk")[:2])
    clicked.refresh_from_db()
    assert (clicked.account, clicked.provider) == (pbx, "pbx")
    assert (clicked.provider_call_id, clicked.conversation) == ("c1", "talk")
    other = click(people.bob, begun, -3)
    record(pbx, *events_of(begun, call="c2", agent="1002")[:2])
    other.refresh_from_db()
    assert other.conversation == "c2"


def test_a_click_for_a_call_that_was_heard_of_brings_its_contact(people, pbx, begun, heard):
    ana = Contact.objects.create(name="Ana", phone="+50688887777")
    record(pbx, *events_of(begun)[:1])
    heard.clear()
    at = ReportedTime(from_ms(begun), explicit=True)
    call, made = services.start_call(people.alice, contact=ana, contact_phone=NUMBER, reported=at)
    assert made and heard.take() == ["call_changed"]
    call.refresh_from_db()
    assert (call.contact, call.contact_ref, call.user) == (ana, "", people.alice)
    record(pbx, *events_of(begun, call="c2", agent="1002")[:1])
    call, _ = services.start_call(
        people.bob, contact_ref="crm-7", contact_phone=NUMBER, reported=at
    )
    call.refresh_from_db()
    assert (call.provider_call_id, call.contact, call.contact_ref) == ("c2", None, "crm-7")


def test_the_agents_end_after_the_phone_systems_is_a_change_and_no_end(people, pbx, begun, heard):
    call = click(people.alice, begun, 0)
    record(pbx, *events_of(begun))
    heard.clear()
    services.end_call(call.call_id, people.alice, notes="late")
    assert heard.take() == ["call_changed"]


def test_the_earliest_event_of_a_payload_says_when_the_phone_rang(people, pbx, begun):
    clicked = click(people.alice, begun, 0)
    record(pbx, *events_of(begun + 100_000)[::-1])
    assert CallLog.objects.get().pk == clicked.pk


def test_a_call_that_is_heard_of_ends_the_work_after_the_last(people, pbx, settings):
    settings.WRAP_UP_CAP_SECONDS = 7 * 86_400
    begun = to_ms(now()) - 3_600_000
    before = click(people.alice, begun, -600, number="+50688888888")
    ended_at = ReportedTime(from_ms(begun - 500_000), explicit=True)
    services.end_call(before.call_id, people.alice, wrap_up=True, reported=ended_at)
    record(pbx, *events_of(begun, number="")[:1])
    before.refresh_from_db()
    assert (before.wrap_up_since, before.wrap_up_seconds) == (None, 500)


def test_a_call_that_was_over_when_it_was_heard_of_ends_no_work(people, pbx, settings):
    settings.WRAP_UP_CAP_SECONDS = 7 * 86_400
    begun = to_ms(now()) - 3_600_000
    before = click(people.alice, begun, -600, number="+50688888888")
    ended_at = ReportedTime(from_ms(begun - 500_000), explicit=True)
    services.end_call(before.call_id, people.alice, wrap_up=True, reported=ended_at)
    record(pbx, *events_of(begun, number=""))
    before.refresh_from_db()
    assert before.wrap_up_since == ended_at.at


def test_all_that_the_joined_call_had_stays_with_the_clicks(people, pbx, begun):
    record(pbx, *events_of(begun, agent="1999", conversation="talk"))
    heard_call = CallLog.objects.get()
    lines = set(heard_call.events.values_list("key", "received_at", "source", "precision_ms"))
    clicked = click(people.carol, begun, -3)
    joined = assignment.assign(heard_call, people.carol, people.ada)
    assert joined.pk == clicked.pk
    assert lines < set(joined.events.values_list("key", "received_at", "source", "precision_ms"))
    joined.refresh_from_db()
    assert (joined.account, joined.provider, joined.provider_call_id) == (pbx, "pbx", "c1")
    assert (joined.conversation, joined.is_shared) == ("talk", False)
    assert joined.start_time == from_ms(begun)


def test_a_joined_part_of_a_shared_call_stays_shared(people, pbx, begun):
    shared = {"conversation": "talk"}
    record(
        pbx,
        *events_of(begun, call="a", **shared),
        *events_of(begun, call="b", agent="1999", **shared),
    )
    click(people.carol, begun, -3)
    part = CallLog.objects.get(provider_call_id="b")
    assert assignment.assign(part, people.carol, people.ada).is_shared
    assert CallLog.objects.filter(is_shared=True).count() == 2


def test_a_call_that_another_process_made_meanwhile_is_recorded_at_the_second_try(
    people, pbx, begun
):
    """The other one makes the call right after this one has looked for it in vain."""
    quicker = []

    def race(execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "calls_calllog"') and not quicker:
            quicker.append(sql)
            raise IntegrityError("somebody was quicker")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(race):
        (call,) = record(pbx, *events_of(begun))
    assert quicker and call == CallLog.objects.get()
    assert (call.account, call.provider_call_id, call.talk_seconds) == (pbx, "c1", 88)


def test_a_contact_is_found_by_the_number_alone(people, pbx, begun):
    """Whatever its reference is: a phone system knows of none."""
    first = Contact.objects.create(name="Ana", phone=NUMBER, external_id="1")
    Contact.objects.create(name="Ana", phone=NUMBER, external_id="XXXX")
    (call,) = record(pbx, *events_of(begun))
    assert call.contact == first


def test_what_is_told_later_of_direction_number_and_contact_is_stored(people, pbx, begun):
    ana = Contact.objects.create(name="Ana", phone=NUMBER)
    record(pbx, *events_of(begun, number="", direction="")[:1])
    call = CallLog.objects.get()
    assert (call.direction, call.contact_phone, call.contact) == ("outbound", "", None)
    record(pbx, *events_of(begun, direction="inbound")[1:2])
    call.refresh_from_db()
    assert (call.direction, call.contact_phone, call.contact) == ("inbound", NUMBER, ana)


def test_to_be_given_to_somebody_is_no_sign_of_life(people, pbx, begun):
    record(pbx, *events_of(begun, agent="1999")[:3])
    seen = now() - dt.timedelta(minutes=2)
    CallLog.objects.update(last_seen_at=seen)
    assignment.assign(CallLog.objects.get(), people.carol, people.ada)
    assert CallLog.objects.get().last_seen_at == seen


# --- Conversations ---


def test_conversations_that_are_joined_are_one_call(people, pbx, begun):
    record(pbx, *events_of(begun, call="a", conversation="first"))
    record(pbx, *events_of(begun, call="b", agent="1002", conversation="second")[:3])
    assert not CallLog.objects.filter(is_shared=True).exists()
    joining = ProviderEvent(
        "noted", "b", begun + 50_000, conversation="second", data={"joined": "first"}
    )
    record(pbx, joining)
    assert CallLog.objects.get(provider_call_id="b").conversation == "first"
    assert CallLog.objects.filter(is_shared=True).count() == 2
    # What is reported later under the old name changes nothing of that.
    record(pbx, *events_of(begun, call="b", agent="1002", conversation="second"))
    assert CallLog.objects.get(provider_call_id="b").conversation == "first"


def test_all_turns_of_a_person_are_joined(people, pbx, begun):
    turns = [(0, "started"), (60_000, "ended"), (90_000, "started"), (120_000, "ended")]
    told = {"call": "a", "agents": ("1001",), "conversation": "first", "data": {"turn": True}}
    record(pbx, *(ProviderEvent(kind, at=begun + at, **told) for at, kind in turns))
    record(pbx, *events_of(begun, call="b", agent="1002", conversation="second"))
    record(pbx, ProviderEvent("noted", "a", begun + 1, data={"joined": "second"}))
    assert CallLog.objects.filter(conversation="second", is_shared=True).count() == 3


def test_a_call_without_a_conversation_is_one_of_its_own(people, pbx, begun):
    record(pbx, *events_of(begun))
    assert CallLog.objects.get().conversation == "c1"
    # Named by whichever event of the payload names it.
    nameless, named = (
        events_of(begun, call="c2")[0],
        events_of(begun, call="c2", conversation="talk")[1],
    )
    record(pbx, nameless, named)
    assert CallLog.objects.get(provider_call_id="c2").conversation == "talk"


def test_the_newest_part_is_told_that_it_is_shared(people, pbx, begun):
    (first,) = record(pbx, *events_of(begun, call="a", conversation="talk"))
    (second,) = record(pbx, *events_of(begun, call="b", agent="1002", conversation="talk"))
    assert (first.is_shared, second.is_shared) == (False, True)


# --- Dialling, and identities that wait ---


def test_what_is_dialled_is_known_by_the_phone_systems_name(people, pbx, begun):
    call = click(people.alice, begun, 0)
    intake.expect(call, pbx, "d1")
    call.refresh_from_db()
    assert (call.account, call.provider) == (pbx, "pbx")
    assert (call.provider_call_id, call.conversation) == ("d1", "d1")
    record(pbx, *events_of(begun + 400_000, call="d1"))  # however late its first event
    assert CallLog.objects.get().talk_seconds == 88


def test_what_is_dialled_is_a_part_of_the_call_that_others_were_told_of_first(people, pbx, begun):
    record(pbx, *events_of(begun, call="b", agent="1002", conversation="d1"))
    call = click(people.alice, begun, 0)
    intake.expect(call, pbx, "d1")
    assert CallLog.objects.filter(is_shared=True).count() == 2


def test_what_was_heard_of_before_the_answer_is_left_as_it_is(people, pbx, begun):
    call = click(people.alice, begun, 0)
    intake.expect(call, pbx, "d1")
    intake.expect(call, pbx, "d2")
    call.refresh_from_db()
    assert call.provider_call_id == "d1"
    other = click(people.bob, begun, 0, number="+50688888888")
    intake.expect(other, pbx, "d1")
    other.refresh_from_db()
    assert other.account is None


def test_calls_wait_under_the_name_that_the_phone_system_gave(people, pbx, begun):
    record(
        pbx, *events_of(begun, call="a", agent="1999"), *events_of(begun, call="b", agent="1998")
    )
    record(pbx, *events_of(begun, call="c", agent="1999"), *events_of(begun, call="d"))
    one, nameless = CallLog.objects.get(provider_call_id="a"), events_of(begun, call="e", agents=())
    (unknown,) = record(pbx, nameless[0])
    assert (assignment.identity_of(one), assignment.identity_of(unknown)) == ("1999", "")
    waiting = assignment.waiting(pbx, "1999")
    assert sorted(waiting.values_list("provider_call_id", flat=True)) == ["a", "c"]
    assert assignment.assign_waiting(pbx, "1999", people.carol, people.ada) == 2
    assert CallLog.objects.filter(user=people.carol).count() == 2
    assert assignment.assign_waiting(pbx, "1999", people.carol, people.ada) == 0


def test_calls_of_another_phone_system_do_not_wait_here(people, pbx, begun):
    other = ProviderAccount.objects.create(kind="generic", name="other")
    record(other, *events_of(begun, agent="1999"))
    assert not assignment.waiting(pbx, "1999").exists()
    assert assignment.waiting(other, "1999").count() == 1


def test_an_assigned_call_is_refused_to_another_with_a_reason(people, pbx, begun):
    record(pbx, *events_of(begun))
    with translation.override("en"), pytest.raises(CallConflict, match="has an agent already"):
        assignment.assign(CallLog.objects.get(), people.bob, people.ada)


def test_two_phone_systems_may_call_different_calls_by_one_name(people, pbx, begun):
    other = ProviderAccount.objects.create(kind="generic", name="other")
    record(pbx, *events_of(begun))
    record(other, *events_of(begun, agent="1999", number="+50688888888"))
    numbers = dict(CallLog.objects.values_list("provider", "contact_phone"))
    assert numbers == {"pbx": NUMBER, "other": "+50688888888"}
    assert {call.events.count() for call in CallLog.objects.all()} == {6}


def test_the_number_told_for_the_earliest_instant_stands_in_whatever_order(people, pbx, begun):
    first, second = (
        events_of(begun, number="+50622223333")[0],
        events_of(begun, number="+50688888888")[1],
    )
    for events in ((first, second), (second, first)):
        CallLog.objects.all().delete()
        for event in events:
            record(pbx, event)
        assert CallLog.objects.get().contact_phone == "+50622223333"


def test_a_national_number_finds_its_click_whoever_gives_the_call_to_its_agent(people, pbx, begun):
    """The trunk prefix of a British number is no part of its international form."""
    pbx.region = "GB"
    pbx.save()
    for agent, user in (("1001", people.alice), ("1999", people.carol)):
        clicked = click(user, begun, 0, number="+442079460018")
        record(pbx, *events_of(begun, call=agent, agent=agent, number="020 7946 0018"))
        heard_call = CallLog.objects.get(provider_call_id=agent)
        if heard_call.user is None:
            heard_call = assignment.assign(heard_call, user, people.ada)
        assert heard_call.pk == clicked.pk


def test_a_waiting_identity_is_told_by_whichever_event_names_it(people, pbx, begun):
    record(pbx, events_of(begun, agents=())[0], events_of(begun, agent="1999")[1])
    call = CallLog.objects.get()
    assert assignment.identity_of(call) == "1999"
    assignment.assign_waiting(pbx, "1999", people.carol, people.ada)
    assert call.events.get(kind="noted").actor == people.ada
    assert set(call.events.values_list("payload_hash", flat=True)) == {""}


def test_a_click_that_is_heard_of_stays_the_same_call_with_one_id(people, pbx, begun):
    clicked = click(people.alice, begun, -3)
    record(pbx, *events_of(begun)[:2])
    assert not clicked.aliases.exists()


def test_a_click_for_a_call_that_was_heard_of_is_its_persons(people, pbx, begun):
    record(pbx, *events_of(begun)[:1])
    call = click(people.alice, begun, 0)
    assert call.user == people.alice
    assert call.events.get(key="started").actor == people.alice
