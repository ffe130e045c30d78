"""Proves at length that backups made while many write are whole, and that whoever kills a backup or
a restore at whichever moment finds the old data or the new, and nothing between."""

import subprocess
import time

import pytest

from tests.support.backups import REFOLD, WRITER, OwnInstallation, calls_in
from tests.support.people import make_call
from tests.support.processes import kill
from upkeep.backups import archive

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.engines,
    pytest.mark.server,
    pytest.mark.timeout(1200),
]

WRITERS = 3
BACKUPS = 4
KILLS = 12


@pytest.fixture
def own(live_people, tmp_path):
    make_call(live_people.alice, 60)
    with OwnInstallation(tmp_path) as installation:
        yield installation


def test_backups_made_while_many_write_restore_to_what_adds_up(own):
    writers = [own.begin_code(WRITER) for _ in range(WRITERS)]
    assert all(writer.stdout.readline() == "1\n" for writer in writers)
    spans = []
    for _ in range(BACKUPS):
        before = calls_in(own)
        code, said = own.run("backup")
        assert code == 0, said
        spans.append((before, calls_in(own)))
    for writer in writers:
        assert writer.poll() is None  # nobody who writes was turned away meanwhile
        kill(writer)
    total = calls_in(own)
    assert total > BACKUPS * WRITERS
    for file, (before, after) in zip(own.backups(), spans, strict=True):
        code, said = own.run("restore", file)
        assert code == 0 and "every sum agrees with the calls" in said, said
        assert before <= calls_in(own) <= after
        assert calls_in(own) == archive.read_manifest(file).calls
        assert own.run("verify_ledger", "--quick")[0] == 0
        assert "differ: 0" in own.run_code(REFOLD)


def killed_at(own, seconds, *command):
    """Runs a command and kills it that late; whether it was still at work."""
    process = own.begin(*command)
    try:
        process.communicate(timeout=seconds)
        return False
    except subprocess.TimeoutExpired:
        kill(process)
        return True


def moments_of(own, *command):
    """Seconds, evenly from the start of the command to its end."""
    begun = time.monotonic()
    code, said = own.run(*command)
    assert code == 0, said
    took = time.monotonic() - begun
    return [took * (turn + 1) / (KILLS + 1) for turn in range(KILLS)]


def test_a_backup_that_is_killed_leaves_nothing_that_looks_like_one(own, tmp_path):
    own.run_code(WRITER, MOST="300")
    moments = moments_of(own, "backup")
    assert sum(killed_at(own, moment, "backup") for moment in moments)  # all of them
    for file in own.backups():
        archive.read(file, None)
    code, said = own.run("backup")
    assert code == 0, said
    assert not list(own.folder.glob(".unfinished*"))
    noted = own.ask("SELECT COUNT(*) FROM upkeep_backup WHERE error = ''")
    assert noted == len(own.backups())
    assert own.ask("SELECT COUNT(*) FROM upkeep_backup WHERE ended_at IS NULL") == 0


def test_a_restore_that_is_killed_leaves_the_old_data_or_the_new(own):
    own.run_code(WRITER, MOST="300")
    assert own.run("backup")[0] == 0
    (file,) = own.backups()
    new = calls_in(own)
    own.run_code(WRITER, MOST="50")
    old = calls_in(own)
    assert old > new
    moments = moments_of(own, "restore", file)
    found = set()
    for moment in moments:
        if calls_in(own) == new:
            own.run_code(WRITER, MOST=str(old - new))
        killed_at(own, moment, "restore", file)
        found.add(calls_in(own))
        assert calls_in(own) in (old, new)
        if own.is_sqlite:
            assert own.ask("PRAGMA integrity_check") == "ok"
        assert "differ: 0" in own.run_code(REFOLD)
        assert own.run("verify_ledger")[0] == 0
    assert old in found
    code, said = own.run("restore", file)
    assert code == 0 and calls_in(own) == new, said
    assert not list(own.place.glob("*.restoring*"))
