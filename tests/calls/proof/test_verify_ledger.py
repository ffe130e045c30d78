"""What was changed behind the program's back is named; what the program does is no fault."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from calls import services
from calls.models import Anchor, AnchorPart, CallEvent, CallLog, Tombstone
from calls.proof import anchor_file
from calls.proof.anchoring import make_anchor
from calls.providers.base import ProviderEvent
from calls.services import ReportedTime, disputes, forgetting, wrap_up
from calls.telephony import assignment, intake
from common.instants import now, today
from metrics.models import DailyMetrics
from tests.support.attacks import attack, unguarded
from tests.support.doors import client_of
from tests.support.people import make_call, make_pbx, yesterday_noon
from upkeep.verification import LedgerFault, verify_all

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

NUMBER = "+50651234567"


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture
def call(people):
    """Alice's call: started, answered, ended, noted, corrected; and others around it."""
    make_call(people.bob, 30, ago=9000)
    call, _ = services.start_call(
        people.alice,
        contact_phone=NUMBER,
        reported=ReportedTime(now() - timedelta(hours=2), explicit=True),
    )
    for step, minutes in (("answer", 119), ("hold", 110), ("resume", 105)):
        at = now() - timedelta(minutes=minutes)
        services.step(call.call_id, people.alice, step, reported=ReportedTime(at, explicit=True))
    at = ReportedTime(now() - timedelta(minutes=90), explicit=True)
    services.end_call(call.call_id, people.alice, notes="le duele", reported=at)
    services.add_note(call, people.sue, "otra nota")
    services.correct_call(call, people.ada, reason="se equivocó", status="DROPPED")
    make_call(people.carol, 45, ago=5000)
    call.refresh_from_db()
    return call


@pytest.fixture
def anchored(call):
    make_anchor(today())
    return call


def verify(*options):
    """(what is named, the last sentence) of the command."""
    out = StringIO()
    try:
        call_command("verify_ledger", *map(str, options), stdout=out, stderr=StringIO())
    except CommandError as error:
        assert error.returncode == 1
        return out.getvalue().splitlines(), str(error)
    *said, last = out.getvalue().splitlines()
    return said, last


def named(*options):
    """The one thing that is named."""
    faults, _sentence = verify(*options)
    assert len(faults) == 1, faults
    return faults[0]


def line_of(call, kind):
    return call.events.filter(kind=kind).order_by("pk").first()


# --- Nothing was changed --------------------------------------------------------------------------
def test_what_was_written_is_whole(anchored):
    said, sentence = verify()
    assert said == []
    assert f"{CallLog.objects.count()} calls with {CallEvent.objects.count()} lines" in sentence
    assert f"{today()}: {Anchor.objects.get().root}" in sentence
    assert anchor_file.path().read_text() == f"{Anchor.objects.get().as_line()}\n"
    assert anchor_file.path().stat().st_mode & 0o077 == 0
    for option in (["--quick"], ["--call", anchored.call_id], ["--since", today()]):
        assert verify(*option)[0] == []


def test_there_are_sentences_for_what_cannot_be_verified(people, tmp_path):
    for options in (
        ["--call", "00000000-0000-7000-8000-000000000000"],
        ["--anchors", tmp_path / "none"],
        ["--since", "yesterday"],
    ):
        with pytest.raises(CommandError, match=r"There is no|is no day"):
            call_command("verify_ledger", *map(str, options))


