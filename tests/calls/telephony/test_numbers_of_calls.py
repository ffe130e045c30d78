"""One phone that is told as several numbers: whose call it is, and which click asked for it."""

import json

import pytest

from accounts.models import User
from calls import services
from calls.models import CallLog, Contact, ProviderIdentity
from calls.providers.generic import signature
from calls.providers.reading import number_in
from calls.services import ReportedTime
from calls.services.matching import same_number
from calls.telephony import assignment
from calls.telephony.setup import hook_address
from common.instants import from_ms, isoformat
from common.phones import line_of
from tests.support.people import make_pbx, yesterday_noon

pytestmark = [pytest.mark.django_db, pytest.mark.once]

# As a contact is stored (in the site's region), and as the call comes.
PAIRS = [
    ("MX", "+525512345678", "+5215512345678"),
    ("MX", "+5215587654321", "+525587654321"),
    ("MX", "044 55 1234 5678", "5512345678"),
    ("CR", "+525512345678", "5215512345678"),
    ("AR", "+5491123456789", "+541123456789"),
    ("AR", "+541187654321", "+5491187654321"),
    ("AR", "011 15-2345-6780", "+5491123456780"),
    ("AR", "+54 9 351 15 123 4567", "0351 123-4567"),
    ("BR", "+5511987654321", "+551187654321"),
    ("BR", "+553187651234", "+5531987651234"),
    ("CR", "\u202a8888\u200b-7777\u202c", "+506 8888 7777"),
    ("CR", "88887777", "\u206650688887777\u2069"),
]
BOTH_WAYS = [*PAIRS, *((region, heard, stored) for region, stored, heard in PAIRS)]
SECRET = "s3cret"


@pytest.fixture
def pbx(people):
    account = make_pbx(people, "generic")
    account.add_secret("secret", SECRET)
    account.save()
    return account


@pytest.fixture
def at():
    return yesterday_noon()


def tell(client, account, at, number, *kinds, **more):
    """Events of one call of 1001 by the hook, ten seconds apart."""
    events = [
        {"event": kind, "call_id": "c1", "agent": "1001", "number": number, "direction": "outbound"}
        | {"at": isoformat(from_ms(at + place * 10_000))}
        | more
        for place, kind in enumerate(kinds)
    ]
    body = json.dumps({"events": events}).encode()
    headers = {
        "x-callmanager-timestamp": "1767607311",
        "x-callmanager-signature": signature(SECRET, "1767607311", body),
    }
    address = hook_address(account).split("//", 1)[-1]
    answer = client.post(
        address[address.index("/") :], body, content_type="application/json", headers=headers
    )
    assert answer.status_code in (200, 204), answer.content


WHOLE = ("started", "answered", "ended")


@pytest.mark.parametrize(("region", "stored", "heard"), BOTH_WAYS)
def test_a_call_is_with_the_contact_however_both_numbers_are_written(
    client, pbx, at, settings, region, stored, heard
):
    settings.DEFAULT_PHONE_REGION = region
    contact = Contact.objects.create(name="Ana", phone=stored)
    tell(client, pbx, at, heard, *WHOLE)
    call = CallLog.objects.get()
    assert (call.contact, call.contact_phone) == (contact, heard)
    assert Contact.objects.search(heard).get() == contact  # and is found so, too
    assert CallLog.objects.search(stored).get() == call


@pytest.mark.parametrize("clicked_first", [True, False])
@pytest.mark.parametrize(("region", "clicked", "heard"), BOTH_WAYS)
def test_a_click_and_its_call_are_one_and_end_together(
    client, people, pbx, at, settings, region, clicked, heard, clicked_first
):
    settings.DEFAULT_PHONE_REGION = region

    def click():
        reported = ReportedTime(from_ms(at - 2000), explicit=True)
        return services.start_call(people.alice, contact_phone=clicked, reported=reported)[0]

    if clicked_first:
        click()
        tell(client, pbx, at, heard, *WHOLE)
    else:
        tell(client, pbx, at, heard, "started")
        click()
        tell(client, pbx, at, heard, *WHOLE)
    call = CallLog.objects.get()
    assert call.provider_call_id == "c1" and call.end_time == from_ms(at + 20_000)


