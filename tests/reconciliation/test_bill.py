"""The bill of a period: our price lists, the providers' own prices, and what neither knows."""

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from django.urls import reverse

from calls.models import CallLog, ProviderAccount
from common.instants import day_start, today
from common.periods import between
from reconciliation.billing.bill import bill_of
from reconciliation.billing.calls import billed_calls
from reconciliation.billing.lines import totals_of
from reconciliation.models import PriceList, ProviderRecord, RecordImport

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

RATES = [
    {"prefix": "34", "direction": "", "per_minute": "0.02", "connection": "0", "step": 1},
    {
        "prefix": "346",
        "direction": "outbound",
        "per_minute": "0.06",
        "connection": "0.01",
        "step": 60,
    },
]
MOBILE, LANDLINE, ELSEWHERE = "+34600000001", "+34910000001", "+390612345678"


@pytest.fixture
def account():
    return ProviderAccount.objects.create(kind="generic", name="centralita", region="ES")


@pytest.fixture
def prices(account):
    return PriceList.objects.create(
        account=account, valid_from=dt.date(2020, 1, 1), currency="EUR", rates=RATES
    )


def make_call(account, user, seconds, number=MOBILE, *, ago=0, direction="outbound", **more):
    start = day_start(today()) - dt.timedelta(days=ago) + dt.timedelta(hours=9)
    answered = start + dt.timedelta(seconds=5)
    call = CallLog(
        user=user,
        account=account,
        direction=direction,
        start_time=start,
        answered_time=answered,
        end_time=answered + dt.timedelta(seconds=seconds),
        status="COMPLETED",
        talk_seconds=int(seconds),
        duration_seconds=int(seconds) + 5,
        ring_seconds=5,
        provider=account.name if account else "",
        **more,
    )
    call.set_phone(number, "ES")
    call.save()
    return call


def make_told(account, price, call=None, currency="EUR", number=MOBILE, **more):
    what = RecordImport.objects.create(account=account, file_name="f", format="table")
    return ProviderRecord.objects.create(
        account=account,
        brought_by=what,
        call=call,
        key=f"key-{ProviderRecord.objects.count()}",
        outcome="confirmed",
        start_time=day_start(today()) + dt.timedelta(hours=9),
        number=number,
        number_line=number,
        price=Decimal(price),
        currency=currency,
        **more,
    )


def bill(viewer, first=None, last=None):
    days = between(first or today(), last or today())
    return bill_of(viewer, ProviderAccount.objects.order_by("name"), days)


def test_an_answered_call_costs_what_its_rate_says(people, account, prices):
    make_call(account, people.alice, 61)  # two started minutes to a mobile
    make_call(account, people.bob, 30, LANDLINE)
    (total,) = totals_of(bill(people.ada))
    assert (total.currency, total.sums.calls, total.sums.seconds) == ("EUR", 2, 91)
    assert total.sums.amount == Decimal("0.13") + Decimal("0.01")


def test_billed_seconds_are_whole_and_have_the_holds_in_them(people, account, prices):
    held = make_call(account, people.alice, 60.9, hold_seconds=40)
    held.talk_seconds = 20
    held.save()
    assert bill(people.ada).total["EUR"].seconds == 60


def test_a_second_counts_once_it_is_over(people, account, prices):
    lengths = [
        (seconds, milliseconds)
        for seconds in (0, 59, 7_199)
        for milliseconds in (0, 1, 499, 500, 998, 999)
    ]
    for seconds, milliseconds in lengths:
        make_call(account, people.alice, seconds + milliseconds / 1000)
    billed = [seconds for *_who, seconds in billed_calls(people.ada, account, today(), today())]
    assert sorted(billed) == sorted(seconds for seconds, _ms in lengths)


def test_what_was_not_answered_is_not_billed(people, account, prices):
    call = make_call(account, people.alice, 60)
    CallLog.objects.filter(pk=call.pk).update(answered_time=None, status="NO_ANSWER")
    make_call(account, people.alice, 60, direction="internal")
    make_call(None, people.alice, 60)
    assert not bill(people.ada).total