def test_a_life_of_a_call_verifies(people, call, tmp_path):
    pbx = make_pbx(people, "generic")
    begun = yesterday_noon()
    more = {"agents": ("1999",), "number": NUMBER, "direction": "outbound"}
    facts = [
        ProviderEvent("started", "c", begun, **more),
        ProviderEvent("answered", "c", begun + 4_000, data={"said": "un nombre"}, **more),
        ProviderEvent("ended", "c", begun + 9_000, data={"unread": {"hold": "x"}}, **more),
    ]
    intake.record(pbx, facts, received=now())
    clicked, _ = services.start_call(
        people.carol,
        contact_phone=NUMBER,
        reported=ReportedTime(now().replace(microsecond=0), explicit=True),
    )
    make_anchor(today() - timedelta(days=1))
    heard = CallLog.objects.get(provider_call_id="c")
    assignment.assign(heard, people.carol, people.ada)
    services.end_call(clicked.call_id, people.carol, wrap_up=True)
    wrap_up.ready(clicked.call_id, people.carol)
    assert verify()[0] == []
    make_anchor(today())
    forgetting.forget([heard.pk, call.pk], people.ada)
    assert not CallEvent.objects.exclude(salt="").filter(call__in=[heard.pk, call.pk]).exists()
    services.add_note(call, people.sue, "después")
    gone = make_call(people.bob, 20)
    make_anchor(today() + timedelta(days=1))
    client_of(people.ada).post(f"/admin/calls/calllog/{gone.pk}/delete/", {"post": "yes"})
    assert Tombstone.objects.get(call=gone.pk).actor == people.ada
    make_anchor(today() + timedelta(days=2))
    said, sentence = verify()
    assert said == [] and "1 calls were deleted on purpose" in sentence
    said, sentence = verify("--call", gone.call_id)
    assert said == [] and "by ada: deleted" in sentence


def test_calls_that_became_one_leave_a_tombstone(people):
    pbx = make_pbx(people, "generic")
    more = {"agents": ("1999",), "number": NUMBER, "direction": "outbound"}
    begun = yesterday_noon()
    intake.record(pbx, [ProviderEvent("started", "c", begun, **more)], received=now())
    make_anchor(today() - timedelta(days=1))
    from common.instants import from_ms

    at = ReportedTime(from_ms(begun), explicit=True)
    clicked, _ = services.start_call(people.carol, contact_phone=NUMBER, reported=at)
    heard = CallLog.objects.get(provider_call_id="c")
    joined = assignment.assign(heard, people.carol, people.ada)
    assert joined.pk == clicked.pk
    stone = Tombstone.objects.get()
    assert (stone.why, stone.into) == (Tombstone.JOINED, clicked.pk)
    make_anchor(today())
    assert verify()[0] == []


# --- A line ---------------------------------------------------------------------------------------
CHANGES = [
    ("occurred_at = '2026-01-01 10:00:00'", "started"),
    ("received_at = '2026-01-01 10:00:00'", "ended"),
    ("key = 'resumed:1'", "resumed"),
    ("kind = 'noted'", "held"),
    ("source = 'client'", "held"),
    ("actor_id = NULL", "answered"),
    ("precision_ms = 2", "ended"),
    ("sequence = 7", "ended"),
    ("repeats = 7", "ended"),
    ("provider_event_id = 'x'", "started"),
    ("payload_hash = 'x'", "started"),
]


@pytest.mark.parametrize(("change", "kind"), CHANGES)
def test_a_changed_column_is_named_with_its_call_and_line(anchored, change, kind):
    line = line_of(anchored, kind)
    assert attack(f"UPDATE calls_callevent SET {change} WHERE id = %s", line.pk) == 1
    faults, _ = verify("--quick")
    assert len(faults) == 1
    assert faults[0].startswith(f"call {anchored.call_id}: line {line.place} (")
    assert "was changed: its key, kind, instants" in faults[0]


def replaced(old, new):
    """SQL that replaces text within `data`."""
    text, back = ("data", "") if connection.vendor == "sqlite" else ("data::text", "::jsonb")
    return f"data = replace({text}, '{old}', '{new}'){back}"


