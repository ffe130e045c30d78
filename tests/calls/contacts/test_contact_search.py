"""Finding somebody to call: as people type, without capitals and accents."""

import pytest

from calls.models import Contact
from common.text import folded

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


@pytest.fixture
def contacts():
    for name, phone, company in [
        ("Adrián Ñúñez", "+50688887777", "Café Tarrazú"),
        ("Ana Solano", "+50622223333", "ACME"),
    ]:
        Contact.objects.create(name=name, phone=phone, company=company, external_id=f"crm-{name}")


@pytest.mark.parametrize(
    "typed",
    [
        "adrian",
        "ADRIÁN",
        "ñúñez",
        "nunez",
        "Adria\u0301n",
        "cafe tarrazu",
        "8888-77",
        "CRM-Adrián Ñúñez",
    ],
)
def test_a_contact_is_found_as_it_is_typed(contacts, typed):
    assert [contact.name for contact in Contact.objects.search(typed)] == ["Adrián Ñúñez"]


def test_what_nobody_is_called_finds_nobody(contacts):
    assert not Contact.objects.search("100%").exists()
    assert Contact.objects.search("  ").count() == 2


def test_a_new_name_is_found_at_once(contacts):
    ana = Contact.objects.get(name="Ana Solano")
    ana.name = "José Peña"
    ana.save()
    assert list(Contact.objects.search("jose pena")) == [ana]


def test_folding_keeps_words_apart():
    assert folded("  Straße  ÉCOLE ") == "strasse ecole"
