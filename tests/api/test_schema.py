"""The API's description of itself, and its browsable page."""

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
    steps = ["answer", "hold", "resume", "pause", "unpause", "heartbeat", "ready", "disposition"]
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
    assert {"status", "period", "direction", "evidence", "separator", "bom"} <= choices.keys()
    for name, values in choices.items():
        assert "" in values, name
    blank = Api(people.ada).get("calls/export.csv", team="", **dict.fromkeys(choices, ""))
    assert blank.status_code == 200


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
