"""Bodies that no program should send: each gets its code and a sentence, and changes nothing."""

import json

import pytest

from calls.models import CallLog, Contact
from tests.support.api import Api, error_of

pytestmark = pytest.mark.engines


@pytest.fixture
def api(people) -> Api:
    return Api(people.alice)


BODIES = [
    b"{",
    b"nonsense",
    b"[]",
    b'"text"',
    b"1",
    b"null",
    b'{"contact_id": NaN}',
    b'{"contact_id": Infinity}',
    b'{"contact_id": "\xff\xfe"}',
    b'{"contact_id": ' + b"9" * 5000 + b"}",
    b"[" * 30000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'{"contact_id":' + b"[" * 900 + b"]" * 900 + b"}",
    "{}".encode("utf-16"),
]


@pytest.mark.parametrize("path", ["calls/start", "calls/end", "contacts"])
def test_what_is_no_json_object_is_bad(api, path):
    for body in BODIES:
        error_of(api.post(path, body), 400)
    assert not CallLog.objects.exists()


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/x;charset=\xff",
    ],
)
def test_another_format_is_refused(api, content_type):
    error_of(api.post("calls/start", b"contact_id=1", content_type=content_type), 415)


def test_the_charset_of_json_may_be_named(api):
    response = api.post("calls/start", b"{}", content_type="application/json; charset=utf-8")
    assert response.status_code == 201


@pytest.mark.parametrize("size", [64 * 1024 + 1, 2**20, 3 * 2**20])
def test_a_body_over_64_kib_is_refused(api, size):
    filler = size - len(json.dumps({"notes": ""}))
    error_of(api.post("calls/start", {"notes": "x" * filler}), 413)


def test_a_body_of_64_kib_is_read(api):
    filler = 64 * 1024 - len(json.dumps({"ignored": ""}))
    assert api.post("calls/start", {"ignored": "x" * filler}).status_code == 201


NO_TEXT = [True, 1.5, [], ["a"], {}, {"a": "b"}, "a\x00b", "\ud800", "a\udfffb"]
NO_INSTANT = [
    "",
    "now",
    1767225600,
    "2026-01-01",
    "2026-02-30T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-01-01T00:00:00+99:00",
]


BAD_STARTS = {
    "contact_id": [*NO_TEXT, "x" * 101, 10**150],
    "contact_phone": [*NO_TEXT, 50651234567, "5" * 65],
    "call_id": [*NO_TEXT, 7, "", "no-uuid", "018f0000-0000-7000-8000-00000000000"],
    "started_at": NO_TEXT + NO_INSTANT,
    "sent_at": NO_TEXT + NO_INSTANT,
    "direction": [*NO_TEXT, 1, "", "sideways", None],
    "provider": [*NO_TEXT, 1, "p" * 61],
}


@pytest.mark.parametrize("field", BAD_STARTS)
def test_a_bad_field_of_a_start_is_named(api, field):
    for value in BAD_STARTS[field]:
        error_of(api.post("calls/start", {field: value}), 400, field)
    assert not CallLog.objects.exists()


BAD_ENDS = {
    "call_id": [*NO_TEXT, 7],
    "status": [*NO_TEXT, 1],
    "notes": [*NO_TEXT, 1, "n" * 10_001],
    "ended_at": NO_TEXT + NO_INSTANT,
    "sent_at": NO_TEXT + NO_INSTANT,
}


@pytest.mark.parametrize("field", BAD_ENDS)
def test_a_bad_field_of_an_end_is_named(api, field):
    call_id = api.post("calls/start").json()["call_id"]
    for value in BAD_ENDS[field]:
        error_of(api.post("calls/end", {"call_id": call_id} | {field: value}), 400, field)
    assert CallLog.objects.get().end_time is None


BAD_CONTACTS = {
    "name": [*NO_TEXT, None, "", "   ", "n" * 121],
    "phone": [*NO_TEXT, None, "", "12", "hello", 50651234567],
    "company": [*NO_TEXT, "c" * 121],
    "external_id": [*NO_TEXT, "e" * 101],
    "team": [True, "red", [], {}, 0, -1, 10**30, 1.5, 999_999],
}


@pytest.mark.parametrize("field", BAD_CONTACTS)
def test_a_bad_field_of_a_contact_is_named(api, field):
    good = {"name": "Ana", "phone": "+50688887777"}
    for value in BAD_CONTACTS[field]:
        error_of(api.post("contacts", good | {field: value}), 400, field)
    assert not Contact.objects.exists()


def test_several_bad_fields_are_all_named(api):
    response = api.post("calls/start", {"contact_id": [], "direction": "up"})
    assert response.status_code == 400
    assert set(response.json()["fields"]) == {"contact_id", "direction"}


@pytest.mark.parametrize(
    "body", [{"contact_phone": "tel:+1-800-FLOWERS;ext=99"}, {"contact_phone": "☎ ١٢٣٤٥٦٧٨"}]
)
def test_odd_numbers_are_kept_as_given(api, body):
    assert api.post("calls/start", body).status_code == 201
    assert api.get("calls/log").json()[0]["contact_phone"] == body["contact_phone"]


def test_signs_of_any_script_pass_through(api):
    body = {"call_id": api.post("calls/start").json()["call_id"], "notes": "¿Ñandú? 漢字 🙂\n‮"}
    api.post("calls/end", body)
    assert api.get("calls/log").json()[0]["notes"] == body["notes"]
