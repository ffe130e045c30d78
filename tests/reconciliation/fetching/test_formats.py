"""What was fetched becomes records that mean what the providers' live events mean."""

import json
from zoneinfo import ZoneInfo

import pytest

from reconciliation.call_record import BadLine
from reconciliation.formats.base import Context, UnreadableFile
from reconciliation.formats.catalogue import FORMATS, detect

CONTEXT = Context(ZoneInfo("UTC"), "ES")
SID = "CA" + "0" * 31
BEGAN, ANSWERED, ENDED = 1_767_607_202, 1_767_607_209, 1_767_607_310  # 10:00:02 to 10:01:50


def parent(**more):
    return {
        "sid": SID + "1",
        "parent_call_sid": None,
        "from": "client:ana",
        "to": "+34600000001",
        "status": "completed",
        "direction": "inbound",
        "start_time": "Mon, 05 Jan 2026 10:00:02 +0000",
        "end_time": "Mon, 05 Jan 2026 10:01:50 +0000",
        "duration": "108",
        "price": "-0.0040",
        "price_unit": "USD",
        **more,
    }


def child(**more):
    return parent(
        **{
            "sid": SID + "2",
            "parent_call_sid": SID + "1",
            "from": "+15005550006",
            "direction": "outbound-dial",
            "duration": "101",
            "price": "-0.0140",
            **more,
        }
    )


def zoom(**more):
    return {
        "call_history_uuid": "history-1",
        "call_id": "7600000000000000001",
        "direction": "outbound",
        "connect_type": "external",
        "caller_ext_number": "801",
        "caller_email": "ana@example.test",
        "callee_did_number": "+34600000001",
        "start_time": "2026-01-05T10:00:02Z",
        "answer_time": "2026-01-05T10:00:09Z",
        "end_time": "2026-01-05T10:01:50Z",
        "call_result": "connected",
        **more,
    }


def aircall(**more):
    return {
        "id": 812,
        "direction": "outbound",
        "status": "done",
        "started_at": BEGAN,
        "answered_at": ANSWERED,
        "ended_at": ENDED,
        "duration": 108,
        "raw_digits": "+34 600 00 00 01",
        "user": {"id": 456, "email": "ana@example.test"},
        **more,
    }


def ringcentral(**more):
    return {
        "id": "AbC",
        "sessionId": "1",
        "telephonySessionId": "s-1",
        "partyId": "p-1-1",
        "startTime": "2026-01-05T10:00:02.354Z",
        "duration": 108,
        "durationMs": 108_123,
        "direction": "Outbound",
        "result": "Call connected",
        "from": {"phoneNumber": "+34910000001", "extensionNumber": "801"},
        "to": {"phoneNumber": "+34600000001"},
        "extension": {"id": 62},
        **more,
    }


@pytest.fixture
def read(tmp_path):
    def read(format, *objects):
        path = tmp_path / "fetched.jsonl"
        lines = [one if isinstance(one, str) else json.dumps(one) for one in objects]
        path.write_text("\n".join(lines) + "\n")
        return list(FORMATS[format].read(path, {}, CONTEXT))

    return read


@pytest.mark.parametrize(
    ("format", "object", "call", "agent"),
    [
        ("twilio_api", parent(), SID + "1", "client:ana"),
        ("zoom_api", zoom(), "7600000000000000001:caller", "801"),
        ("aircall_api", aircall(), "812:456", "456"),
        ("ringcentral_api", ringcentral(), "s-1:p-1-1", "62"),
    ],
)
def test_a_record_names_the_call_as_the_live_events_do(format, object, call, agent, read):
    objects = [object, child()] if format == "twilio_api" else [object]
    (record,) = read(format, *objects)
    assert (record.call, record.agents[0]) == (call, agent)
    assert (record.start // 1000, record.end // 1000) == (BEGAN, ENDED)
    assert record.status == "COMPLETED"
    assert record.number.replace(" ", "") == "+34600000001"
    assert record.direction == "outbound"
    assert record.lines == (1,)
    assert record.answered == (None if format == "ringcentral_api" else ANSWERED * 1000)
    assert record.knows_answer is (format != "ringcentral_api")


@pytest.mark.parametrize(
    ("kind", "object"),
    [
        ("twilio", parent()),
        ("zoom", zoom()),
        ("aircall", aircall()),
        ("ringcentral", ringcentral()),
    ],
)
def test_a_file_of_them_is_known_by_its_content(kind, object, tmp_path):
    path = tmp_path / "fetched.jsonl"
    path.write_text(json.dumps(object) + "\n")
    assert detect(path, kind)[0] == f"{kind}_api"
    look = FORMATS[f"{kind}_api"].look(path, {"period": 1})
    assert len(look.samples[0]) == len(look.head)
    assert look.reading == {"period": 1}


def test_what_is_no_object_is_said_and_the_rest_is_read(read, tmp_path):
    found = read("aircall_api", aircall(), "[]", "{", aircall(id=9), {"id": 3})
    assert [one.line for one in found if isinstance(one, BadLine)] == [2, 3, 5]
    assert [one.call for one in found if not isinstance(one, BadLine)] == ["812:456", "9:456"]
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UnreadableFile):
        next(FORMATS["zoom_api"].read(path, {}, CONTEXT))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_twilios_children_tell_of_the_answer_wherever_they_stand(order, read):
    family = [parent(), child(), child(sid=SID + "3", status="no-answer", duration="0", price=None)]
    (record,) = read("twilio_api", *(family[place] for place in order))
    assert record.answered == ANSWERED * 1000
    assert (str(record.price), record.currency) == ("0.0180", "USD")


