"""FreeSWITCH's records of calls that were heard live, as a real one sent and wrote both."""

import json

import pytest
from django.core.management import call_command

from calls.models import CallLog
from calls.telephony.listening.replay import replay
from reconciliation.models import RecordImport
from tests.support.freeswitch import STREAMS, messages, stream, truths
from tests.support.people import make_pbx

pytestmark = pytest.mark.once

TIMES = ("provider_call_id", "start_time", "answered_time", "end_time", "talk_seconds")


def documents():
    """What mod_json_cdr writes of each leg, from what its end says."""
    for scenario in truths():
        for one in messages(stream(scenario)):
            if one.event == "CHANNEL_HANGUP_COMPLETE":
                profile = {
                    "username": one.get("Caller-Username"),
                    "caller_id_number": one.get("Caller-Caller-ID-Number"),
                    "destination_number": one.get("Caller-Destination-Number"),
                }
                said = {
                    name.removeprefix("variable_"): value
                    for name, value in one.fields.items()
                    if name.startswith("variable_")
                }
                yield {"variables": said, "callflow": [{"caller_profile": profile}]}


def in_rows():
    return (STREAMS / "cdr.csv").read_bytes()


def in_documents():
    return "\n".join(map(json.dumps, documents())).encode()


@pytest.mark.parametrize("written", [in_rows, in_documents])
def test_they_confirm_the_calls_and_change_none_of_their_times(people, tmp_path, written):
    """Rows count as hold what FreeSWITCH waits itself; it stamps an answer before the phones."""
    account = make_pbx(people, "freeswitch", timezone="UTC")
    for scenario in truths():
        replay(account, stream(scenario))
    before = list(CallLog.objects.order_by("pk").values_list("hold_seconds", *TIMES))
    path = tmp_path / "cdr"
    path.write_bytes(written())
    call_command("import_records", str(path), account="pbx", verbosity=0)
    what = RecordImport.objects.get()
    assert (what.confirmed, what.confirmed + what.left_out) == (7, what.records)
    assert list(CallLog.objects.order_by("pk").values_list("hold_seconds", *TIMES)) == before
    assert set(CallLog.objects.values_list("evidence", flat=True)) == {"A"}
