"""Contacts from files and into files: what is read, what becomes of a row, and taking it back."""

import csv
import io
import zipfile

import openpyxl
import pytest
import vobject
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import translation

from calls.contacts import columns, files, importer
from calls.contacts.files import UnreadableFile
from calls.errors import BadCallData, CallConflict
from calls.models import Contact, ContactImport
from tests.support.people import make_call

pytestmark = pytest.mark.engines


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def rows_of(data: bytes) -> list[list[str]]:
    return files.read(data).rows


def workbook(*rows) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def draft(person, data, team=None, for_everybody=False, duplicates="skip") -> ContactImport:
    data = data if isinstance(data, bytes) else data.encode()
    sheet = files.read(data)
    what = importer.draft(person, "contacts.csv", sheet, team, for_everybody)
    what.duplicates = duplicates
    what.save()
    return what


def taken_in(*args, **kwargs) -> ContactImport:
    return importer.take_in(draft(*args, **kwargs))


def stored(**which) -> list[tuple[str, str]]:
    return list(Contact.objects.filter(**which).order_by("pk").values_list("name", "phone"))


# --- Reading ------------------------------------------------------------------------------------

MUNOZ = [["Nombre", "Teléfono"], ["Íñigo Muñoz", "8888 7777"]]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_csv_is_read_in_every_usual_encoding_and_separator(encoding, separator):
    text = "\r\n".join(separator.join(row) for row in MUNOZ)
    assert rows_of(text.encode(encoding)) == MUNOZ


def test_quotes_empty_lines_and_excel_s_hint_are_understood():
    text = (
        'sep=;\r\nName;Phone;Company\r\n"Mora; Ana";88887777\r\n;;\r\n"Two\nlines";1;"A ""B"""\r\n'
    )
    assert rows_of(text.encode()) == [
        ["Name", "Phone", "Company"],
        ["Mora; Ana", "88887777", ""],
        ["Two\nlines", "1", 'A "B"'],
    ]


def test_an_excel_file_is_read_from_its_first_sheet_with_anything_in_it():
    book = openpyxl.Workbook()
    sheet = book.create_sheet("People")
    sheet.append(["Nombre", "Teléfono"])
    sheet.append(["Ana", 88887777.0])
    sheet.append([None, None])
    file = io.BytesIO()
    book.save(file)
    assert rows_of(file.getvalue()) == [["Nombre", "Teléfono"], ["Ana", "88887777"]]


CARDS = """BEGIN:VCARD
VERSION:3.0
FN:Ana Mora
TEL;TYPE=FAX:2222 0000
TEL;TYPE=CELL:8888 7777
ORG:Acme\\, S.A.;Ventas
UID:crm-1
END:VCARD
BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Mu=C3=B1oz;Jos=C3=A9
TEL;HOME;PREF:22221001
END:VCARD
BEGIN:VCARD
nonsense
END:VCARD
"""


def test_vcards_give_the_number_they_prefer_and_one_bad_card_spoils_no_other():
    head, ana, jose, bad = rows_of(CARDS.replace("\n", "\r\n").encode())
    assert head == [
        *("name", "phone", "company", "reference", "phone type"),
        *("phone 2", "phone 2 type"),
    ]
    assert ana == [
        *("Ana Mora", "8888 7777", "Acme, S.A.", "crm-1", "mobile"),
        *("2222 0000", "fax"),
    ]
    assert jose == ["José Muñoz", "22221001", "", "", "home", "", ""]
    assert bad[:2] == ["", ""]


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b" " * (100 * 1024 * 1024))
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "nothing in this file"),
        (b"\n,,\n", "nothing in this file"),
        (b"x" * (5 * 1024 * 1024 + 1), "at most 5 MiB"),
        (b"\n".join([b"a,1"] * 20_002), "at most 20000"),
        (b"a\x00b,c", "damaged"),
        (b'"' + b"a" * 200_000 + b'"', "damaged"),
        (b"PK\x03\x04 no zip", "damaged or protected"),
        (b"\xd0\xcf\x11\xe0 old", "old Excel file"),
        (workbook(["a"])[:900], "damaged or protected"),
    ],
    ids=["empty", "blank", "large", "long", "binary", "cell", "no zip", "xls", "cut"],
)
def test_a_file_that_cannot_be_taken_is_refused_in_words(data, sentence):
    with pytest.raises(UnreadableFile, match=sentence):
        files.read(data)


