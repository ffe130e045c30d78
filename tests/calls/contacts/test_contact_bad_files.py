"""Files of contacts as they should not be: too large, empty, damaged, ambiguous. What can be taken
is taken, the rest is told in words, and nothing is lost on the way."""

import csv
import io

import phonenumbers
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import translation

from calls.contacts import files, importer, vcard
from calls.contacts.files import UnreadableFile
from calls.models import Contact, ContactImport
from common.phones import line_of

pytestmark = pytest.mark.once

SHARED = "Nombre;Móvil;Trabajo\nAna Mora;8888-0001;2222-0000\nLuis Paz;8888-0002;2222-0000\n"
ALONE = "Nombre;Teléfono\nAna Mora;2222-0000\nLuis Paz;2222-0000\n"
AMERICAS_AND_SPAIN = (
    *("AG", "AI", "AR", "AW", "BB", "BL", "BM", "BO", "BQ", "BR", "BS", "BZ", "CA", "CL", "CO"),
    *("CR", "CU", "CW", "DM", "DO", "EC", "ES", "FK", "GD", "GF", "GL", "GP", "GT", "GY", "HN"),
    *("HT", "JM", "KN", "KY", "LC", "MF", "MQ", "MS", "MX", "NI", "PA", "PE", "PM", "PR", "PY"),
    *("SR", "SV", "SX", "TC", "TT", "US", "UY", "VC", "VE", "VG", "VI"),
)


@pytest.fixture(autouse=True)
def in_spanish():
    with translation.override("es"):
        yield


@pytest.fixture
def alice(client, people):
    client.force_login(people.alice)
    return people.alice


def upload(client, data: bytes, name: str = "contactos.csv"):
    body = {"file": SimpleUploadedFile(name, data), "whose": "mine"}
    return client.post(reverse("contact_import"), body, follow=True)


def taken_in(person, data, duplicates="skip") -> ContactImport:
    data = data if isinstance(data, bytes) else data.encode()
    what = importer.draft(person, "contactos.csv", files.read(data), None, False)
    what.duplicates = duplicates
    what.save()
    return importer.take_in(what)


def in_the_book() -> list[tuple[str, list[str]]]:
    book = Contact.objects.order_by("pk").prefetch_related("numbers")
    return [(one.name, [number for number, _kind in one.numbered]) for one in book]


# --- Too much, too little -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "head"),
    [
        ("Persona {n},2{n:07d}\n", "Nombre,Teléfono\n"),
        ("BEGIN:VCARD\nFN:{n}\nTEL:2{n:07d}\nEND:VCARD\n", ""),
    ],
    ids=["csv", "vcf"],
)
def test_a_hundred_thousand_rows_are_refused_in_words(client, alice, row, head):
    rows = "".join(row.format(n=n) for n in range(100_000))
    page = upload(client, (head + rows).encode())
    assert page.status_code == 400
    assert "El archivo" in page.content.decode() and "como máximo" in page.content.decode()
    assert ContactImport.objects.count() == Contact.objects.count() == 0


def test_cards_beyond_the_most_are_not_even_read():
    cards = "BEGIN:VCARD\nFN:Ana\nTEL:88880001\nEND:VCARD\n" * 5
    assert len(list(vcard.rows_of(cards, 2))) == 3  # with the head


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf",
        b"\r\n\r\n",
        "Nombre,Teléfono\r\n".encode(),
        b"BEGIN:VCARD\nVERSION:3.0\nFN:Familia\nX-ADDRESSBOOKSERVER-KIND:group\nEND:VCARD\n",
    ],
    ids=["mark", "lines", "head", "group"],
)
def test_a_file_with_nobody_in_it_says_so(client, alice, data):
    page = upload(client, data)
    assert page.status_code == 400 and "Este archivo está vacío" in page.content.decode()


def test_huge_cells_are_told_or_taken(client, alice):
    note = "nota, " * 15_000
    rows = [
        ["Nombre", "Teléfono", "Notas"],
        ["Ana", "8888-0001", note],
        ["x" * 5000, "8888-0002", ""],
        ["Eva", "1" * 5000, ""],
        ["Ida", " ::: ".join(f"2222{n:04d}" for n in range(5000)), ""],
    ]
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    what = taken_in(alice, file.getvalue())
    assert [(name, len(numbers)) for name, numbers in in_the_book()] == [("Ana", 1), ("Ida", 20)]
    assert [row for row, _sentence in what.errors] == [3, 4]
    assert what.remarks == [(5, "Solo se guardan los primeros 20 números.")]
    page = upload(client, b"Nombre,Tel\nAna," + b"8" * 200_000)
    assert page.status_code == 400 and "demasiado larga" in page.content.decode()