def test_a_call_of_a_program_is_with_any_number_of_its_contact(people):
    ana = Contact(name="Ana")
    ana.set_numbers([("8888-7777", "mobile"), ("+5491123456789", "work")])
    call, _ = services.start_call(people.alice, contact_phone="+54 11 2345-6789")
    assert call.contact == ana
    call, _ = services.start_call(people.alice, contact_phone="+54 11 2345-6780")
    assert call.contact is None


@pytest.mark.parametrize(
    ("told", "typed"),
    [
        ("+5215512345678", ["5512345678", "1234 5678", "5678", "+52 1 55 12", "044 55 1234 5678"]),
        ("+5491123456789", ["11 2345 6789", "9 11 2345-6789", "23456789", "54112345"]),
        ("+551187654321", ["11 98765 4321", "1187654321", "+55 11 9876", "87654321", "4321"]),
        ("+34612345678", ["612 345 678", "34612", "0034 612"]),
        ("+50688887777", ["8888-7777", "50688", "7777"]),
        ("+17875551234", ["787 555", "1234", "1 787 555 1234"]),
    ],
)
def test_the_history_finds_a_number_by_its_beginning_or_its_end(people, told, typed):
    call, _ = services.start_call(people.alice, contact_phone=told)
    services.start_call(people.alice, contact_phone="+50640001400")
    for text in typed:
        assert list(CallLog.objects.search(text)) == [call], text


def test_what_is_on_the_wall_is_no_mobile(client, people, pbx, at):
    Contact.objects.create(name="Wall", phone="+551132654321")
    tell(client, pbx, at, "+5511932654321", *WHOLE)
    assert CallLog.objects.get().contact is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+525512345678", "+525512345678", True),
        ("+525512345678", "95512345678", True),  # dialled with a 9 for an outside line
        ("+50688887777", "988887777", True),
        ("+50688887777", "00050688887777", True),
        ("+50688887777", "+50688887778", False),
        ("+50688887777", "7777", False),
        ("+50688887777", "+34688887777", False),
        ("1001", "1001", True),
        ("1001", "21001", False),
        ("", "+50688887777", False),
    ],
)
def test_what_of_two_numbers_is_one(one, other, same):
    assert same_number(one, other) is same_number(other, one) is same


# --- People whose phone is a number ---


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ("+5491140001400", "+541140001400"),
        ("+541140001400", "+54 9 11 4000-1400"),
        ("+5215540001400", "+525540001400"),
        ("+525540001400", "+5215540001400"),
        ("+551187650000", "+5511987650000"),
        ("\u200e801", "801"),
        ("801", "801\u200b"),
    ],
)
def test_an_agent_is_known_by_any_spelling(client, people, pbx, at, stored, told):
    ProviderIdentity.objects.create(account=pbx, identity=stored, user=people.carol)
    tell(client, pbx, at, "88887777", *WHOLE, agent=told)
    assert CallLog.objects.get().user == people.carol


@pytest.mark.parametrize(
    ("extension", "told"),
    [
        ("4000-1400", "+50640001400"),
        ("+54 9 11 4000 1400", "+541140001400"),
        ("+525540001400", "5215540001400"),
    ],
)
def test_an_extension_that_is_a_number_is_known_by_any_spelling(
    client, people, pbx, at, extension, told
):
    User.objects.filter(pk=people.carol.pk).update(extension=extension)
    tell(client, pbx, at, "88887777", *WHOLE, agent=told)
    assert CallLog.objects.get().user == people.carol


@pytest.mark.parametrize("told", ["+506 4000-1400", "ANA@example.com", "+54 11 4000 1400"])
def test_calls_that_wait_are_found_however_their_agent_is_written(client, people, pbx, at, told):
    tell(client, pbx, at, "88887777", *WHOLE, agent=told)
    assert CallLog.objects.get().user is None
    stored = {"+54 11 4000 1400": "+5491140001400"}.get(told, told)
    identity = ProviderIdentity.objects.create(account=pbx, identity=stored, user=people.carol)
    assert assignment.assign_waiting(pbx, identity.identity, people.carol, people.ada) == 1
    assert CallLog.objects.get().user == people.carol


@pytest.mark.parametrize(
    "address", ["\u200esip:+5068888\u200b7777@pbx", "sip:%E2%80%8E88887777@pbx"]
)
def test_marks_that_nobody_sees_hide_no_number_in_an_address(address):
    assert line_of(number_in(address)) == "+50688887777"
