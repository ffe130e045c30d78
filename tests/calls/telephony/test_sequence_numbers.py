"""The numbers of a conversation's messages: a lost one shows on every part, in any order."""

import itertools
import random

import pytest

from calls.models import CallLog, ConversationNumber, ProviderAccount
from calls.providers.base import ProviderEvent
from calls.telephony import assignment, intake
from common.instants import from_ms, now
from metrics.rollups.rebuild import differences
from tests.support.people import make_pbx, yesterday_noon

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

TALK = "talk"
ENDED = {"status": "COMPLETED", "unanswered": "NO_ANSWER"}


@pytest.fixture
def pbx(people):
    return make_pbx(people, "ringcentral")


@pytest.fixture
def begun():
    return yesterday_noon()


def message(begun, number, *parts, talk=TALK, after=None):
    """A message with this number that tells (kind, agent) pairs; nothing of ours without any."""
    at = begun + 1_000 * (number if after is None else after)
    numbered = {"at": at, "conversation": talk, "conversation_sequence": number}
    own = [
        ProviderEvent(
            kind=kind,
            call=f"{talk}:{agent}",
            agents=(agent,),
            data=ENDED if kind == "ended" else {},
            **numbered,
        )
        for kind, agent in parts
    ]
    return [*own, ProviderEvent(kind="noted", call="", **numbered)]


def one_agent(begun):
    """Alice's call: the other side's messages are 3, 5 and 8."""
    return [
        *(message(begun, 2, ("started", "1001")), message(begun, 3)),
        *(message(begun, 4, ("answered", "1001")), message(begun, 5)),
        *(message(begun, 6, ("held", "1001")), message(begun, 7, ("resumed", "1001"))),
        *(message(begun, 8), message(begun, 9, ("ended", "1001"))),
    ]


def two_agents(begun):
    """Alice talks, then Bob too; only the end tells of both at once."""
    return [
        *(message(begun, 2, ("started", "1001")), message(begun, 3, ("answered", "1001"))),
        *(message(begun, 4), message(begun, 5, ("started", "1002"))),
        *(message(begun, 6, ("answered", "1002")), message(begun, 7, ("held", "1001"))),
        *(message(begun, 8, ("resumed", "1001")),),
        message(begun, 9, ("ended", "1001"), ("ended", "1002")),
    ]


def record(account, *messages):
    for events in messages:
        intake.record(account, events, received=now())


def forget():
    CallLog.objects.all().delete()
    ConversationNumber.objects.all().delete()


def facts():
    """All that is recorded of each call but when we heard of it."""
    hidden = {"id", "call_id", "last_seen_at"}
    rows = CallLog.objects.order_by("provider_call_id").values()
    return [{name: row[name] for name in row.keys() - hidden} for row in rows]


@pytest.mark.parametrize("messages_of", [one_agent, two_agents])
def test_any_order_and_repetition_gives_the_same_calls(pbx, begun, messages_of):
    messages = messages_of(begun)
    record(pbx, *messages)
    wanted = facts()
    assert {row["missing"] for row in wanted} == {""}
    dice = random.Random(11)
    for _ in range(15):
        forget()
        shuffled = [*messages, *dice.sample(messages, 3)]
        dice.shuffle(shuffled)
        record(pbx, *shuffled)
        assert facts() == wanted
    assert differences() == []


@pytest.mark.parametrize("messages_of", [one_agent, two_agents])
def test_a_lost_message_is_marked_on_every_part_in_any_order(pbx, begun, messages_of):
    messages = messages_of(begun)
    dice = random.Random(13)
    for lost in range(1, len(messages) - 1):
        kept = [one for place, one in enumerate(messages) if place != lost]
        dice.shuffle(kept)
        forget()
        record(pbx, *kept)
        marked = ["events" in call.lacks for call in CallLog.objects.all()]
        assert marked == [True] * (1 if messages_of is one_agent else 2), lost
        record(pbx, messages[lost])  # late after all
        assert {call.missing for call in CallLog.objects.all()} == {""}, lost
    assert differences() == []


def test_a_number_may_come_before_between_and_after_the_events_of_a_part(people, pbx, begun):
    start, end = message(begun, 2, ("started", "1001")), message(begun, 4, ("ended", "1001"))
    for order in itertools.permutations([start, message(begun, 3), end]):
        forget()
        record(pbx, *order)
        call = CallLog.objects.get()
        assert (call.user, call.lacks, call.events.count()) == (people.alice, [], 3)


def test_a_part_has_one_line_a_number_and_says_when_it_was_heard(pbx, begun):
    heard = from_ms(begun + 90_000)
    intake.record(pbx, message(begun, 3), received=heard)
    record(pbx, *one_agent(begun))
    call = CallLog.objects.get()
    numbers = call.events.values_list("data__conversation_seq", flat=True)
    assert list(numbers) == [2, 3, 4, 5, 6, 7, 8, 9]
    noted = call.events.filter(kind="noted")
    assert [line.data for line in noted] == [{"conversation_seq": n} for n in (3, 5, 8)]
    assert noted[0].received_at == heard
    assert noted[0].occurred_at == from_ms(begun + 3_000)


def test_a_number_alone_makes_no_call(pbx, begun):
    record(pbx, message(begun, 2), message(begun, 3))
    assert not CallLog.objects.exists()
    assert ConversationNumber.objects.count() == 2


def test_a_number_is_no_start_no_end_and_no_sign_of_life(pbx, begun):
    record(pbx, message(begun, 5, ("answered", "1001")))
    before = CallLog.objects.values().get()
    record(pbx, message(begun, 2), message(begun, 6), message(begun, 7, after=4_000))
    assert CallLog.objects.values().get() == before

    record(pbx, message(begun, 8, ("ended", "1001")))
    before = CallLog.objects.values().get()
    assert before["missing"] == "start,events"
    record(pbx, message(begun, 3), message(begun, 4), message(begun, 9, after=8_000))
    after = CallLog.objects.values().get()
    assert after == before | {"missing": "start"}


def test_numbers_are_those_of_one_conversation_of_one_account(pbx, begun):
    other = ProviderAccount.objects.create(kind="ringcentral", name="other")
    record(pbx, message(begun, 2, ("started", "1001")), message(begun, 4, ("ended", "1001")))
    record(pbx, message(begun, 3, talk="another"))
    record(other, message(begun, 3))
    assert CallLog.objects.get().lacks == ["events"]
    record(pbx, message(begun, 3))
    assert CallLog.objects.get().lacks == []


def test_the_numbers_go_with_a_call_that_becomes_one_with_its_click(people, pbx, begun):
    record(pbx, message(begun, 3), message(begun, 2, ("started", "1999")))
    record(pbx, message(begun, 5, ("ended", "1999")))
    assignment.assign(CallLog.objects.get(), people.carol, people.ada)
    record(pbx, message(begun, 4))
    call = CallLog.objects.get()
    assert (call.user, call.lacks) == (people.carol, [])
    assert differences() == []


def test_the_ledger_shows_the_numbers(people, client, pbx, begun):
    record(pbx, *one_agent(begun))
    client.force_login(people.alice)
    address = f"/calls/{CallLog.objects.get().call_id}/"
    for language, words in (
        ("en", "Message: number 8 of the conversation"),
        ("es", "Mensaje: número 8 de la conversación"),
    ):
        people.alice.language = language
        people.alice.save()
        assert words in client.get(address).content.decode()


def test_an_unremarkable_message_costs_few_queries(pbx, begun, django_assert_max_num_queries):
    record(pbx, *one_agent(begun))
    with django_assert_max_num_queries(5):
        record(pbx, message(begun, 3))
