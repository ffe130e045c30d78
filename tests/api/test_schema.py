"""The API's description of itself, and its browsable page."""

import json

import jsonschema_rs
import pytest

from tests.support.api import Api

pytestmark = pytest.mark.once

BODY_METHODS = {"post", "put", "patch"}
REPORTS = ("summary", "teams", "agents", "days")
FILES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@pytest.fixture
def schema(people) -> dict:
    response = Api(people.alice).get("schema/")
    assert response["Content-Type"] == "application/json"
    return response.json()


def operations(schema: dict):
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_it_is_openapi_3_1_and_names_every_route(schema):
    assert schema["openapi"] == "3.1.0"
    steps = ["answer", "hold", "resume", "pause", "unpause", "heartbeat", "ready"]
    steps += ["disposition", "dispute"]
    assert set(schema["paths"]) == {
        "/api/calls/start",
        "/api/calls/end",
        "/api/calls/log",
        "/api/calls/active",
        "/api/calls/export.csv",
        "/api/calls/export.xlsx",
        *(f"/api/reports/{table}{form}" for table in REPORTS for form in ("", ".csv", ".xlsx")),
        "/api/calls/{call_id}",
        *(f"/api/calls/{{call_id}}/{step}" for step in steps),
        "/api/metrics/me",
        "/api/metrics/team",
        "/api/metrics/organization",
        "/api/contacts",
        "/api/contacts/{id}",
        "/api/events",
    }


def test_every_error_has_the_error_body_and_all_but_files_is_json(schema):
    error = {"$ref": "#/components/schemas/ErrorBody"}
    for path, method, operation in operations(schema):
        answers = operation["responses"]
        assert {"401", "429"} <= answers.keys(), path
        for code, answer in answers.items():
            if code == "204":
                assert "content" not in answer
                continue
            form = FILES.get(path.rsplit(".", 1)[-1])
            if form and code == "200":
                assert list(answer["content"]) == [form]
                continue
            assert list(answer["content"]) == ["application/json"], path
            assert (answer["content"]["application/json"]["schema"] == error) == (code >= "400")
        if "requestBody" in operation:
            assert method in BODY_METHODS
            assert list(operation["requestBody"]["content"]) == ["application/json"]
            assert {"400", "403", "413", "415"} <= answers.keys(), path
    assert schema["components"]["schemas"]["ErrorBody"]["required"] == ["error"]


