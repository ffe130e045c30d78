"""The writers of one process stand in a line before SQLite's lock, and nobody stays in it."""

import threading

import pytest
from django.db import OperationalError, connection, transaction

from accounts.models import Team
from common.databases.sqlite.base import Line
from tests.support.patience import PATIENCE, await_that
from tests.support.storage import lock_held

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's writers"),
]


def in_thread(work) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_turns_are_given_in_the_order_of_asking():
    line, served = Line(), []
    assert line.enter(0)

    def wait_for_turn(number: int) -> None:
        assert line.enter(20)
        served.append(number)
        line.leave()

    threads = []
    for number in range(5):
        threads.append(in_thread(lambda number=number: wait_for_turn(number)))
        await_that(lambda number=number: len(line._waiting) == number + 1)
    line.leave()
    for thread in threads:
        thread.join()
    assert served == [0, 1, 2, 3, 4]
    assert line.enter(0)


def test_whoever_gives_up_waiting_is_out_of_the_line():
    line = Line()
    assert line.enter(0)
    assert not line.enter(0.01)
    line.leave()
    assert line.enter(0)
    assert not line.enter(0)


def write(name: str, failing: bool = False) -> None:
    with transaction.atomic():
        Team.objects.create(name=name)
        if failing:
            raise ValueError


@pytest.mark.django_db(transaction=True)
def test_writers_of_several_threads_all_write():
    def write_ten(thread: int) -> None:
        for number in range(10):
            write(f"{thread}-{number}")
        connection.close()

    threads = [in_thread(lambda thread=thread: write_ten(thread)) for thread in range(4)]
    for thread in threads:
        thread.join()
    assert Team.objects.count() == 40


@pytest.mark.django_db(transaction=True)
def test_a_writer_that_fails_or_loses_its_connection_lets_the_next_one_in():
    def fail() -> None:
        with pytest.raises(ValueError):
            write("rolled back", failing=True)
        with pytest.raises(Exception), transaction.atomic():  # noqa: B017
            Team.objects.create(name="lost")
            connection.close()
            raise ValueError

    in_thread(fail).join()
    write("next")
    assert list(Team.objects.values_list("name", flat=True)) == ["next"]


@pytest.mark.django_db(transaction=True)
def test_who_waits_too_long_is_told_as_sqlite_would(monkeypatch):
    connection.ensure_connection()
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.01)
    holds, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Team.objects.create(name="first")
            holds.set()
            assert done.wait(20)
        connection.close()

    holder = in_thread(hold)
    assert holds.wait(20)
    with pytest.raises(OperationalError, match="database is locked"):
        write("second")
    done.set()
    holder.join()
    write("third")
    assert set(Team.objects.values_list("name", flat=True)) == {"first", "third"}


@pytest.mark.django_db(transaction=True)
def test_after_one_has_waited_for_another_process_in_vain_the_next_do_not_wait_as_long(monkeypatch):
    options = connection.settings_dict["OPTIONS"]
    with lock_held():
        for seconds in (0.01, 100 * PATIENCE):
            connection.close()
            monkeypatch.setitem(options, "timeout", seconds)
            with pytest.raises(OperationalError, match="database is locked"):
                write("refused")
    write("afterwards")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == (100 * PATIENCE * 1000,)  # as it was
    connection.close()


@pytest.mark.django_db
def test_what_was_made_while_nobody_could_write_keeps_nobody_from_writing_afterwards(tmp_path):
    """SQLite gives the files beside a database the mode that the database has at that moment."""
    name = tmp_path / "calls.sqlite3"
    first, second = connection.copy(), connection.copy()
    for one in (first, second):
        one.settings_dict["NAME"] = str(name)
    try:
        first.cursor().execute("CREATE TABLE calls (number)")
        beside = [tmp_path / f"{name.name}{end}" for end in ("-wal", "-shm")]
        for path in beside:
            path.chmod(0o400)
        second.cursor().execute("INSERT INTO calls VALUES (1)")
        assert [path.stat().st_mode & 0o777 for path in beside] == [0o600, 0o600]
    finally:
        second.close()
        first.close()