def test_a_status_in_the_data_is_named_with_what_follows_from_it(anchored):
    line = line_of(anchored, "corrected")
    attack(f"UPDATE calls_callevent SET {replaced('DROPPED', 'FAILED')} WHERE id = %s", line.pk)
    faults, sentence = verify()
    assert [re.sub(r"\(.*\)", "()", fault) for fault in faults] == [
        f"call {anchored.call_id}: line {line.place} () was changed: its key, kind, instants, "
        "source, actor, precision, provider's id, number or data is not what its hash was made of",
        f"call {anchored.call_id}: its row was changed: status is DROPPED, its ledger says FAILED",
    ]
    assert sentence == "2 things are not as written."


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("ended", replaced("le duele", "le sobra")),
        ("corrected", replaced("se equivoc", "no se equivoc")),
        ("noted", "salt = repeat_salt"),
        ("started", replaced("{}", '{"number": "1"}')),
    ],
)
def test_a_changed_text_is_named(anchored, kind, change):
    line = line_of(anchored, kind)
    change = change.replace("repeat_salt", f"'{'0' * 32}'")
    attack(f"UPDATE calls_callevent SET {change} WHERE id = %s", line.pk)
    assert f"line {line.place} ({kind}" in named("--quick") and "was changed" in named("--quick")


def test_texts_that_were_blanked_behind_our_back_are_named(anchored):
    line = line_of(anchored, "noted")
    attack("UPDATE calls_callevent SET data = '{}' WHERE id = %s", line.pk)
    assert "was taken away" in named("--quick")
    attack("UPDATE calls_callevent SET salt = '' WHERE id = %s", line.pk)
    assert "its texts were blanked, and nobody removed them here" in named("--quick")


def test_a_removed_line_is_named(anchored):
    line = line_of(anchored, "held")
    attack("DELETE FROM calls_callevent WHERE id = %s", line.pk)
    faults, _ = verify("--quick")
    assert faults == [
        f"call {anchored.call_id}: line {line.place} was removed",
        f"call {anchored.call_id}: lines were removed: "
        "an anchor has 7 lines of it, and there are 6",
    ]


def test_a_removed_last_line_is_named_by_the_anchor(anchored):
    attack("DELETE FROM calls_callevent WHERE id = %s", line_of(anchored, "corrected").pk)
    assert "an anchor has 7 lines of it, and there are 6" in named("--quick")


def test_a_line_that_was_put_in_is_named(anchored):
    row = {
        f.column: f.get_db_prep_save(getattr(line_of(anchored, "held"), f.attname), connection)
        for f in CallEvent._meta.concrete_fields[1:]
    }
    row |= {"key": "held:1", "hash": "", "place": 0}
    marks = ", ".join(["%s"] * len(row))
    statement = f"INSERT INTO calls_callevent ({', '.join(row)}) VALUES ({marks})"
    attack(statement, *row.values())
    assert "key held:1) was put in: it has no hash" in named("--quick")
    attack("DELETE FROM calls_callevent WHERE key = 'held:1'")
    for place, words in ((3, "the call has another such line"), (8, "was changed")):
        attack(statement, *(row | {"hash": "f" * 64, "place": place}).values())
        assert any(words in fault for fault in verify("--quick")[0])
        attack("DELETE FROM calls_callevent WHERE key = 'held:1'")
    assert verify("--quick")[0] == []


def test_lines_in_another_order_are_named(anchored):
    held, resumed = line_of(anchored, "held"), line_of(anchored, "resumed")
    swap = "UPDATE calls_callevent SET id = %s WHERE id = %s"
    for new, old in ((-1, held.pk), (held.pk, resumed.pk), (resumed.pk, -1)):
        attack(swap, new, old)
    assert "line 3 (held" in named("--quick") and "was moved" in named("--quick")


def test_a_changed_hash_is_named_as_such(anchored):
    line = line_of(anchored, "held")
    attack("UPDATE calls_callevent SET hash = %s WHERE id = %s", "f" * 64, line.pk)
    faults, _ = verify("--quick")
    assert "its hash is not that of what it says, which the next line bears out" in faults[0]


def test_a_chain_that_was_made_anew_is_named_by_its_anchor(anchored):
    attack("UPDATE calls_callevent SET precision_ms = 900 WHERE call_id = %s", anchored.pk)
    migration = __import__("calls.migrations.0019_hash_chain", fromlist=["linked"])
    with connection.cursor() as cursor, unguarded(cursor):
        cursor.execute(migration._read(connection.vendor), [anchored.pk, anchored.pk + 1])
        migration.write_chains(connection, list(migration.linked(cursor.fetchall())))
    faults, _ = verify("--quick")
    assert faults == [
        f"call {anchored.call_id}: its ledger was written anew: line 7 is not the anchored one"
    ]