# --- Damaged ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ("Nombre,Tel\nÁngela,88880001\nÍñigo,88880002\n".encode("utf-16-le"), "Ángela Íñigo"),
        ("Nombre,Tel\nÁngela,88880001\nÍñigo,88880002\n".encode("utf-16-be"), "Ángela Íñigo"),
        (
            "Nombre,Tel\nÁngela,88880001\n".encode() + "Íñigo,88880002\n".encode("cp1252"),
            "Ángela Íñigo",
        ),
        (
            "Nombre,Tel\nÁngela,88880001\n".encode() + b"I\xc3\xb1a\xffki,88880002\n",
            "Ángela Iña�ki",
        ),
        ("Nombre,Tel\nÁngela,88880001\nEva,88880002,\xc3".encode("latin-1"), "Ángela Eva"),
    ],
    ids=["utf-16-le", "utf-16-be", "mixed", "one bad byte", "cut"],
)
def test_broken_encodings_spoil_no_more_than_their_own_line(people, data, names):
    taken_in(people.alice, data)
    assert [name for name, _numbers in in_the_book()] == names.split()


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\x00\x00", b"a\x00b,c\n", b"\x00" * 500])
def test_what_is_no_text_is_refused(data):
    with pytest.raises(UnreadableFile):
        files.read(data)


def test_cards_that_were_cut_off_are_told_and_spoil_no_other(people):
    whole = "BEGIN:VCARD\nFN:Ana\nTEL:88880001\nEND:VCARD\n"
    cut = "BEGIN:VCARD\nFN:Eva\nTEL:8888\n"
    what = taken_in(people.alice, whole + cut + whole.replace("1", "3").replace("Ana", "Ida") + cut)
    assert in_the_book() == [("Ana", ["+50688880001"]), ("Ida", ["+50688880003"])]
    assert {row for row, _sentence in what.errors} == {2, 4}


@pytest.mark.parametrize("text", ["5,06889E+10", "5.06889E+10", "no tiene", "ext. 12", "-"])
def test_what_is_no_number_keeps_nobody_out_who_has_another(people, text):
    rows = ["Nombre;Celular;Casa", f"Ana;{text};2222-0001", f"Eva;{text};", "Ida;8888-0002;"]
    what = taken_in(people.alice, "\n".join(rows))
    assert in_the_book() == [("Ana", ["+50622220001"]), ("Ida", ["+50688880002"])]
    assert what.remarks == [(2, f"Sin «{text}», que no es un número de teléfono.")]
    assert what.errors == [(3, f"«{text}» no es un número de teléfono.")]


@pytest.mark.parametrize(
    "cell",
    [
        "2222-0001 / 8888-0002",
        "2222 0001; 8888 0002",
        "22220001 y 88880002",
        "2222-0001\n8888-0002",
    ],
)
def test_two_numbers_in_one_cell_are_two(people, cell):
    file = io.StringIO()
    csv.writer(file).writerows([["Nombre", "Teléfono"], ["Ana", cell]])
    taken_in(people.alice, file.getvalue())
    assert in_the_book() == [("Ana", ["+50622220001", "+50688880002"])]


# --- Two people of one number -------------------------------------------------------------------


@pytest.mark.parametrize("duplicates", ["skip", "update", "keep"])
@pytest.mark.parametrize("text", [SHARED, ALONE], ids=["another number, too", "that number alone"])
def test_two_people_of_one_number_stay_two(people, text, duplicates):
    taken_in(people.alice, text, duplicates)
    before = in_the_book()
    assert [name for name, _numbers in before] == ["Ana Mora", "Luis Paz"]
    assert all("+50622220000" in numbers for _name, numbers in before)
    if duplicates != "keep":
        again = taken_in(people.alice, text, duplicates)
        assert (again.created, again.updated, again.skipped) == (0, 0, 2)
        assert in_the_book() == before