def test_twilios_call_that_nobody_answered_was_not_answered_by_its_document(read):
    quiet = child(status="no-answer", duration="0", price=None)
    (record,) = read("twilio_api", quiet, parent())
    assert (record.status, record.answered, record.knows_answer) == ("NO_ANSWER", None, True)
    assert str(record.price) == "0.0040"


def test_twilios_price_is_not_told_before_all_of_it_is_known(read):
    (record,) = read("twilio_api", parent(), child(price=None))
    assert (record.price, record.currency) == (None, "")


def test_a_child_without_its_parent_is_no_call_of_its_own(read):
    (line,) = read("twilio_api", child())
    assert isinstance(line, BadLine)


def test_an_older_entry_of_zooms_leaves_the_answer_open(read):
    entry = zoom()
    del entry["answer_time"]
    (record,) = read("zoom_api", entry)
    assert (record.status, record.answered, record.knows_answer) == ("COMPLETED", None, False)


def test_zooms_call_between_two_of_ours_is_a_part_of_each(read):
    entry = zoom(connect_type="internal", callee_ext_number="802", callee_ext_type="user")
    records = read("zoom_api", entry)
    assert [one.call.split(":")[1:] for one in records] == [["caller"], ["callee", "802"]]
    queue = zoom(connect_type="internal", callee_ext_number="900", callee_ext_type="call_queue")
    assert len(read("zoom_api", queue)) == 1


def test_zooms_phone_that_another_answered_for_is_nobodys_call(read):
    assert read("zoom_api", zoom(direction="inbound", call_result="answered_by_other_member")) == []


def test_aircalls_duration_has_the_ringing_in_it(read):
    (record,) = read("aircall_api", aircall())
    assert record.duration == 108_000
    (missed,) = read("aircall_api", aircall(answered_at=None, missed_call_reason="agents_did_not"))
    assert (missed.status, missed.answered) == ("NO_ANSWER", None)


def test_aircalls_transferred_call_is_marked_as_doubtful(read):
    handed = aircall(transferred_by={"id": 1}, transferred_to={"id": 456})
    (record,) = read("aircall_api", handed)
    assert record.doubtful


def test_ringcentrals_legs_are_parts_of_who_answered_them(read):
    other = {"extension": {"id": 63}, "partyId": "p-1-3", "duration": 30, "result": "Accepted"}
    rang = {"extension": {"id": 64}, "partyId": "p-1-4", "duration": 5, "result": "No Answer"}
    common = {"startTime": "2026-01-05T10:01:00.000Z", "direction": "Inbound"}
    same = {"extension": {"id": 62}, "partyId": "p-1-1", "result": "Call connected"}
    call = ringcentral(legs=[same, other | common, rang | common])
    assert [one.call for one in read("ringcentral_api", call)] == ["s-1:p-1-1", "s-1:p-1-3"]


def test_ringcentrals_results_say_that_nobody_answered(read):
    (record,) = read("ringcentral_api", ringcentral(result="Missed", direction="Inbound"))
    assert (record.status, record.knows_answer) == ("NO_ANSWER", True)
    (unknown,) = read("ringcentral_api", ringcentral(result="Something new"))
    assert (unknown.status, unknown.knows_answer) == ("", False)