# --- Calls, their rows and sums -------------------------------------------------------------------
def test_a_call_that_vanished_is_named(anchored):
    attack("DELETE FROM calls_callevent WHERE call_id = %s", anchored.pk)
    assert "an anchor has 7 lines of it, and there are 0" in named("--quick")
    attack("DELETE FROM calls_calllog WHERE id = %s", anchored.pk)
    assert f"7 lines was deleted, and nobody deleted it here (its key: {anchored.pk})" in named(
        "--quick"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("talk_seconds = 1", "talk_seconds is 1, its ledger says"),
        ("end_time = '2030-01-01 00:00:00+00:00'", "end_time is 2030-01-01"),
        ("notes = 'otra'", "its notes are not those of its ledger"),
        ("evidence = 'A'", "evidence is A, its ledger says C"),
        ("direction = 'inbound'", "whose call it is, its id, direction or provider"),
        ("provider_call_id = 'x'", "whose call it is, its id, direction or provider"),
    ],
)
def test_a_changed_row_is_named(anchored, change, words):
    attack(f"UPDATE calls_calllog SET {change} WHERE id = %s", anchored.pk)
    faults, _ = verify("--call", anchored.call_id)
    assert len(faults) == 1 and words in faults[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            "UPDATE calls_calldispute SET state = 'upheld'",
            "it is upheld, of which its ledger knows",
        ),
        ("UPDATE calls_calldispute SET opened_by_id = decided_by_id", "by whom it is open"),
        ("DELETE FROM calls_calldispute", "changed or removed: its ledger says rejected"),
    ],
)
def test_a_changed_dispute_is_named(people, call, change, words):
    opened = disputes.dispute(call, people.alice, "No fue así")
    disputes.decide(opened, people.sue, upheld=False, said="Sí fue así")
    assert verify("--call", call.call_id)[0] == []
    attack(change)
    faults, _ = verify("--call", call.call_id)
    assert words in " ".join(faults)


def test_a_call_that_was_given_to_another_is_named(people, call):
    attack("UPDATE calls_calllog SET user_id = %s WHERE id = %s", people.bob.pk, call.pk)
    faults, _ = verify()
    whose = f"the agent is {people.bob.pk}, and {people.alice.pk} began the call"
    assert f"call {call.call_id}: its row was changed: {whose}" in faults
    assert any("a stored sum is not that of its calls" in fault for fault in faults)


def test_a_changed_sum_is_named(anchored, people):
    attack(
        "UPDATE metrics_dailymetrics SET total_talk_time = 9 WHERE user_id = %s",
        people.alice.pk,
    )
    faults, _ = verify()
    assert faults and all("a stored sum is not that" in fault for fault in faults)
    assert DailyMetrics.objects.filter(total_talk_time=9).exists()
    with pytest.raises(LedgerFault, match="a stored sum"):
        verify_all()


# --- Anchors and tombstones -----------------------------------------------------------------------
def three_anchors(people):
    for day in (2, 1, 0):
        make_call(people.alice, 10 + day)
        make_anchor(today() - timedelta(days=day))
    assert verify("--quick")[0] == []
    return list(Anchor.objects.order_by("day"))


@pytest.mark.parametrize("change", ["calls = 9", "lines = 9", "root = repeat", "last_line = 1"])
def test_a_changed_anchor_is_named(people, change):
    _first, second, third = three_anchors(people)
    change = change.replace("repeat", f"'{'0' * 64}'")
    attack(f"UPDATE calls_anchor SET {change} WHERE day = %s", second.day)
    said = "\n".join(verify("--quick")[0])
    assert f"the anchor of {second.day} was changed: its root is not that of its heads" in said
    follows = f"the anchor of {third.day} does not follow"
    assert (follows in said) == change.startswith("root")


def test_heads_of_an_anchor_that_were_changed_are_named(people):
    _first, second, _third = three_anchors(people)
    part = AnchorPart.objects.get(anchor=second)
    attack("UPDATE calls_anchorpart SET heads = %s WHERE id = %s", b"x", part.pk)
    assert f"anchor of {second.day} was changed" in named("--quick")