def test_a_file_that_unpacks_to_very_much_is_refused_before_it_is():
    with pytest.raises(UnreadableFile, match="unpacked"):
        files.read(bomb())


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (["Nombre", "Apellidos", "Teléfono móvil", "Empresa"], "name surname phone company"),
        (["ID", "Full name", "Phone Number", "Organisation"], "external_id name phone company"),
        (["First Name", "Last Name", "Mobile Phone", "Notes"], "name surname phone -"),
        (["Name", "Organization 1 - Name", "Phone 1 - Value"], "name company phone"),
        (["CONTACT_ID", "cliente", "celular"], "external_id name phone"),
        (["Wer", "Wohin", "Was"], "name phone -"),
        (["Nombre", "Código postal", "Teléfono principal de la empresa"], "name - phone"),
        (
            ["Nombres", "Apellido paterno", "Apellido materno", "Celular"],
            "name surname second_surname phone",
        ),
        (["Nombre de la empresa", "Nombre", "Número telefónico"], "company name phone"),
        (
            ["Record ID", "First Name", "Account Name", "Asst Phone", "Mobile"],
            "external_id name company - phone",
        ),
    ],
)
def test_columns_are_guessed_from_their_names_and_else_from_what_stands_in_them(head, expected):
    row = {"phone": "8888 7777"}
    fields = expected.split()
    found = columns.guess(head, [[row.get(name, "word") for name in fields]])
    assert found == {name: place for place, name in enumerate(fields) if name != "-"}


def test_a_file_without_a_head_has_its_columns_numbered(people):
    what = draft(people.alice, "Ana;88887777\nEva;88886666\n")
    assert (what.head, len(what.rows), what.first_row) == (["Column 1", "Column 2"], 2, 1)
    assert what.mapping == {"name": 0, "phone": 1}


# --- What becomes of a row ----------------------------------------------------------------------


def test_contacts_become_one_s_own_a_team_s_or_everybody_s(people):
    taken_in(people.alice, "name,phone\nAna,88887777\n")
    taken_in(people.sue, "name,phone\nEva,88886666\n", team=people.red)
    taken_in(people.ada, "name,phone\nIda,88885555\n", for_everybody=True)
    assert list(Contact.objects.order_by("pk").values_list("name", "owner", "team")) == [
        ("Ana", people.alice.pk, None),
        ("Eva", None, people.red.pk),
        ("Ida", None, None),
    ]
    assert Contact.objects.search("ana").count() == 1  # what search reads is written, too


def test_faults_are_told_by_row_and_do_not_hold_up_the_others(people):
    long = "x" * 101
    rows = [",,88887777,", "Ana,,12,", "Eva,Mora,,", f"Ida,Mora,88885555,{long}"]
    text = "\n".join(["name,surname,phone,ref", *rows, "Zoe,Mora,88884444,"])
    what = taken_in(people.alice, text)
    assert stored() == [("Zoe Mora", "+50688884444")]
    assert [tuple(error) for error in what.errors] == [
        (2, "The name is missing."),
        (3, "“12” is not a phone number."),
        (4, "The phone number is missing."),
        (5, "Reference is too long: at most 100 characters."),
    ]


TWICE = "name,phone,company\nAna,8888 7777,\nAna María,+506 8888-7777,Acme\nEva,88886666,\n"


@pytest.mark.parametrize(
    ("duplicates", "expected"),
    [
        ("skip", [("Old Eva", ""), ("Ana", "")]),
        ("update", [("Eva", ""), ("Ana María", "Acme")]),
        ("keep", [("Old Eva", ""), ("Ana", ""), ("Ana María", "Acme"), ("Eva", "")]),
    ],
)
def test_who_is_there_already_in_the_book_or_in_the_file(people, duplicates, expected):
    Contact.objects.create(name="Old Eva", phone="88886666", owner=people.alice)
    taken_in(people.alice, TWICE, duplicates=duplicates)
    assert list(Contact.objects.order_by("pk").values_list("name", "company")) == expected


