"""Compiled statements say what Django's own would, and rows are written with all that save does."""

import datetime as dt
import uuid

import pytest
from django.db import DatabaseError, IntegrityError
from django.db.models import F

from accounts.authentication import usable_key
from accounts.models import ApiKey, User
from calls.models import CallEvent, CallLog
from common.databases.prepared_sql import (
    A_NUMBER,
    A_TEXT,
    A_UUID,
    AN_INSTANT,
    ANOTHER_INSTANT,
    Prepared,
)
from common.instants import now
from tests.support.people import make_call

pytestmark = pytest.mark.engines


def columns(row) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_a_compiled_query_finds_what_the_query_set_finds(people):
    calls = [make_call(people.alice, 60, ago=ago) for ago in (900, 600, 300)]
    make_call(people.bob, 60, ago=600)
    first, last = calls[0].start_time, calls[2].start_time
    prepared = Prepared(
        lambda: CallLog.objects.filter(
            user=A_NUMBER, start_time__gte=AN_INSTANT, start_time__lt=ANOTHER_INSTANT
        ).order_by("start_time"),
        A_NUMBER,
        AN_INSTANT,
        ANOTHER_INSTANT,
    )
    for _again in range(2):
        found = prepared.found(people.alice.pk, first, last)
        assert [columns(call) for call in found] == [
            columns(CallLog.objects.get(pk=call.pk)) for call in calls[:2]
        ]
    assert prepared.found(people.carol.pk, first, last) == []


def test_values_are_those_of_python_and_rows_those_of_the_driver(people):
    call = make_call(people.alice, 60)
    prepared = Prepared(
        lambda: CallLog.objects.filter(call_id=A_UUID).values_list("call_id", "start_time"), A_UUID
    )
    assert list(map(tuple, prepared.values(call.call_id))) == [(call.call_id, call.start_time)]
    assert prepared.rows(uuid.uuid4()) == []


def test_what_comes_beside_a_row_is_not_taken_for_another_column(people):
    """A person whose columns slip by one is a superuser, or somebody else."""
    for user, powers in [(people.alice, (False, False)), (people.ada, (True, True))]:
        User.objects.filter(pk=user.pk).update(is_superuser=powers[0], is_staff=powers[1])
        key, secret = ApiKey.issue(user, "k")
        row = usable_key(secret)
        assert row is not None
        assert columns(row.owner) == columns(User.objects.get(pk=user.pk))
        assert (row.pk, row.owner.is_superuser) == (key.pk, powers[0])
        assert columns(row) == columns(ApiKey.objects.get(pk=key.pk))


def test_a_mark_that_the_query_does_not_use_is_a_mistake(db):
    with pytest.raises(AssertionError):
        Prepared(lambda: User.objects.filter(pk=A_NUMBER), A_NUMBER, A_TEXT).rows(1, "x")


# --- Writing --------------------------------------------------------------------------------------


def test_an_inserted_row_reads_back_as_it_was_written(people):
    call = CallLog(
        user=people.alice,
        call_id="0192f0c1-2222-7000-8000-00000000000a",  # type: ignore[misc]  # as programs write it
        start_time=now(),
        last_seen_at=now(),
        notes="ñ %s %%",
    )
    call.save(force_insert=True)
    assert call.pk is not None
    read = CallLog.objects.get(call_id="0192f0c1-2222-7000-8000-00000000000a")
    assert columns(read) == columns(call) | {"call_id": uuid.UUID(str(call.call_id))}


def test_a_line_of_the_ledger_keeps_its_data(people):
    call = make_call(people.alice, 60)
    data = {"a": None, "b": ["ü", 1.5], "c": {"d": True}}
    line = CallEvent(
        call=call,
        key="k",
        kind="noted",
        occurred_at=call.start_time,
        received_at=now(),
        source="agent",
        data=data,
    )
    line.save(force_insert=True)
    assert CallEvent.objects.get(pk=line.pk).data == data
    with pytest.raises(TypeError, match="append-only"):
        line.save()


def test_only_the_named_fields_are_updated(people):
    call = make_call(people.alice, 60)
    CallLog.objects.filter(pk=call.pk).update(contact_ref="theirs")
    call.contact_ref, call.conversation = "mine", "c"
    call.save(update_fields=["conversation"])
    call.refresh_from_db()
    assert (call.contact_ref, call.conversation) == ("theirs", "c")


def test_a_row_that_is_gone_is_not_written(people):
    call = make_call(people.alice, 60)
    CallLog.objects.filter(pk=call.pk).delete()
    with pytest.raises(DatabaseError):
        call.save(update_fields=["conversation"])


def test_the_databases_own_laws_are_asked(people):
    call = make_call(people.alice, 60)
    with pytest.raises(IntegrityError):
        CallLog(user=people.bob, call_id=call.call_id, start_time=now(), last_seen_at=now()).save(
            force_insert=True
        )


def test_an_expression_is_written_by_the_database(people):
    call = make_call(people.alice, 60)
    call.hold_seconds = F("hold_seconds") + 7
    call.save(update_fields=["hold_seconds"])
    call.refresh_from_db()
    assert call.hold_seconds == 7


def test_instants_are_written_to_the_millisecond(people):
    instant = dt.datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=dt.UTC)
    call = make_call(people.alice, 60)
    call.last_seen_at = instant
    call.save(update_fields=["last_seen_at"])
    assert CallLog.objects.get(pk=call.pk).last_seen_at == instant