def test_a_removed_anchor_is_named_by_the_next_and_by_the_file(people):
    _first, second, third = three_anchors(people)
    attack("DELETE FROM calls_anchorpart WHERE anchor_id = %s", second.pk)
    attack("DELETE FROM calls_anchor WHERE id = %s", second.pk)
    said = verify("--quick")[0]
    assert said[0].startswith(f"the anchor of {second.day} is gone from the database")
    assert said[1] == f"the anchor of {third.day} does not follow the one before it"


def test_anchors_that_were_all_made_anew_differ_from_the_copy(people, tmp_path):
    anchors = three_anchors(people)
    copy = tmp_path / "copy.txt"
    copy.write_text(anchor_file.path().read_text())
    attack("DELETE FROM calls_anchorpart")
    attack("DELETE FROM calls_anchor")
    anchor_file.path().unlink()
    CallLog.objects.first().delete()
    Tombstone.objects.all().delete()
    make_anchor(today())
    assert verify("--quick")[0] == []
    copy.write_text("".join(copy.read_text().splitlines(keepends=True)[1:]))
    said = verify("--quick", "--anchors", copy)[0]
    assert len(said) == 2 and said[1].startswith(f"the anchor of {anchors[2].day} was changed")


def test_the_file_of_anchors_is_compared(people):
    anchors = three_anchors(people)
    path = anchor_file.path()
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[2]]))
    assert f"anchor of {anchors[1].day} is missing in" in named("--quick")
    path.write_text("\n".join(lines[:2]))  # the process ended before it wrote the last
    assert verify("--quick")[0] == []
    make_anchor(today())
    assert path.read_text().split() == "\n".join(lines).split()
    path.write_text("\n".join([*lines[:2], lines[2].replace(" 1 ", " 2 ", 1)]))
    assert f"the anchor of {anchors[2].day} was changed" in named("--quick")
    path.unlink()
    assert "anchors.txt is gone" in named("--quick")


def test_after_a_restore_the_anchors_of_the_lost_days_are_no_fault(people):
    _first, second, third = three_anchors(people)
    for anchor in (second, third):  # as the backup of the first day has it
        AnchorPart.objects.filter(anchor=anchor).delete()
        anchor.delete()
    anchor_file.note_restored("backup.tar")
    assert verify("--quick")[0] == []
    make_anchor(today())
    assert verify("--quick")[0] == []
    anchor_file.path().unlink()  # on another machine
    anchor_file.note_restored("backup.tar")
    assert verify("--quick")[0] == []
    make_anchor(today() + timedelta(days=1))
    assert len(anchor_file.path().read_text().splitlines()) == 1 + Anchor.objects.count()
    assert verify("--quick")[0] == []


def test_a_tombstone_that_was_changed_or_taken_away_is_named(people):
    gone = make_call(people.alice)
    make_anchor(today() - timedelta(days=1))
    gone.delete(actor=people.ada)
    make_anchor(today())
    assert verify("--quick")[0] == []
    attack("UPDATE calls_tombstone SET actor_id = %s", people.bob.pk)
    assert "the tombstone of a call was changed" in named("--quick")
    attack("DELETE FROM calls_tombstone")
    assert "nobody deleted it here" in "\n".join(verify("--quick")[0])


def test_what_was_committed_late_is_in_the_next_anchor(people):
    """A long transaction's lines have smaller keys than those that an anchor has seen."""
    early, late = make_call(people.alice), make_call(people.bob)
    rows = list(CallEvent.objects.filter(call=early))
    attack("DELETE FROM calls_callevent WHERE call_id = %s", early.pk)  # not committed yet
    assert make_anchor(today() - timedelta(days=1)).calls == 1
    CallEvent.objects.bulk_create(rows)  # with the keys that they had
    second = make_anchor(today())
    assert [h.call for part in second.parts.all() for h in part.unpacked()] == [early.pk]
    assert make_anchor(today() + timedelta(days=1)).calls == 0
    assert late.pk and verify()[0] == []
