"""The pages of rules and alerts."""

import datetime as dt

import pytest
import time_machine
from django.utils import translation

from calls import services
from common.instants import now
from notifications.models import Alert, Channel, Rule
from notifications.models.rules import Kind
from notifications.rules import timers
from notifications.rules.audience import people_told
from notifications.rules.kinds import condition_of, sentence_of_rule
from notifications.words import link_of, sentence_of
from tests.support.doors import client_of
from tests.support.people import make_call

pytestmark = pytest.mark.once
SAID = {"tell_agent": "on", "cool_down_seconds": "0"}
LONG = {"scope": "all", "amount": "10", "unit": "minutes", **SAID}


@pytest.fixture
def ada(people):
    return client_of(people.ada)


def made(client, kind="long_call", **said):
    before = set(Rule.objects.values_list("pk", flat=True))
    answer = client.post(f"/rules/new/{kind}/", said)
    return answer, Rule.objects.exclude(pk__in=before).first()


def test_the_list_reads_as_sentences(people, ada):
    page = ada.get("/rules/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert "When a call lasts longer than 10 minutes, remind the agent." in page
    assert "When a call lasts longer than 20 minutes, tell the supervisors." in page
    assert "When a job fails 3 times in a row, tell the administrators." in page
    of_sue = client_of(people.sue).get("/rules/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert "When a call lasts longer than 10 minutes" in of_sue
    assert "When a job fails" not in of_sue and "Switch off" not in of_sue


def test_a_rule_is_made_by_its_form_and_says_so(people, ada):
    answer, rule = made(ada, scope=f"team-{people.red.pk}", amount="90", unit="seconds", **SAID)
    assert answer.status_code == 302
    with translation.override("en"):
        assert sentence_of_rule(rule) == (
            "When a call of Red lasts longer than 90 seconds, remind the agent."
        )
    again = ada.post(f"/rules/{rule.pk}/edit/", LONG | {"people": [people.sue.pk]})
    assert again.status_code == 302
    rule.refresh_from_db()
    assert (rule.team, rule.parameters) == (None, {"seconds": 600})
    with translation.override("en"):
        assert sentence_of_rule(rule).endswith("tell the agent and Sue.")


@pytest.mark.parametrize(
    "kind, said, sentence",
    [
        ("long_call", {**LONG, "amount": "0"}, "How long"),
        ("long_call", {**LONG, "amount": "9999"}, "A call is closed after 4 hours by itself"),
        ("long_call", {**LONG, "scope": "agent-999999"}, "Whose"),
        ("long_call", {**LONG, "tell_agent": ""}, "Say who is told"),
        ("long_call", {**LONG, "people": ["9" * 30]}, "And these people"),
        ("long_call", {**LONG, "quiet_from": "22:00"}, "Quiet hours need a begin and an end"),
        ("long_wrap_up", {**LONG, "amount": "2"}, "closed after 2 minutes by itself"),
        ("low_success", {**SAID, "scope": "all", "each": "whole", "percent": "60", "calls": "9"},
         "Say who is told"),
        ("no_calls", {**SAID, "scope": "all", "each": "each", "minutes": "5", "begin": "08:00",
                      "end": "08:00", "weekdays": ["0"]}, "Work cannot end"),
        ("disk_full", {"cool_down_seconds": "0", "percent": "101"}, "Percent"),
    ],
)  # fmt: skip
def test_what_makes_no_rule_is_told_plainly_and_nothing_is_lost(ada, kind, said, sentence):
    ada.cookies["django_language"] = "en"
    answer, rule = made(ada, kind, **said)
    assert (answer.status_code, rule) == (400, None)
    page = answer.content.decode()
    assert sentence in page
    assert f'value="{said.get("amount", said.get("percent", "5"))}"' in page


def test_the_preview_of_the_form_names_the_calls(people, ada):
    call = make_call(people.alice, 700)
    part = {"HTTP_HX_REQUEST": "true", "HTTP_ACCEPT_LANGUAGE": "en"}
    answer = ada.get("/rules/new/long_call/preview/", LONG, **part)
    page = answer.content.decode()
    assert "Would have fired 1 time in the last 7 days." in page and str(call.call_id) in page
    posted = ada.post("/rules/new/long_call/", LONG | {"preview": "1"}, HTTP_ACCEPT_LANGUAGE="en")
    assert "Would have fired 1 time" in posted.content.decode()
    assert Rule.objects.filter(standard="").count() == 0
    unfinished = ada.get("/rules/new/long_call/preview/", {"amount": ""}, **part)
    assert unfinished.status_code == 200


def test_a_supervisor_makes_rules_about_the_own_team_alone(people):
    sue = client_of(people.sue)
    assert made(sue, **LONG)[0].status_code == 400
    assert made(sue, **LONG | {"scope": f"team-{people.blue.pk}"})[0].status_code == 400
    assert made(sue, **LONG | {"scope": f"agent-{people.carol.pk}"})[0].status_code == 400
    assert made(sue, **LONG | {"scope": f"agent-{people.alice.pk}"})[0].status_code == 302
    assert made(sue, **LONG | {"people": [people.sam.pk]})[1] is None


def test_switch_snooze_and_delete(people, ada):
    _answer, rule = made(ada, **LONG)
    ada.post(f"/rules/{rule.pk}/switch/")
    rule.refresh_from_db()
    assert not rule.enabled
    ada.post(f"/rules/{rule.pk}/switch/", {"on": "1"})
    with time_machine.travel(now(), tick=False):
        ada.post(f"/rules/{rule.pk}/snooze/", {"until": "hour"})
        rule.refresh_from_db()
        assert rule.enabled and rule.snoozed_until == now() + dt.timedelta(hours=1)
    ada.post(f"/rules/{rule.pk}/snooze/", {"until": "never"})
    ada.post(f"/rules/{rule.pk}/snooze/", {"until": ""})
    rule.refresh_from_db()
    assert rule.snoozed_until is None
    assert ada.get(f"/rules/{rule.pk}/delete/").status_code == 200
    assert ada.post(f"/rules/{rule.pk}/delete/").status_code == 302
    assert not Rule.objects.filter(pk=rule.pk).exists()
    standard = Rule.objects.get(standard="long_call")
    ada.post(f"/rules/{standard.pk}/delete/")
    assert Rule.objects.filter(pk=standard.pk).exists()


def test_quiet_hours_are_the_organisations_and_may_span_midnight(settings):
    settings.TIME_ZONE = "America/Costa_Rica"  # UTC-6
    rule = Rule(quiet_from=dt.time(22), quiet_until=dt.time(7))
    quiet = [rule.is_quiet(dt.datetime(2026, 3, 2, h, tzinfo=dt.UTC)) for h in (3, 4, 12, 13)]
    assert quiet == [False, True, True, False]


def test_who_and_what_is_gone_is_told_plainly(people, ada):
    _answer, of_alice = made(ada, **LONG | {"scope": f"agent-{people.alice.pk}"})
    _answer, of_red = made(ada, **LONG | {"scope": f"team-{people.red.pk}"})
    said = LONG | {"tell_agent": "", "people": [people.carol.pk]}
    _answer, to_carol = made(ada, **said)
    people.alice.is_active = False
    people.alice.save()
    people.carol.delete()
    people.red.delete()
    page = ada.get("/rules/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert "this person no longer works here" in page
    assert "tells nobody: whom it told is gone" in page
    assert ada.get(f"/rules/{to_carol.pk}/").status_code == 200
    assert Rule.objects.filter(pk=of_alice.pk).exists()
    assert not Rule.objects.filter(pk=of_red.pk).exists(), "it went with its team"


def test_only_people_who_may_see_it_are_told(people):
    rule = Rule.objects.create(kind=Kind.LONG_CALL, tell_agent=True, tell_supervisors=True)
    rule.people.set([people.sam, people.ada, people.bob])
    told = people_told(rule, people.alice, None)
    assert {one.username for one in told} == {"alice", "sue", "ada"}
    of_team = people_told(rule, None, people.red)
    assert {one.username for one in of_team} == {"sue", "ada"}
    assert people_told(rule, None, None) == [people.ada]


def test_the_history_says_what_when_and_to_whom(people, ada):
    begun = now() - dt.timedelta(seconds=700)
    call, _ = services.start_call(
        people.alice, reported=services.ReportedTime(begun, explicit=True), contact_phone="88887777"
    )
    timers.watch()
    [alert] = Alert.objects.all()
    page = ada.get("/alerts/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert "Alice: the call has lasted longer than 10 minutes." in page
    assert str(call.call_id) in page and "to Alice" in page and "8888" not in page
    assert link_of(alert) in page
    own = client_of(people.alice).get("/alerts/").content.decode()
    assert str(call.call_id) in own
    assert str(call.call_id) not in client_of(people.bob).get("/alerts/").content.decode()
    ada.post(f"/alerts/{alert.pk}/acknowledge/")
    client_of(people.sue).post(f"/alerts/{alert.pk}/acknowledge/")
    alert.refresh_from_db()
    assert alert.acknowledged_by == people.ada
    for query, found in (
        ("kind=long_call", 1), ("kind=long_hold", 0), ("agent=alice", 1), ("agent=bob", 0),
        ("state=open", 1), ("state=unseen", 0), (f"before={alert.pk}", 0),
    ):  # fmt: skip
        assert ada.get(f"/alerts/?{query}").content.decode().count(link_of(alert)) == found, query
    assert ada.get("/alerts/?kind=nothing").status_code == 400
    assert ada.get("/alerts/?before=x").status_code == 400


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_kind_has_its_sentences(people, kind, language):
    alert = Alert(kind=kind, agent=people.alice, facts={"seconds": 60, "minutes": 5})
    rule = Rule.objects.create(kind=kind, tell_administrators=True)
    rule.channels.add(Channel.objects.create(name="Operations", kind="slack"))
    with translation.override(language):
        said = {sentence_of(alert), sentence_of(alert, people.alice)}
        assert all(text.endswith(".") and "%(" not in text for text in said)
        assert "Operations" in sentence_of_rule(rule)
        assert condition_of(rule) and "%(" not in sentence_of_rule(rule)
