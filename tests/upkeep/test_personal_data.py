"""Personal data: what is held about somebody can be taken out and removed; all sums stay."""

import json
import subprocess
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, models, transaction
from django.http import QueryDict
from django.utils import translation

from accounts.models import User
from calls import services, timeline
from calls.contacts import files, importer
from calls.models import CallEvent, CallLog, Contact, RawEvent, WaitingFact
from calls.services import forgetting
from common.instants import now
from metrics.exports import jobs
from metrics.models import DailyMetrics, SavedView, UserMetrics
from reconciliation import imports as record_imports
from reconciliation.models import ProviderRecord
from tests.support.doors import client_of
from tests.support.hooks import make_account, map_to, tell
from tests.support.people import make_call
from tests.support.records import draft, line, taken_in
from upkeep import tasks
from upkeep.models import Removal
from upkeep.signals import personal_data_removed

NUMBER = "8765 4321"
SPELLINGS = ("8765-4321", "+506 8765 4321", "50687654321")
NAME, NOTE, OTHER = "Zoraida Quirós", "le duele la muela", "70112233"


def noted_call(user: User, notes: str, **start: Any) -> CallLog:
    call = make_call(user, 60, **start)
    return services.add_note(call, user, notes)


def say(command: str, *arguments: Any, **options: Any) -> str:
    out = StringIO()
    with translation.override("en"):
        call_command(command, *map(str, arguments), stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def person(live_people, settings, tmp_path):
    """Zoraida, in every place where something is kept of somebody; and Otto, who stays."""
    settings.DATA_DIR = tmp_path
    alice = live_people.alice
    contact = Contact(name=NAME, notes=NOTE, external_id="crm-zoraida", owner=alice)
    contact.set_numbers([(NUMBER, "mobile"), ("2222 3344", "home")])
    for spelling in SPELLINGS:
        noted_call(alice, NOTE, contact_phone=spelling, contact=contact, ago=7200)
    ended = make_call(alice, 90, contact_phone=NUMBER, ago=9000)
    services.add_note(ended, alice, NOTE)
    services.add_note(ended, alice, "")  # the ledger has it still
    services.correct_call(ended, live_people.ada, reason=NOTE, status="FAILED")
    noted_call(alice, "Otto", contact_phone=OTHER, ago=5000)

    account = make_account("generic")
    map_to(account, alice, "1001")
    at = now() - timedelta(minutes=30)
    for event, later in (("started", 0), ("answered", 5), ("ended", 65)):
        said = {"event": event, "call_id": "c1", "agent": "1001", "direction": "inbound"}
        moment = (at + timedelta(seconds=later)).isoformat()
        said |= {"from": NUMBER, "to": "22221111", "at": moment, "caller": NAME}
        tell(client_of(alice), account, said)
    WaitingFact.objects.create(
        account=account,
        call="c2",
        key="k",
        fact={"kind": "started", "number": SPELLINGS[1]},
        received_at=now(),
        payload_hash="",
    )
    sheet = files.read(f"name,phone\n{NAME},{NUMBER}\nOtto,{OTHER}".encode())
    importer.draft(alice, "people.csv", sheet, None, False)
    SavedView.objects.create(owner=alice, name="v", path="/calls/", query="q=8765+4321&a=1")
    export = jobs.request_export(alice, jobs.CSV, QueryDict())
    jobs.write(export.pk)
    ada = client_of(live_people.ada)
    body = {"name": NAME, "phone": "+50687654321"}
    ada.post(f"/admin/calls/contact/{contact.pk}/change/", body)
    LogEntry.objects.log_actions(
        live_people.ada.pk, [contact], 2, f"Changed {NAME} {NUMBER}", single_object=True
    )
    return live_people


def whole_database() -> bytes:
    """Its files, or its dump."""
    if connection.vendor == "sqlite":
        name = connection.settings_dict["NAME"]
        paths = [Path(f"{name}{end}") for end in ("", "-wal")]
        return b"".join(path.read_bytes() for path in paths if path.exists())
    given = connection.settings_dict
    command = ["pg_dump", "-h", given["HOST"], "-p", str(given["PORT"]), "-U", given["USER"]]
    return subprocess.run([*command, given["NAME"]], capture_output=True, check=True).stdout


def everything(folder: Path) -> bytes:
    parts = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return b"".join([whole_database(), *parts])


def sums() -> list[Any]:
    rows = [*DailyMetrics.objects.order_by("pk").values(), *UserMetrics.objects.values()]
    lengths = CallLog.objects.order_by("pk").values_list(
        *("pk", "user", "start_time", "answered_time", "end_time", "status", "duration_seconds"),
        *("talk_seconds", "hold_seconds", "ring_seconds", "evidence", "missing", "direction"),
    )
    return [*rows, *lengths]


SECRETS = ("87654321", "8765 4321", "8765-4321", "22223344", NAME, "zoraida", "muela")


@pytest.mark.engines
def test_nothing_of_somebody_is_left_and_all_sums_are(person, tmp_path):
    before = everything(tmp_path)
    assert all(text.encode() in before for text in ("87654321", "muela", "Zoraida", OTHER))
    told = say("forget", "--phone", SPELLINGS[0])
    assert "5 calls" in told and "1 contact" in told and "nothing was changed" in told
    assert everything(tmp_path).count(b"muela") >= 5
    was = sums()
    heard: list[Any] = []

    def hear(lines: set[str], contacts: set[int], calls: set[int], **_more: Any) -> None:
        assert connection.in_atomic_block
        heard.append((lines, len(contacts), len(calls)))

    personal_data_removed.connect(hear)
    say("forget", "--phone", SPELLINGS[1], "--yes", "--reason", "asked by letter")

    left = everything(tmp_path).lower()
    found = [text for text in SECRETS if text.lower().encode() in left]
    assert found == []
    assert OTHER.encode() in left and b"otto" in left
    assert sums() == was
    say("rebuild_metrics", "--check")
    for call in CallLog.objects.all():
        folded = timeline.fold(CallEvent.facts_of(call))
        assert folded.notes == call.notes and folded.status == call.status
    assert ({"+50687654321", "+50622223344"}, 0, 5) in heard
    assert ({"+50687654321", "+50622223344"}, 1, 0) in heard

    removal = Removal.objects.get()
    assert removal.counts["calls"] == 5 and removal.counts["messages"] == 3
    assert removal.reason == "asked by letter"
    assert "nothing to remove" in say("forget", "--phone", SPELLINGS[2])
    say("forget", "--phone", SPELLINGS[2], "--yes")
    assert Removal.objects.order_by("pk").last().counts == {}


@pytest.mark.engines
def test_all_that_is_held_can_be_taken_out(person, tmp_path):
    said = json.loads(say("export_person", "--phone", SPELLINGS[2]))
    assert [one["name"] for one in said["contacts"]] == [NAME]
    assert len(said["calls"]) == 5 and len(said["messages"]) == 3
    assert len(said["waiting_facts"]) == 1 and len(said["imports"]) == 1
    assert NOTE in json.dumps(said["calls"], ensure_ascii=False)
    assert OTHER not in json.dumps(said)
    path = tmp_path / "taken.json"
    say("export_person", "--contact", "crm-zoraida", "--output", path)
    assert len(json.loads(path.read_text())["calls"]) == 5
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(CommandError, match="taken"):
        say("export_person", "--contact", "crm-zoraida", "--output", path)
    for wrong in (["--phone", "x"], ["--contact", "99999"], ["--contact", ""]):
        with pytest.raises(CommandError):
            say("export_person", *wrong)


@pytest.mark.engines
def test_what_is_old_goes_every_night(person, settings, tmp_path):
    settings.PERSONAL_DATA_DAYS = 30
    assert tasks.forget_old_calls.call_local() is None
    noted_call(person.bob, NOTE, contact_phone=NUMBER, ago=86400 * 40)
    was = sums()
    assert "1 " in str(tasks.forget_old_calls.call_local())
    assert sums() == was
    old = CallLog.objects.get(user=person.bob)
    assert (old.contact_phone, old.phone_line, old.notes) == ("", "", "")
    assert not CallLog.objects.filter(user=person.alice, contact_phone="").exists()
    assert Contact.objects.exists() and RawEvent.objects.exclude(body=b"").count() == 3
    assert tasks.forget_old_calls.call_local() is None and Removal.objects.count() == 1
    assert "nothing to remove" in say("forget", "--older-than", 30)


@pytest.mark.engines
def test_a_running_call_is_ended_first(person):
    running, _new = services.start_call(person.bob, contact_phone=SPELLINGS[0])
    assert "to be ended first: 1" in say("forget", "--phone", NUMBER)
    with pytest.raises(CommandError, match="running"):
        say("forget", "--phone", NUMBER, "--yes")
    assert Contact.objects.exists() and not Removal.objects.exists()
    services.end_call(running.call_id, person.bob)
    say("forget", "--phone", NUMBER, "--yes")
    assert not Contact.objects.exists()


@pytest.mark.engines
def test_the_number_of_a_company_stays_with_the_others(person):
    main = "2290 1000"
    both = [Contact(name=name) for name in ("Ana Mora", "Beto Mora")]
    for contact, own in zip(both, ("83330001", "83330002"), strict=True):
        contact.set_numbers([(own, "mobile"), (main, "work")])
    calls = [make_call(person.bob, 60, contact_phone=main, contact=one, ago=900) for one in both]
    say("forget", "--contact", both[0].pk, "--yes")
    assert not Contact.objects.filter(name="Ana Mora").exists()
    for call in calls:
        call.refresh_from_db()
    assert [call.contact_phone for call in calls] == ["", main]


@pytest.mark.engines
def test_records_of_phone_systems_and_their_files_say_nothing_any_more(
    live_people, settings, tmp_path
):
    settings.DATA_DIR = tmp_path
    account = make_account("generic")
    told = line("r1", number="8765-4321"), line("r2", 100, 105, 125, number=OTHER)
    taken_in(account, *told)
    record_imports.examine(draft(account, *told, file_name=f"{NAME}.csv"))
    assert len(json.loads(say("export_person", "--phone", NUMBER))["records"]) == 1
    told = say("forget", "--phone", NUMBER)
    assert "1 record of a phone system" in told and "1 file of records" in told
    say("forget", "--phone", NUMBER, "--yes")
    left = everything(tmp_path).lower()
    assert [text for text in SECRETS if text.lower().encode() in left] == []
    assert sorted(ProviderRecord.objects.values_list("number", flat=True)) == ["", OTHER]
    assert list((tmp_path / "records").iterdir()) == []


REFUSED = [
    {"kind": "answered"},
    {"source": "x"},
    {"data": {"notes": "other words"}},
    {"data": {"status": "COMPLETED"}},
    {"data": {"number": "1"}},
]


@pytest.mark.engines
@pytest.mark.parametrize("change", REFUSED)
def test_the_ledger_refuses_whatever_is_no_blanking(people, change):
    call = noted_call(people.alice, NOTE, ago=900)
    line = call.events.get(kind="noted")
    lines = CallEvent.objects.filter(pk=line.pk)
    changed = {"data": line.data | change["data"]} if "data" in change else change
    blank = {key: value for key, value in line.data.items() if key != "notes"}
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        lines.update(data=blank)  # the gate is closed
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO calls_ledgerblanking(since) VALUES (0)")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            lines.update(**changed)
        lines.update(data=blank)
        cursor.execute("DELETE FROM calls_ledgerblanking")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        lines.update(data=line.data)


@pytest.mark.engines
@pytest.mark.django_db(transaction=True)
def test_without_the_migration_the_ledger_refuses_all_changes(live_people):
    line = noted_call(live_people.alice, NOTE, ago=900).events.get(kind="noted")
    lines = CallEvent.objects.filter(pk=line.pk)
    call_command("migrate", "calls", "0017", verbosity=0)
    try:
        with pytest.raises(DatabaseError, match="append-only"):
            lines.update(data={})
    finally:
        call_command("migrate", verbosity=0)
    with transaction.atomic():
        forgetting.forget([line.call_id])
    assert lines.get().data == {}


# --- Every column with text is known --------------------------------------------------------------
# What is about people one speaks with: taken out and removed.
PERSONAL = {
    "admin.LogEntry": {"object_repr", "change_message"},
    "calls.Contact": {"name", "phone", "company", "external_id", "notes", "name_key", "folded"},
    "calls.ContactNumber": {"number", "line"},
    "calls.ContactImport": {"file_name", "rows", "errors", "remarks", "changes"},
    "calls.CallLog": {"contact_ref", "contact_phone", "phone_e164", "phone_line", "notes"},
    "calls.CallEvent": {"data"},
    "calls.RawEvent": {"query", "body", "note"},
    "calls.WaitingFact": {"fact"},
    "calls.CallText": {"words"},
    "metrics.SavedView": {"query"},
    "metrics.Export": {"query"},
    "reconciliation.RecordImport": {"file_name", "message", "plan", "faults"},
    "reconciliation.ProviderRecord": {"number", "number_line", "agent_name", "note"},
}
# Words of ours, technical names, and what is about the organisation and its own people. Rooms
# above upkeep keep nothing of whom one speaks with: see notifications/models.
NOT_PERSONAL = {
    "admin.LogEntry": {"object_id"},
    "auth.Permission": {"name", "codename"},
    "auth.Group": {"name"},
    "contenttypes.ContentType": {"app_label", "model"},
    "sessions.Session": {"session_key", "session_data"},
    "accounts.Team": {"name", "name_key"},
    "accounts.User": {
        *("password", "username", "first_name", "last_name", "email", "extension", "language"),
        *("name_key", "username_key"),
    },
    "accounts.ApiKey": {"name", "prefix", "digest"},
    "calls.ContactNumber": {"kind"},
    "calls.ContactImport": {"state", "duplicates", "head", "mapping"},
    "calls.ProviderAccount": {"kind", "name", "region", "settings", "sealed", "state"},
    "calls.ProviderIdentity": {"identity"},
    "reconciliation.PriceList": {"currency", "rates"},
    "calls.CallLog": {
        *("direction", "provider", "provider_call_id", "conversation", "status", "end_reason"),
        *("ended_by", "evidence", "missing", "disposition"),
    },
    "calls.CallDispute": {"state"},
    "calls.DialLink": {"kind", "name", "template", "effect"},
    "calls.Disposition": {"code", "label_es", "label_en"},
    "calls.CallEvent": {
        *("key", "kind", "source", "provider_event_id", "payload_hash"),
        *("hash", "salt", "commitment"),
    },
    "calls.Anchor": {"previous", "root"},
    "calls.AnchorPart": {"heads"},
    "calls.Tombstone": {"head", "why", "hash"},
    "calls.RawEvent": {"digest", "content_type", "outcome"},
    "calls.ConversationNumber": {"conversation"},
    "calls.WaitingFact": {"call", "key", "payload_hash"},
    "webphone.PhoneLine": {"sip_user", "sealed_password"},
    "metrics.SavedView": {"name", "path"},
    "reconciliation.RecordImport": {
        *("origin", "state", "token", "runner", "digest", "format", "reading"),
    },
    "reconciliation.ProviderRecord": {
        *("key", "outcome", "reasons", "event_keys", "status", "reason", "direction"),
        *("rounding", "currency"),
    },
    "metrics.Export": {"form", "language", "state", "message"},
    "upkeep.Backup": {"name", "sha256", "error", "doubts", "copied_to", "copy_error"},
    "upkeep.JobRun": {"name", "result", "worker"},
    "upkeep.WorkerBeat": {"worker", "ticks"},
    "upkeep.Removal": {"reason", "counts"},
}
ABOVE = "notifications"  # tests/notifications says what its columns hold
TEXTS = (models.CharField, models.TextField, models.JSONField, models.BinaryField)


def test_every_column_with_text_is_known_to_be_personal_or_not():
    for model in apps.get_models():
        if model._meta.app_label == ABOVE:
            continue
        name = model._meta.label
        texts = {f.name for f in model._meta.concrete_fields if isinstance(f, TEXTS)}
        personal, other = PERSONAL.get(name, set()), NOT_PERSONAL.get(name, set())
        assert texts == personal | other, f"{name}: say of each column whether it is personal"
        assert not personal & other


# --- In the administration ------------------------------------------------------------------------
@pytest.mark.engines
def test_the_administration_shows_takes_out_and_removes(person):
    ada, english = client_of(person.ada), {"Accept-Language": "en"}
    place, asked = "/admin/upkeep/removal/forget/", {"phone": SPELLINGS[0], "reason": "letter"}
    shown = ada.post(place, asked, headers=english).content.decode()
    assert "5 calls" in shown and "Remove for good" in shown and Contact.objects.exists()
    taken = ada.post(place, asked | {"wish": "take"})
    assert "attachment" in taken["Content-Disposition"] and len(taken.json()["calls"]) == 5
    done = ada.post(place, asked | {"wish": "remove"}, headers=english, follow=True)
    assert "Removed." in done.content.decode() and "letter" in done.content.decode()
    assert not Contact.objects.exists() and Removal.objects.get().asked_by == person.ada
    for wrong in ({}, {"phone": "x"}, {"phone": "1", "contact": "2"}, {"older_than": "0"}):
        page = ada.post(place, wrong | {"wish": "remove"}, headers=english)
        assert page.status_code == 200 and "errornote" in page.content.decode()
    assert Removal.objects.count() == 1
