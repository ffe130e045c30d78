"""Our PostgreSQL backend: statements that are planned once, and connections that are looked at."""

import pytest
from django.db import connection

from accounts.models import User
from common.databases.prepared_sql import A_TEXT, Prepared
from tests.support.people import make_call

pytestmark = [
    pytest.mark.engines,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="another engine"),
]


def planned():
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return {text for (text,) in cursor.fetchall()}


def test_the_statements_of_a_call_are_planned_once(live_people):
    make_call(live_people.alice)
    kept = planned()
    assert any("calls_calllog" in text for text in kept)
    make_call(live_people.alice)
    assert planned() == kept


def test_what_is_constant_is_text_and_what_changes_is_not():
    User.objects.create(username="ana", first_name="50 % 'Ana'")
    query = Prepared(
        lambda: User.objects.filter(first_name="50 % 'Ana'", username=A_TEXT).values_list("pk"),
        A_TEXT,
    )
    assert len(query.rows("ana")) == 1
    assert query.rows("eva") == []
    (text,) = (text for text in planned() if "50 % " in text)
    assert "$1" in text and "$2" not in text


def test_a_connection_that_the_server_has_ended_is_made_anew(live_people):
    assert User.objects.exists()
    ended = connection.connection
    assert connection.is_usable()  # asked, as it was not heard of lately; now it is only looked at
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [ended.info.backend_pid])
    finally:
        other.close()
    connection.close_if_unusable_or_obsolete()  # as at the begin of a request
    assert User.objects.exists()
    assert connection.connection is not ended