def test_thousands_of_one_number_are_told_apart_without_comparing_all(people):
    names = [f"Empleado {n}" for n in range(5000)]
    text = "\n".join(["Nombre;Teléfono", *(f"{name};2222-0000" for name in names)])
    assert taken_in(people.alice, text).created == len(names)
    again = taken_in(people.alice, text, "update")
    assert (again.created, again.updated, again.skipped) == (0, 0, len(names))


def test_a_number_that_two_share_makes_nobody_another(people):
    taken_in(people.alice, SHARED)
    third = "Nombre;Móvil;Trabajo\nEva Gil;8888-0003;2222-0000\n"
    taken_in(people.alice, third, "update")
    assert [name for name, _numbers in in_the_book()] == ["Ana Mora", "Luis Paz", "Eva Gil"]


def test_who_is_left_out_for_a_number_of_another_name_is_told(people):
    Contact.objects.create(name="Ana Mora", phone="22220000", owner=people.alice)
    what = taken_in(people.alice, "Nombre;Teléfono\nLuis Paz;2222-0000\nMora, Ana;2222-0000\n")
    assert what.remarks == [] and what.created == 1  # the file knows both, so they are two
    Contact.objects.filter(name="Luis Paz").delete()
    what = taken_in(people.alice, "Nombre;Teléfono\nLuis Paz;2222-0000\n")
    assert what.remarks == [(2, "«Luis Paz» tiene el número de «Ana Mora», que ya está.")]


def test_one_person_in_two_spellings_of_a_number_is_one(people):
    rows = ["Ana,+52 1 55 1234 5678", "Ana,+52 55 1234 5678", "Eva,+54 9 11 1234-5678"]
    taken_in(people.alice, "\n".join(["Nombre,Teléfono", *rows, "Eva,+54 11 1234-5678"]))
    assert [name for name, _numbers in in_the_book()] == ["Ana", "Eva"]


# --- Every country of the Americas, and Spain ---------------------------------------------------


@pytest.mark.parametrize("kind", ["MOBILE", "FIXED_LINE"])
@pytest.mark.parametrize("form", ["INTERNATIONAL", "E164", "RFC3966"])
def test_a_number_of_each_country_is_taken_and_comes_again(people, kind, form):
    kind, form = (
        getattr(phonenumbers.PhoneNumberType, kind),
        getattr(phonenumbers.PhoneNumberFormat, form),
    )
    numbers = {
        region: phonenumbers.format_number(example, form)
        for region in AMERICAS_AND_SPAIN
        if (example := phonenumbers.example_number_for_type(region, kind)) is not None
    }
    assert len(numbers) > 45
    text = "Nombre;Teléfono\n" + "".join(f"{one};{number}\n" for one, number in numbers.items())
    what = taken_in(people.alice, text)
    assert what.errors == [] and what.remarks == []
    known = {one.name: one.numbers.get().line for one in Contact.objects.all()}
    assert known == {region: line_of(number) for region, number in numbers.items()}
    again = taken_in(people.alice, text, "update")
    assert (again.created, again.updated, again.skipped) == (0, 0, len(numbers))


# --- Formulas -----------------------------------------------------------------------------------

FORMULAS = ['=HYPERLINK("http://x")', "+SUM(1)", "-2+3", "@SUM(A1)", '=cmd|"/C calc"!A0']


@pytest.mark.parametrize("kind", ["csv", "xlsx", "vcf"])
def test_what_looks_like_a_formula_runs_nowhere_and_comes_again_as_it_was(client, alice, kind):
    for place, text in enumerate(FORMULAS):
        contact = Contact(name=text, company=text, external_id=text, owner=alice)
        contact.set_numbers([(f"8888000{place}", "mobile"), (f"2222000{place}", "work")])
    before = in_the_book()
    data = b"".join(client.get(reverse("contact_export", args=[kind])).streaming_content)
    if kind == "csv":
        cells = [
            c
            for row in csv.reader(io.StringIO(data.decode("utf-8-sig")), delimiter=";")
            for c in row
        ]
        assert {cell[0] for cell in cells if cell}.isdisjoint("=+-@\t\r")
    what = taken_in(alice, data, "update")
    assert (what.created, what.updated, what.errors) == (0, 0, [])
    Contact.objects.all().delete()
    taken_in(alice, data)
    assert sorted(in_the_book()) == sorted(before)
