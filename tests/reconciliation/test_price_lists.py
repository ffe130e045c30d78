"""Price lists are entered a row a price, copied, changed and deleted."""

import datetime as dt

import pytest
from django.urls import reverse

from calls.models import ProviderAccount
from reconciliation.models import PriceList

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def account():
    return ProviderAccount.objects.create(kind="generic", name="centralita")


@pytest.fixture
def ada(people, client):
    client.force_login(people.ada)
    return client


def sent(account, *rows, **more):
    """A form with `rows` of (prefix, direction, per minute, connection, step)."""
    names = ("digits", "direction", "per_minute", "connection", "step")
    fields = {
        f"form-{place}-{name}": value
        for place, row in enumerate(rows)
        for name, value in zip(names, row, strict=True)
    }
    head = {"account": account.pk, "valid_from": "2026-01-01", "currency": "eur"}
    forms = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": 0}
    return head | forms | fields | more


EMPTY = ("", "", "", "", "60")


def test_a_list_is_kept_as_it_was_typed(ada, account):
    rows = [("", "", "0.05", "", "60"), EMPTY, ("+34 6", "outbound", "0,0085", "0,01", "1")]
    answer = ada.post(reverse("record_price_new"), sent(account, *rows))
    assert answer.status_code == 302
    kept = PriceList.objects.get()
    assert (kept.account, kept.valid_from, kept.currency) == (account, dt.date(2026, 1, 1), "EUR")
    assert kept.rates == [
        {"prefix": "", "direction": "", "per_minute": "0.05", "connection": "0", "step": 60},
        {
            "prefix": "346",
            "direction": "outbound",
            "per_minute": "0.0085",
            "connection": "0.01",
            "step": 1,
        },
    ]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([EMPTY], "Write at least one price."),
        ([("34", "", "", "", "60")], "What does a minute cost?"),
        ([("mobiles", "", "1", "", "60")], "A prefix is the first digits of a number"),
        ([("34", "", "1", "", "60"), ("+34", "", "2", "", "1")], "stands here twice"),
        ([("34", "", "-1", "", "60")], "greater than or equal to 0"),
        ([("34", "", "much", "", "60")], "Enter a number"),
        ([("34", "", "1", "", "7")], "Select a valid choice"),
        ([("34", "sideways", "1", "", "60")], "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(rows, words, ada, account):
    address = reverse("record_price_new")
    answer = ada.post(address, sent(account, *rows), headers={"Accept-Language": "en"})
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not PriceList.objects.exists()


def test_one_account_has_one_list_a_day(ada, account):
    row = ("", "", "0.05", "", "60")
    assert ada.post(reverse("record_price_new"), sent(account, row)).status_code == 302
    assert ada.post(reverse("record_price_new"), sent(account, row)).status_code == 400
    assert ada.post(reverse("record_price_new"), {}).status_code == 400
    assert PriceList.objects.count() == 1


def test_more_rows_keep_what_was_typed(ada, account):
    rows = [("34", "", "0.05", "", "60")] * 4
    answer = ada.post(reverse("record_price_new"), sent(account, *rows, more="1"))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert page.count('value="0.05"') == 4
    assert "form-7-digits" in page
    assert not PriceList.objects.exists()


def test_a_list_is_changed_copied_and_deleted(ada, account):
    row = ("346", "", "0.05", "", "60")
    ada.post(reverse("record_price_new"), sent(account, row))
    kept = PriceList.objects.get()
    address = reverse("record_price", args=[kept.pk])
    assert 'value="+346"' in ada.get(address).content.decode()
    copied = ada.get(reverse("record_price_new"), {"from": kept.pk}).content.decode()
    assert 'value="+346"' in copied
    ada.post(address, sent(account, ("346", "", "0.07", "", "60")))
    kept.refresh_from_db()
    assert kept.rates[0]["per_minute"] == "0.07"
    ada.post(reverse("record_price_delete", args=[kept.pk]))
    assert not PriceList.objects.exists()
    assert ada.get(address).status_code == 404
    assert reverse("record_price_new") in ada.get(reverse("record_prices")).content.decode()


def test_a_round_price_is_shown_as_it_was_typed(ada, account):
    """Ten must not come back as 1E+1."""
    row = ("+506", "", "20.00", "10", "60")
    ada.post(reverse("record_price_new"), sent(account, row))
    kept = PriceList.objects.get()
    assert (kept.rates[0]["per_minute"], kept.rates[0]["connection"]) == ("20", "10")
    kept.rates = [{**kept.rates[0], "connection": "1E+1"}]  # as it was kept once
    kept.save()
    page = ada.get(reverse("record_price", args=[kept.pk])).content.decode()
    assert 'value="10"' in page and "E+" not in page