def test_key_and_session_are_described(schema):
    schemes = schema["components"]["securitySchemes"]
    assert schemes["ApiKey"] == {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    assert schemes["Session"] == {"type": "apiKey", "in": "cookie", "name": "sessionid"}
    for _path, _method, operation in operations(schema):
        assert {"ApiKey": []} in operation["security"]


def test_a_choice_that_is_left_empty_is_none_and_described_so(people, schema):
    described = schema["paths"]["/api/calls/export.csv"]["get"]["parameters"]
    choices = {one["name"]: one["schema"]["enum"] for one in described if "enum" in one["schema"]}
    assert {"status", "period", "direction", "disputed", "separator", "bom"} <= choices.keys()
    for name, values in choices.items():
        assert "" in values, name
    empty = dict.fromkeys([*choices, "team", "evidence"], "")
    blank = Api(people.ada).get("calls/export.csv", **empty)
    assert blank.status_code == 200


LONGEST = 2**63 - 1
DAYS = (
    ["", "1970-01-01", "9998-12-31", "2024-02-29"],
    ["1969-12-31", "9999-01-01", "2025-02-29", "2026-1-5", "5.1.2026", "today"],
)
LENGTHS = (["", "0", "999999", "1:30", "99:59:59"], ["1000000", "1:60", "-1", "a", "1:1:1:1"])
# What each parameter takes and refuses, at the edges of what it may be.
EDGES = {
    "user_id": (["", "alice", "x" * 150], ["x" * 151, "a\0"]),
    "agent": (["x" * 150], ["x" * 151, "a\0"]),
    "team": (["", "none", 1, LONGEST], [0, -1, LONGEST + 1, "red"]),
    "start_date": DAYS,
    "end_date": DAYS,
    "status": (["", "COMPLETED"], ["completed", "NONE"]),
    "period": (["", "last_week"], ["lately"]),
    "search": (["", "x" * 120], ["x" * 121, "a\0"]),
    "direction": (["", "inbound"], ["sideways"]),
    "min_duration": LENGTHS,
    "max_duration": LENGTHS,
    "disposition": (["", "x" * 60], ["x" * 61, "a\0"]),
    "provider": (["", "x" * 60], ["x" * 61, "a\0"]),
    "evidence": (["", "A"], ["Z"]),
    "limit": ([1, 100, 10**6], [0, -1, "many"]),
    "cursor": ([""], ["nonsense", "a:b"]),
    "columns": (["", "start", "start,notes,", ",start"], ["start;notes", "nothing", "Start"]),
}
BODIES = {
    "name": (["Ana", "n" * 120], ["", "  ", "n" * 121, "a\0", 1, None]),
    "phone": (["+506 5123 4567"], ["", "5" * 41, 50651234567, None]),
    "numbers": ([[{"number": "51234567"}] * 50], [[], [{"number": "51234567"}] * 51, [{}], None]),
    "company": (["", "c" * 120], ["c" * 121, "a\0", 1]),
    "external_id": (["", "e" * 100], ["e" * 101, "a\0", 1]),
    "team": ([None], [0, -1, LONGEST + 1, "red"]),
}


def agrees(schema: dict, shape: dict, value) -> bool:
    """Whether `value` is as the description has it."""
    known = shape | {"components": schema["components"]}
    return jsonschema_rs.validator_for(known, validate_formats=True).is_valid(value)


@pytest.mark.parametrize("name", EDGES)
def test_a_parameter_takes_what_is_described_and_refuses_the_rest(people, schema, name):
    path = "calls/export.csv" if name == "columns" else "calls/log"
    described = schema["paths"][f"/api/{path}"]["get"]["parameters"]
    (shape,) = (one["schema"] for one in described if one["name"] == name)
    api, (good, bad) = Api(people.ada), EDGES[name]
    for values, is_good in ((good, True), (bad, False)):
        for value in values:
            assert agrees(schema, shape, value) == is_good, value
            answer = api.get(path, **{name: value})
            assert answer.status_code == (200 if is_good else 400), value
            assert is_good or list(json.loads(answer.content)["fields"]) == [name]


@pytest.mark.parametrize("name", BODIES)
def test_a_contact_takes_what_is_described_and_refuses_the_rest(people, schema, name):
    shape = {"$ref": "#/components/schemas/ContactBodyRequest"}
    api, (good, bad) = Api(people.ada), BODIES[name]
    for values, is_good in ((good, True), (bad, False)):
        for value in values:
            body = {"name": "Ana", "phone": "+506 5123 4567"} | {name: value}
            assert agrees(schema, shape, body) == is_good, value
            answer = api.post("contacts", body)
            assert answer.status_code == (201 if is_good else 400), answer.content


def test_a_new_contact_needs_a_number_and_the_description_says_so(people, schema):
    shape = {"$ref": "#/components/schemas/ContactBodyRequest"}
    changed = {"$ref": "#/components/schemas/PatchedContactBodyRequest"}
    assert not agrees(schema, shape, {"name": "Ana"})
    assert Api(people.ada).post("contacts", {"name": "Ana"}).status_code == 400
    assert agrees(schema, changed, {"name": "Ana"})


@pytest.mark.parametrize("field", ["contact_phone", "provider", "contact_id"])
def test_an_empty_text_is_one_thing_in_the_description(schema, field):
    """Described in two ways that both fit, it would fit neither (`oneOf`)."""
    shape = {"$ref": "#/components/schemas/StartBodyRequest"}
    assert all(agrees(schema, shape, {field: value}) for value in ("", None, "x"))
    assert not agrees(schema, shape, {field: "a\0"})


def test_odd_queries_do_not_matter(people):
    api = Api(people.alice)
    for query in ("lang=%00", "lang=xx-yy", "version=1%0d%0aX:1", "script", "format=yaml"):
        assert api.get(f"schema?{query}").status_code == 200
        assert api.get(f"docs?{query}").status_code == 200


@pytest.mark.browser
@pytest.mark.server
def test_the_browsable_page_works_under_the_strict_policy(live_people, server, visit):
    page = visit(live_people.alice, "/api/docs/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    policy = page.reload().headers["content-security-policy"]
    page.get_by_text("Own figures", exact=True).click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table .response-col_status", has_text="200").wait_for()
    assert "unsafe" not in policy
    assert all(url.startswith((server.url, "data:")) for url in asked)