def test_where_nobody_told_the_answer_the_talk_counts(people, account, prices):
    call = make_call(account, people.alice, 60)
    CallLog.objects.filter(pk=call.pk).update(answered_time=None, talk_seconds=33)
    assert bill(people.ada).total["EUR"].seconds == 33


def test_a_new_list_holds_from_its_day_on(people, account, prices):
    dearer = [RATES[1] | {"per_minute": "1"}]
    PriceList.objects.create(account=account, valid_from=today(), currency="USD", rates=dearer)
    make_call(account, people.alice, 30)
    make_call(account, people.alice, 30, ago=1)
    found = bill(people.ada, today() - dt.timedelta(days=3))
    amounts = {currency: sums.amount for currency, sums in found.total.items()}
    assert amounts == {"EUR": Decimal("0.07"), "USD": Decimal("1.01")}


def test_calls_without_a_price_are_named_and_not_in_the_bill(people, account, prices):
    make_call(account, people.alice, 30, ELSEWHERE)
    other = ProviderAccount.objects.create(kind="generic", name="otra")
    make_call(other, people.alice, 40)
    found = bill(people.ada)
    assert not found.total
    assert {key: (one.calls, one.seconds) for key, one in found.unpriced.items()} == {
        ("centralita", "IT", "+39061"): (1, 30)
    }
    assert (found.unlisted["otra"].calls, found.unlisted["otra"].seconds) == (1, 40)


def test_the_providers_own_prices_stand_beside_ours(people, account, prices):
    call = make_call(account, people.alice, 30)
    make_told(account, "0.08", call)
    make_told(account, "0.05", number=LANDLINE)  # a call that we do not know
    make_told(account, "0.50", currency="USD")
    make_told(account, "9", is_withdrawn=True)
    found = bill(people.ada)
    euros = found.total["EUR"]
    assert (euros.calls, euros.told_calls, euros.more_calls) == (1, 2, 1)
    assert (euros.told_amount, euros.difference) == (Decimal("0.13"), Decimal("0.06"))
    assert found.total["USD"].told_amount == Decimal("0.5")
    assert found.agents[people.alice.pk, "EUR"].difference == Decimal("0.01")
    assert found.agents[None, "EUR"].told_calls == 1


def test_the_page_shows_it_and_the_file_has_every_digit(people, account, prices, client):
    make_told(account, "0.0725", make_call(account, people.alice, 61))
    make_call(account, people.alice, 30, ELSEWHERE)
    client.force_login(people.ada)
    page = client.get(reverse("record_bill"), {"period": "today"}).content.decode()
    for words in ("Alice", "España", "0,13", "−0,06", "+39061", "Italia"):
        assert words in page, words
    address = reverse("record_bill_csv")
    answer = client.get(address, {"period": "today", "table": "agents", "bom": "0"})
    (row,) = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
    assert (row["name"], row["amount"], row["provider_amount"]) == ("Alice", "0.13", "0.072500")
    assert client.get(address, {"table": "nothing"}).status_code == 400
    assert client.get(reverse("record_bill"), {"period": "never"}).status_code == 400


def test_before_there_are_prices_the_page_says_how_to_enter_them(people, account, client):
    client.force_login(people.ada)
    page = client.get(reverse("record_bill"), headers={"Accept-Language": "en"}).content.decode()
    assert reverse("record_price_new") in page


def test_before_there_is_a_phone_system_the_pages_say_to_add_one(people, client):
    """A price list needs an account: nobody is led to a form that cannot be filled in."""
    client.force_login(people.ada)
    assert client.get(reverse("record_price_new")).headers["Location"] == reverse("record_prices")
    for name in ("record_bill", "record_prices", "record_imports"):
        page = client.get(reverse(name)).content.decode()
        assert reverse("admin:calls_provideraccount_add") in page, name
        assert reverse("record_price_new") not in page, name


def test_the_bill_takes_as_many_queries_for_many_calls(
    people, account, prices, client, django_assert_max_num_queries
):
    for n in range(20):
        make_told(account, "0.01", make_call(account, people.alice, n, f"+34600{n:06}"))
    with django_assert_max_num_queries(5):
        bill(people.ada)
