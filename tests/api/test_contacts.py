"""/api/contacts/."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calls.models import Contact
from tests.support.api import Api, error_of

pytestmark = pytest.mark.engines


@pytest.fixture
def api(people) -> Api:
    return Api(people.alice)


def make(name: str = "Ana", phone: str = "+50688887777", **fields) -> Contact:
    return Contact.objects.create(name=name, phone=phone, **fields)


def test_a_new_contact_is_ones_own_and_its_number_normal(api, people):
    body = {"name": " Ana ", "phone": "8888-7777", "company": "ACME", "external_id": "crm-1"}
    response = api.post("contacts/", body)
    assert response.status_code == 201
    assert response.json() == {
        "id": Contact.objects.get().pk,
        "name": "Ana",
        "phone": "+50688887777",
        "numbers": [{"number": "+50688887777", "kind": "other"}],
        "company": "ACME",
        "external_id": "crm-1",
        "owner": people.alice.pk,
        "team": None,
    }


def test_a_contact_is_read_changed_and_deleted(api):
    path = f"contacts/{api.post('contacts', {'name': 'Ana', 'phone': '8888-7777'}).json()['id']}"
    assert api.get(path).json()["name"] == "Ana"
    assert api.send("patch", path, {"company": "ACME"}).json()["company"] == "ACME"
    replaced = api.send("put", path + "/", {"name": "Bo", "phone": "+506 8888 0000"})
    assert (replaced.json()["name"], replaced.json()["phone"]) == ("Bo", "+50688880000")
    assert api.send("delete", path, b"").status_code == 204
    error_of(api.get(path), 404)


# --- Numbers ---

NUMBERS = [
    {"number": "8888-7777", "kind": "mobile"},
    {"number": "+52 1 55 1234 5678", "kind": "work"},
    {"number": "2222 1001"},
]
KEPT = [
    {"number": "+50688887777", "kind": "mobile"},
    {"number": "+525512345678", "kind": "work"},
    {"number": "+50622221001", "kind": "other"},
]


@pytest.fixture
def path(api):
    """Of a contact with three numbers."""
    response = api.post("contacts", {"name": "Ana", "numbers": NUMBERS})
    assert response.status_code == 201
    return f"contacts/{response.json()['id']}"


def said(response):
    assert response.status_code == 200, response.content
    return response.json()["phone"], response.json()["numbers"]


def test_the_first_of_several_numbers_is_the_phone(api, path):
    assert said(api.get(path)) == ("+50688887777", KEPT)
    assert [row["numbers"] for row in api.get("contacts").json()] == [KEPT]
    turned = KEPT[::-1]
    assert said(api.send("patch", path, {"numbers": turned})) == ("+50622221001", turned)
    assert said(api.send("put", path, {"name": "Ana", "numbers": KEPT})) == ("+50688887777", KEPT)


def test_phone_alone_still_works(api, path):
    assert said(api.send("patch", path, {"phone": "22221001"})) == (
        "+50622221001",
        [KEPT[2], KEPT[0], KEPT[1]],
    )
    changed = {"number": "+50688880000", "kind": "other"}
    assert said(api.send("patch", path, {"phone": "8888 0000"})) == (
        "+50688880000",
        [changed, KEPT[0], KEPT[1]],
    )
    assert said(api.send("patch", path, {"company": "ACME"}))[1] == [changed, KEPT[0], KEPT[1]]


def test_a_body_that_comes_back_with_another_phone_or_other_numbers_says_what_changed(api, path):
    body = api.get(path).json()
    assert said(api.send("put", path, body)) == ("+50688887777", KEPT)
    another = said(api.send("put", path, body | {"phone": "88880000"}))
    assert another == ("+50688880000", [{"number": "+50688880000", "kind": "mobile"}, *KEPT[1:]])
    body = api.get(path).json()
    turned = body["numbers"][::-1]
    assert said(api.send("put", path, body | {"numbers": turned})) == ("+50622221001", turned)


def test_a_new_contact_has_its_phone_and_all_its_numbers(api):
    def made(phone, *numbers):
        body = {"name": "Ana", "phone": phone, "numbers": [{"number": n} for n in numbers]}
        body["numbers"][-1]["kind"] = "work"
        said = api.post("contacts", body).json()
        assert said["phone"] == said["numbers"][0]["number"]
        return [(one["number"], one["kind"]) for one in said["numbers"]]

    assert made("8888-1111", "8888-2222") == [("+50688881111", "other"), ("+50688882222", "work")]
    assert made("8888-3333", "8888-4444", "+506 88883333") == [
        ("+50688883333", "work"),
        ("+50688884444", "other"),
    ]


def test_two_spellings_of_a_number_are_one(api, path):
    both = [{"number": "+54 9 11 2345 6789", "kind": "mobile"}, {"number": "+541123456789"}]
    assert said(api.send("patch", path, {"numbers": both})) == (
        "+5491123456789",
        [{"number": "+5491123456789", "kind": "mobile"}],
    )


def test_a_search_finds_any_number_in_any_spelling(api, path):
    for typed in ("5215512345678", "+52 55 1234", "2222-1001", "044 55 1234 5678"):
        assert len(api.get("contacts", search=typed).json()) == 1, typed


def test_many_contacts_cost_no_more_statements(api, people, django_assert_num_queries):
    make(owner=people.alice)
    for _ in range(2):  # what is compiled once, and remembered of the key
        api.get("contacts")
    with CaptureQueriesContext(connection) as few:
        api.get("contacts")
    for n in range(9):
        make(name=f"Bo {n}", owner=people.alice)
    with django_assert_num_queries(len(few)):
        api.get("contacts")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "phone"),
        ({"phone": None}, "phone"),
        ({"phone": "12"}, "phone"),
        ({"phone": 88887777}, "phone"),
        ({"numbers": []}, "numbers"),
        ({"numbers": None}, "numbers"),
        ({"numbers": "88887777"}, "numbers"),
        ({"numbers": ["88887777"]}, "numbers"),
        ({"numbers": {"number": "88887777"}}, "numbers"),
        ({"numbers": [{"kind": "work"}]}, "numbers"),
        ({"numbers": [{"number": ""}]}, "numbers"),
        ({"numbers": [{"number": "12"}]}, "numbers"),
        ({"numbers": [{"number": "8" * 41}]}, "numbers"),
        ({"numbers": [{"number": ["88887777"]}]}, "numbers"),
        ({"numbers": [{"number": "88887777", "kind": "blue"}]}, "numbers"),
        ({"numbers": [{"number": "88887777", "kind": None}]}, "numbers"),
        ({"numbers": [{"number": "88887777"}] * 51}, "numbers"),
    ],
)
def test_numbers_that_are_none_are_refused_and_nothing_changes(api, path, body, field):
    error_of(api.post("contacts", {"name": "Bo"} | body), 400, field)
    error_of(api.send("put", path, {"name": "Bo"} | body), 400, field)
    if body:
        error_of(api.send("patch", path, {"name": "Bo"} | body), 400, field)
    assert Contact.objects.get().name == "Ana"
    assert said(api.get(path)) == ("+50688887777", KEPT)


# --- Who may ---


def test_an_external_id_belongs_to_one_contact(api, people):
    make(external_id="crm-1", owner=people.carol)
    body = {"name": "Bo", "phone": "88887778", "external_id": "crm-1"}
    error_of(api.post("contacts", body), 400, "external_id")
    mine = make(owner=people.alice)
    error_of(api.send("patch", f"contacts/{mine.pk}", {"external_id": "crm-1"}), 400, "external_id")
    assert Contact.objects.filter(external_id="crm-1").count() == 1


def test_many_contacts_have_no_external_id(api):
    for name in ("Ana", "Bo"):
        response = api.post("contacts", {"name": name, "phone": "88887777", "external_id": ""})
        assert response.status_code == 201


def test_only_what_one_may_see_exists(people):
    contacts = {
        "own": make(owner=people.alice),
        "mate": make(owner=people.bob),
        "red": make(team=people.red),
        "blue": make(team=people.blue),
        "everybody": make(),
    }
    api = Api(people.alice)
    seen = {"own", "red", "everybody"}
    assert {row["id"] for row in api.get("contacts").json()} == {contacts[n].pk for n in seen}
    for name in contacts.keys() - seen:
        path = f"contacts/{contacts[name].pk}"
        error_of(api.get(path), 404)
        error_of(api.send("patch", path, {"name": "Mine"}), 404)
        error_of(api.send("delete", path, b""), 404)
    assert Contact.objects.filter(name="Ana").count() == 5


def test_a_supervisor_shares_with_the_own_team_only(people):
    api = Api(people.sue)
    body = {"name": "Ana", "phone": "88887777"}
    shared = api.post("contacts", body | {"team": people.red.pk})
    assert (shared.json()["team"], shared.json()["owner"]) == (people.red.pk, None)
    error_of(api.post("contacts", body | {"team": people.blue.pk}), 400, "team")
    assert Api(people.ada).post("contacts", body | {"team": people.blue.pk}).status_code == 201
    error_of(Api(people.alice).post("contacts", body | {"team": people.red.pk}), 400, "team")


def test_search_and_pages(api, people):
    for n in range(5):
        make(name=f"Ana {n}", owner=people.alice)
    make(name="Bo", owner=people.alice)
    response = api.get("contacts", search="ana", limit=3)
    names = [row["name"] for row in response.json()]
    link = response["Link"].split("/api/")[1].split(">")[0]
    rest = api.get(link)
    names += [row["name"] for row in rest.json()]
    assert names == [f"Ana {n}" for n in range(5)]
    assert "Link" not in rest


@pytest.mark.parametrize(
    ("query", "field"),
    [("search=%00", "search"), ("limit=0", "limit"), ("cursor=x", "cursor"), ("name=Ana", "name")],
)
def test_a_malformed_filter_is_bad(api, query, field):
    error_of(api.get(f"contacts?{query}"), 400, field)


@pytest.mark.parametrize("pk", ["0", "999999999999999999", "9" * 40, "x", "-1", "%00"])
def test_an_unknown_contact_is_not_found(api, pk):
    error_of(api.get(f"contacts/{pk}"), 404)


def test_a_shared_contact_is_changed_by_those_who_answer_for_the_team(people):
    path = f"contacts/{make(team=people.red).pk}"
    error_of(Api(people.alice).send("patch", path, {"name": "Eve"}), 403)
    error_of(Api(people.alice).send("delete", path, b""), 403)
    assert Contact.objects.get().name == "Ana"
    assert Api(people.sue).send("patch", path, {"name": "Bo"}).status_code == 200
    assert Api(people.ada).send("delete", path, b"").status_code == 204