def test_the_reference_says_who_it_is_before_the_number_does(people):
    ana = Contact.objects.create(
        name="Ana", phone="88887777", external_id="7", owner=people.alice, company="Acme"
    )
    taken_in(people.alice, "id,name,phone,company\n7,Ana M,88880000,\n", duplicates="update")
    ana.refresh_from_db()
    assert (ana.name, ana.phone, ana.company) == ("Ana M", "+50688880000", "Acme")
    assert [number for number, _kind in ana.numbered] == ["+50688880000", "+50688887777"]


@pytest.mark.parametrize("duplicates", ["skip", "update", "keep"])
def test_what_is_shared_or_others_is_never_changed(people, duplicates):
    Contact.objects.create(name="Shared", phone="88887777")
    Contact.objects.create(name="Carol's", phone="88886666", external_id="9", owner=people.carol)
    text = "id,name,phone\n,Ana,88887777\n,Eva,88886666\n9,Ida,88885555\n"
    what = taken_in(people.alice, text, duplicates=duplicates)
    others = Contact.objects.exclude(owner=people.alice)
    assert sorted(others.values_list("name", flat=True)) == ["Carol's", "Shared"]
    assert [tuple(error) for error in what.errors] == [(4, "Another contact has this reference.")]
    mine = {name for name, _phone in stored(owner=people.alice)}
    assert mine == ({"Ana", "Eva"} if duplicates == "keep" else {"Eva"})


@pytest.mark.parametrize("duplicates", ["skip", "update", "keep"])
def test_one_reference_is_never_given_to_two(people, duplicates):
    for name, phone in (("One", "88880001"), ("Two", "88880002")):
        Contact.objects.create(name=name, phone=phone, owner=people.alice)
    text = "id,name,phone\nA,One,88880001\nA,Two,88880002\nA,Three,88880003\n"
    taken_in(people.alice, text, duplicates=duplicates)
    assert Contact.objects.filter(external_id="A").count() == 1


def test_a_file_is_taken_in_once_and_only_with_name_and_number(people):
    what = draft(people.alice, "name,phone\nAna,88887777\n")
    importer.take_in(what)
    with pytest.raises(CallConflict):
        importer.take_in(what)
    other = draft(people.alice, "name,other\nAna,x\n")
    with pytest.raises(BadCallData, match="Phone"):
        importer.take_in(other)


def test_ten_thousand_rows_take_few_statements(people, django_assert_max_num_queries):
    text = "name,phone,id\n" + "".join(f"Person {n},2{n:07d},r{n}\n" for n in range(10_000))
    what = draft(people.alice, text)
    with django_assert_max_num_queries(200):
        assert importer.take_in(what).created == 10_000


# --- Taking back --------------------------------------------------------------------------------


def test_an_import_is_taken_back_as_a_whole(people):
    old = Contact.objects.create(name="Old", phone="88886666", owner=people.alice, company="Acme")
    what = taken_in(people.alice, TWICE, duplicates="update")
    make_call(people.alice, contact=Contact.objects.get(name="Ana María"))
    importer.take_back(what)
    assert stored() == [("Old", "+50688886666")]
    assert Contact.objects.search("old").get() == old
    assert people.alice.calls.get().contact_phone == "+50688887777"
    with pytest.raises(CallConflict):
        importer.take_back(what)


def test_numbers_are_added_to_those_that_are_known_and_taken_back(people):
    ana = Contact(name="Ana", owner=people.alice)
    ana.set_numbers([("88887777", "mobile"), ("22220001", "home")])
    text = "name,work phone,phone,phone type\nAna Mora,22220002,+506 2222 0001,\n"
    what = taken_in(people.alice, text, duplicates="update")
    ana = Contact.objects.get()
    assert ana.numbered == [
        ("+50622220001", "home"),  # of a kind that the file does not know
        ("+50622220002", "work"),
        ("+50688887777", "mobile"),
    ]
    importer.take_back(what)
    ana = Contact.objects.get()
    assert ana.numbered == [("+50688887777", "mobile"), ("+50622220001", "home")]
    assert (ana.name, ana.phone) == ("Ana", "+50688887777")


