"""Lines that were there before the chain get theirs; and the way back and forth again."""

from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from calls import services
from calls.models import CallEvent, Tombstone
from tests.support.people import make_call
from upkeep.verification import Run, Wanted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]


def links():
    return list(CallEvent.objects.order_by("pk").values_list("pk", "place", "hash", "salt"))


def test_a_ledger_of_before_is_whole_after_the_migration_and_guarded(people):
    for number in range(3):
        call = make_call(people.alice, 60, ago=3600 * number + 60)
        services.add_note(call, people.sue, f"nota {number}")
    services.correct_call(call, people.ada, reason="así fue", status="FAILED")
    before = links()
    migration = import_module("calls.migrations.0019_hash_chain")
    at_once = migration._CALLS_AT_ONCE
    migration._CALLS_AT_ONCE = 2
    call_command("migrate", "calls", "0018", verbosity=0)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM calls_callevent LIMIT 1")
            assert "hash" not in [column[0] for column in cursor.description]
    finally:
        call_command("migrate", verbosity=0)
        migration._CALLS_AT_ONCE = at_once
    assert [(pk, place, bool(salt)) for pk, place, _hash, salt in links()] == [
        (pk, place, bool(salt)) for pk, place, _hash, salt in before
    ]
    assert {line[2] for line in links() if not line[3]} & {line[2] for line in before}
    assert list(Run(Wanted()).faults()) == []
    lines = CallEvent.objects.exclude(salt="")
    for change in ({"hash": "f"}, {"salt": ""}, {"place": 9}, {"commitment": ""}):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            lines.update(**change)
    call.delete()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Tombstone.objects.update(lines=1)
