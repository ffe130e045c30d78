"""The numbers of a contact: which is preferred, how they are kept, who is found by them."""

import pytest

from calls.models import Contact, ContactNumber, NumberKind
from common.phones import line_of

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

MOBILE, WORK, FAX = "+50688887777", "+50622221001", "+50622221002"


def numbers_of(contact):
    contact = Contact.objects.get(pk=contact.pk)
    rows = list(contact.numbers.values_list("number", "kind", "position"))
    assert [position for *_, position in rows] == list(range(len(rows)))
    assert contact.phone == (rows[0][0] if rows else "")
    return [(number, kind) for number, kind, _ in rows]


@pytest.fixture
def ana():
    contact = Contact(name="Ana")
    contact.set_numbers([("8888-7777", "mobile"), ("2222 1001", "work"), ("22221002", "fax")])
    return contact


def test_numbers_are_kept_in_order_the_first_is_preferred(ana):
    assert numbers_of(ana) == [(MOBILE, "mobile"), (WORK, "work"), (FAX, "fax")]
    assert [number.number for number in ana.other_numbers] == [WORK, FAX]
    ana.set_numbers([(WORK, "work"), (MOBILE, "mobile")])
    assert numbers_of(ana) == [(WORK, "work"), (MOBILE, "mobile")]


def test_one_line_is_kept_once_and_what_is_empty_not_at_all():
    contact = Contact(name="Luz")
    contact.set_numbers(
        [("+52 1 55 1234 5678", "other"), ("", "work"), ("+525512345678", "mobile"), ("  ", "x")]
    )
    assert numbers_of(contact) == [("+525512345678", "mobile")]
    contact.set_numbers([("+5491123456780", "blue"), ("+541123456780", "home")])
    assert numbers_of(contact) == [("+5491123456780", "home")]


def test_a_contact_that_is_saved_with_a_phone_has_that_number():
    contact = Contact.objects.create(name="Bo", phone="8888-7777")
    assert numbers_of(contact) == [(MOBILE, NumberKind.OTHER)]
    assert numbers_of(Contact.objects.create(name="Nobody")) == []


def test_a_changed_phone_becomes_the_preferred_number(ana):
    ana.phone = "+50622221001"  # one that it has
    ana.save()
    assert numbers_of(ana) == [(WORK, "work"), (MOBILE, "mobile"), (FAX, "fax")]
    ana.phone = "8888 0000"  # another, in the place of the first
    ana.save(update_fields=["phone"])
    assert numbers_of(ana) == [("+50688880000", "work"), (MOBILE, "mobile"), (FAX, "fax")]


def test_another_field_or_the_same_number_changes_no_number(ana, django_assert_num_queries):
    before = list(ContactNumber.objects.values_list("pk", flat=True))
    ana.name = "Ana María"
    ana.save()
    ana.save(update_fields=["name"])
    assert list(ContactNumber.objects.values_list("pk", flat=True)) == before


def test_many_at_once_have_their_numbers_too():
    made = Contact.objects.bulk_create(
        [Contact(name=f"P{n}", phone=f"+5068888000{n}") for n in range(3)]
    )
    assert [numbers_of(contact) for contact in made] == [
        [(f"+5068888000{n}", "other")] for n in range(3)
    ]
    made[0].phone = WORK
    Contact.objects.bulk_update(made, ["phone"])
    assert [numbers_of(contact)[0][0] for contact in made] == [WORK, "+50688880001", "+50688880002"]
    pairs = [(Contact(name="Q"), [("88887777", "mobile"), (WORK, "work")]), (Contact(name="R"), [])]
    both, none = Contact.objects.create_with_numbers(pairs, batch_size=10)
    assert (numbers_of(both), numbers_of(none)) == ([(MOBILE, "mobile"), (WORK, "work")], [])
    assert Contact.objects.search("q").get() == both
    Contact.objects.replace_numbers([(both, [(FAX, "fax")]), (none, [(WORK, "x")])], batch_size=10)
    assert (numbers_of(both), numbers_of(none)) == ([(FAX, "fax")], [(WORK, "other")])


@pytest.mark.parametrize("told", [MOBILE, "2222-1001", "+506 2222 1002"])
def test_a_contact_is_meant_by_any_of_its_numbers(people, ana, told):
    assert Contact.objects.meant_by(people.alice, "", line_of(told)) == ana
    assert Contact.objects.on_line(line_of(told)).get() == ana
    assert Contact.objects.meant_by(people.alice, "", line_of("+50622229999")) is None
    assert not Contact.objects.on_line("").exists()


def test_who_may_not_see_a_contact_does_not_mean_it(people, ana):
    Contact.objects.filter(pk=ana.pk).update(owner=people.carol)
    assert Contact.objects.meant_by(people.alice, "", line_of(WORK)) is None
    assert Contact.objects.meant_by(people.carol, "", line_of(WORK)) == ana


@pytest.mark.parametrize("typed", ["22221001", "2222 1002", "+506 8888", "1002", "\u202a2222 1001"])
def test_a_contact_is_found_by_any_of_its_numbers_once(ana, typed):
    assert list(Contact.objects.search(typed)) == [ana]


def test_a_contact_goes_with_its_numbers(ana):
    ana.delete()
    assert not ContactNumber.objects.exists()
