"""The files that Google, Outlook, iCloud, Nextcloud, Thunderbird and phones write: whom they are
about, with which numbers, and that they come out of the site and in again as they went in."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from calls.models import Contact, ContactImport

pytestmark = pytest.mark.once

FILES = Path(__file__).parents[2] / "fixtures" / "contacts"
# File -> name, company, reference and numbers (the preferred one first) of each contact.
CONTACTS = {
    "google-old-short.csv": [
        ("Elena Mora Solís", "Café Uno", "", "mobile +50688880401, work +50622220401"),
        ("Iván Petrov", "", "", "home +50622220402, home +50622220403"),
        ("Rosa Vega", "Taller Dos", "", "mobile +50688880404"),
    ],
    "google-old.csv": [
        (
            *("María José Ureña Céspedes", "Café del Valle", ""),
            "mobile +50688881001, work +50622221001, work +50622221002",
        ),
        ("Óscar Núñez", "", "", "main +50622221004, fax +50622221003, other +50688881005"),
        ("Ferretería Ñandú", "Ferretería Ñandú", "", "work +50622221006"),
        ("Chepe", "", "", "mobile +50688881007"),
    ],
    "google-new.csv": [
        (
            *("Íñigo Luis Peña Gil", "Taller Sur", ""),
            "mobile +34612345678, home +34912345678, fax +34912345679",
        ),
        ("Ana", "", "", "mobile +525512345678"),  # twice, in the old and the new spelling
        ("Panadería La Espiga", "Panadería La Espiga", "", "other +50622221101"),
    ],
    "outlook-en.csv": [
        (
            *("Lucía Brenes Mora", "Seguros Norte", ""),
            "mobile +50688881205, work +50622221202, work +50622221203, main +50622221200,"
            " home +50622221204, fax +50622221201",
        ),
        ("Juan Carlos Paz Jr.", "", "", "main +12125550199, home +13055550123"),
        ("Ferretería Luz", "Ferretería Luz", "", "work +50622221206"),
    ],
    "outlook-es.csv": [
        (
            *("Begoña Ibáñez Ruiz", "Muebles Ñuñoa; S.A.", ""),
            "mobile +50688881305, work +50622221302, work +50622221303, main +50622221300,"
            " home +50622221304, fax +50622221301",
        ),
        ("José Ángel Güell", "", "", "home +5491112345678, other +5511912345678"),
        ("Zapatería Sol", "Zapatería Sol", "", "work +50622221306"),
    ],
    "thunderbird.csv": [
        (
            *("Noé Ulloa", "Vivero Noé", ""),
            "mobile +50688881404, work +50622221401, home +50622221402, fax +50622221403",
        ),
        ("Eva Rojas", "", "", "work +50622221405"),
        ("Bodega Central", "", "", "other +50622221406"),
    ],
    "icloud.vcf": [
        (
            *("Sofía Araya Muñoz", "Clínica Ñ, S.A.", "1e2f3a4b-0001"),
            "mobile +50688881503, fax +50622221501, work +50622221502, main +50622221504,"
            " other +50688881505",
        ),
        ("Panadería La Espiga", "Panadería La Espiga", "1e2f3a4b-0002", "main +50622221506"),
    ],
    "nextcloud.vcf": [
        (
            *("Tomás Cascante", "Imprenta Río", "5d6e7f80-1111-4222-8333-444455556666"),
            "mobile +50688881602, work +50622221601, fax +50622221603",
        ),
        (
            *("Ximena Ávila", "", "5d6e7f80-1111-4222-8333-444455557777"),
            "mobile +50688881605, main +50622221607, work +50622221606, home +50622221604",
        ),
    ],
    "thunderbird.vcf": [
        (
            *("Raúl Vargas", "Lácteos del Sur", "b1e0c6a2-7777-4bbb-8ccc-1234567890ab"),
            "mobile +50688881704, work +50622221701, home +50622221702, fax +50622221703,"
            " other +50622221705",
        ),
        (
            *("Chayo", "", "b1e0c6a2-7777-4bbb-8ccc-1234567890ac"),
            "other +50688881706, mobile +50688881707",
        ),
    ],
    "phone.vcf": [
        (
            *("María de los Ángeles Jiménez Castañeda", "", ""),
            "work +50622221802, mobile +50688881801, other +50622221803",
        ),
        ("José Muñoz", "Repuestos Ñandú", "", "home +50622221804"),
    ],
    "folded.vcf": [("María José Ureña Céspedes de la Peña", "", "", "mobile +50688881901")],
    "companies.vcf": [
        ("Panadería La Espiga, Centro", "Panadería La Espiga, Centro", "", "other +50622220601"),
        ("Zapatería Sol", "Zapatería Sol", "", "other +50622220602"),
        ("Chepe", "", "", "mobile +50688880603"),
    ],
    "companies.csv": [
        ("Ferretería Luz", "Ferretería Luz", "", "other +50622220604"),
        ("Ana Rojas", "", "", "other +50688880605"),
    ],
    "preferred.vcf": [
        ("Juana Díaz", "", "urn:uuid:c-0801", "mobile +50688880801, home +50622220801"),
        ("Luis Paz", "", "c-0802", "mobile +50688880802, work +50622220802"),
        ("Sara Gil", "", "", "home +50622220803"),
        ("Teo Mar", "", "", "main +50688880804"),
        ("Uma Sol", "", "", "work +50622220805, fax +50622220806"),
        ("Vera Lara", "", "", "work +12125550807, mobile +50688880807"),
    ],
}


@pytest.fixture
def alice(client, people):
    client.force_login(people.alice)
    return people.alice


def in_the_book() -> list[tuple[str, str, str, str]]:
    return [
        (
            *(contact.name, contact.company, contact.external_id),
            ", ".join(f"{kind} {number}" for number, kind in contact.numbered),
        )
        for contact in Contact.objects.order_by("pk")
    ]


def taken_in(client, name: str, data: bytes, duplicates: str = "update") -> ContactImport:
    """As a person does it: the columns as they were guessed."""
    file = SimpleUploadedFile(name, data)
    page = client.post(reverse("contact_import"), {"file": file, "whose": "mine"}, follow=True)
    assert page.status_code == 200
    form = page.context["form"]
    said = {field.name: field.value() or "" for field in form} | {"duplicates": duplicates}
    page = client.post(page.redirect_chain[-1][0], said | {"take": "1"}, follow=True)
    what = page.context["what"]
    assert (what.state, what.errors) == ("done", [])
    return what


def exported(client, kind: str) -> bytes:
    return b"".join(client.get(reverse("contact_export", args=[kind])).streaming_content)


@pytest.mark.parametrize("name", CONTACTS)
def test_everybody_in_a_program_s_file_comes_with_all_numbers(client, alice, name):
    taken_in(client, name, (FILES / name).read_bytes())
    assert in_the_book() == CONTACTS[name]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "vcf"])
@pytest.mark.parametrize("name", CONTACTS)
def test_what_came_in_and_went_out_changes_nothing_when_it_comes_again(client, alice, name, kind):
    taken_in(client, name, (FILES / name).read_bytes())
    ours = exported(client, kind)
    for again, data in ((f"ours.{kind}", ours), (name, (FILES / name).read_bytes())):
        what = taken_in(client, again, data)
        assert (what.created, what.updated) == (0, 0)
        assert in_the_book() == CONTACTS[name]
    Contact.objects.all().delete()
    taken_in(client, f"ours.{kind}", ours)
    assert sorted(in_the_book()) == sorted(CONTACTS[name])