def test_an_import_of_the_time_of_one_number_is_taken_back(people):
    ana = Contact.objects.create(name="Ana", phone="88880002", owner=people.alice)
    what = ContactImport.objects.create(
        person=people.alice,
        file_name="old.csv",
        state="done",
        changes={
            "created": [],
            "updated": {str(ana.pk): {"phone": ["+50688880001", "+50688880002"]}},
        },
    )
    importer.take_back(what)
    ana = Contact.objects.get()
    assert (ana.phone, ana.numbered) == ("+50688880001", [("+50688880001", "other")])


def test_what_somebody_changed_since_stays_changed(people):
    old = Contact.objects.create(name="Old", phone="88887777", owner=people.alice)
    what = taken_in(people.alice, "name,phone,company\nNew,88887777,Acme\n", duplicates="update")
    old.refresh_from_db()
    old.name = "Newest"
    old.save()
    importer.take_back(what)
    old.refresh_from_db()
    assert (old.name, old.company) == ("Newest", "")


@pytest.mark.parametrize(("kept", "left"), [("New", ["New"]), ("Old", ["Old"]), ("Both", [])])
def test_who_was_merged_with_somebody_of_before_is_not_taken_back(client, people, kept, left):
    Contact.objects.create(name="Old", phone="88880001", owner=people.alice)
    taken_in(people.alice, "name,phone\nElse,88880009\n")
    what = taken_in(people.alice, "name,phone\nNew,88880002\nBoth,88880003\nAlso,88880004\n")
    other = {"New": "Old", "Old": "New", "Both": "Also"}[kept]
    client.force_login(people.alice)
    path = reverse("contact_merge", args=[Contact.objects.get(name=kept).pk])
    assert client.post(path, {"other": Contact.objects.get(name=other).pk}).status_code == 302
    client.post(reverse("contact_import_undo", args=[what.pk]))
    assert what.created == 3
    contacts = Contact.objects.exclude(name__in=["Else", "Old"] if kept == "Both" else ["Else"])
    assert [contact.name for contact in contacts] == left
    if left:
        numbers = {number for number, _kind in contacts.get().numbered}
        assert numbers == {"+50688880001", "+50688880002"}


# --- The pages ----------------------------------------------------------------------------------


@pytest.fixture
def alice(client, people):
    client.force_login(people.alice)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return people.alice


def upload(client, data: bytes, name: str = "contacts.csv", **more):
    body = {"file": SimpleUploadedFile(name, data), "whose": "mine"} | more
    return client.post(reverse("contact_import"), body, follow=True)


def test_a_file_is_looked_at_mapped_taken_in_and_taken_back(client, alice):
    page = upload(client, b"who,number\nAna,88887777\nEva,12\n")
    text = page.content.decode()
    assert "is not a phone number" in text and Contact.objects.count() == 0
    url = page.redirect_chain[-1][0]
    swapped = {"name": "1", "phone": "0", "duplicates": "skip"}
    assert "“Ana” is not a phone number" in client.post(url, swapped, follow=True).content.decode()
    right = {"name": "0", "phone": "1", "duplicates": "keep", "take": "1"}
    page = client.post(url, right, follow=True).content.decode()
    assert "1 new contact, 0 brought up to date." in page
    assert stored() == [("Ana", "+50688887777")]
    page = client.post(f"{url}undo/", follow=True).content.decode()
    assert "Taken back" in page and Contact.objects.count() == 0


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"PK broken", "damaged or protected"), (b"", "The submitted file is empty")],
)
def test_a_bad_file_says_so_at_its_field(client, alice, data, sentence):
    page = upload(client, data)
    assert page.status_code == 400 and sentence in page.content.decode()


def test_a_person_says_which_columns_are_numbers_and_of_what_kind(client, alice):
    page = upload(client, b"who,a,b,c\nAna,88887777,22221111,22220000\n")
    url = page.redirect_chain[-1][0]
    said = {"name": "0", "phone": "2", "phone_kind": "work", "duplicates": "skip"}
    page = client.post(url, said, follow=True)
    assert page.context["form"].initial["phone"] == "2"
    page = client.post(url, said | {"phone_2": "1", "phone_2_kind": "mobile"}, follow=True)
    assert "phone_3" in page.context["form"].fields  # there is always one more to be said
    client.post(url, said | {"phone_3": "1", "take": "1"})
    (ana,) = Contact.objects.all()
    assert ana.numbered == [("+50622221111", "work"), ("+50688887777", "other")]


@pytest.mark.parametrize(
    "body", [{"name": "99"}, {"name": "x"}, {"duplicates": "burn"}, {"phone_kind": "drum"}]
)
def test_a_mapping_that_makes_no_sense_is_refused(client, alice, body):
    what = draft(alice, "name,phone\nAna,88887777\n")
    good = {"name": "0", "phone": "1", "duplicates": "skip", "take": "1"}
    assert (
        client.post(reverse("contact_import_one", args=[what.pk]), good | body).status_code == 400
    )
    assert Contact.objects.count() == 0


@pytest.mark.parametrize(
    ("viewer", "whose", "allowed"),
    [
        ("alice", "red", False),
        ("sue", "red", True),
        ("sue", "blue", False),
        ("sue", "everybody", False),
        ("ada", "blue", True),
        ("ada", "everybody", True),
    ],
)
def test_contacts_are_given_only_to_one_s_own_teams(client, people, viewer, whose, allowed):
    client.force_login(getattr(people, viewer))
    value = whose if whose == "everybody" else getattr(people, whose).pk
    page = upload(client, b"name,phone\nAna,88887777\n", whose=value)
    assert page.status_code == (200 if allowed else 400)
    assert ContactImport.objects.count() == int(allowed)


# --- Out again ----------------------------------------------------------------------------------


@pytest.fixture
def book(people):
    Contact.objects.create(
        name='=HYPERLINK("x")', phone="88887777", company="Año; Uno, S.A.", owner=people.alice
    )
    Contact.objects.create(
        name="Íñigo" + " Muñoz" * 15, phone="88886666", external_id="a,b", team=people.red
    )
    Contact.objects.create(name="Secret", phone="88885555", owner=people.carol)
    return sorted(Contact.objects.visible_to(people.alice).values_list("name", "phone", "company"))


def exported(client, kind: str, **query) -> bytes:
    answer = client.get(reverse("contact_export", args=[kind]), query)
    assert answer.status_code == 200 and f".{kind}" in answer["Content-Disposition"]
    return b"".join(answer.streaming_content)


@pytest.mark.parametrize(("language", "separator"), [("en", ","), ("es", ";")])
def test_a_csv_file_runs_no_formula_and_suits_the_reader_s_excel(
    client, alice, book, language, separator
):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    text = exported(client, "csv").decode("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(text), delimiter=separator)
    assert head[0] == {"en": "Name", "es": "Nombre"}[language]
    assert {cell[0] for row in rows for cell in row if cell}.isdisjoint("=+-@")
    assert len(rows) == 2


def test_an_excel_file_holds_text_only(client, alice, book):
    sheet = openpyxl.load_workbook(io.BytesIO(exported(client, "xlsx"))).active
    assert {cell.data_type for row in sheet for cell in row if cell.value} == {"s"}
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:E3")


def test_cards_are_as_the_standard_has_them(client, alice, book):
    data = exported(client, "vcf")
    assert max(map(len, data.split(b"\r\n"))) <= 75
    cards = list(vobject.readComponents(data.decode()))
    assert sorted(card.fn.value for card in cards) == [name for name, *_rest in book]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "vcf"])
def test_what_went_out_comes_in_again_as_it_was(client, alice, people, book, kind):
    data = exported(client, kind)
    Contact.objects.all().delete()
    what = taken_in(people.bob, data)
    assert what.error_count == 0
    found = sorted(Contact.objects.values_list("name", "phone", "company"))
    assert found == book
    assert Contact.objects.filter(external_id="a,b").count() == 1


def test_a_search_narrows_the_file(client, alice, book):
    assert exported(client, "vcf", q="inigo").count(b"BEGIN:VCARD") == 1
    assert client.get("/contacts/export.doc").status_code == 404
