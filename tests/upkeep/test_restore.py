"""Restoring: all or nothing, what was there is kept, and what is no backup of ours is refused."""

import dataclasses
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from calls.models import CallLog, ProviderAccount
from tests.support.backups import OwnInstallation, calls_in
from tests.support.people import make_call
from upkeep.backups import archive, keys
from upkeep.backups.making import make_backup

pytestmark = [pytest.mark.django_db(transaction=True)]

ANCHOR = """
import django; django.setup()
from calls.proof.anchoring import make_anchor
make_anchor()
"""


@pytest.fixture
def own(live_people, tmp_path):
    make_call(live_people.alice, 60)
    with OwnInstallation(tmp_path) as installation:
        yield installation


def end_everything(own):
    """Spoils the present data: no sum is that of its calls any more."""
    if own.is_sqlite:
        with closing(sqlite3.connect(own.database)) as spoiled, spoiled:
            spoiled.execute("UPDATE metrics_dailymetrics SET ring_time = 77")
    else:
        own.on_server(f"ALTER DATABASE \"{own.database}\" SET timezone TO 'UTC'")


@pytest.mark.engines
def test_a_restored_backup_is_the_data_of_its_day_and_the_present_ones_are_kept(own):
    assert own.run("backup")[0] == 0
    (file,) = own.backups()
    own.run_code(ANCHOR)
    end_everything(own)
    code, said = own.run("restore", file)
    assert code == 0, said
    # The file of anchors has one of which the backup knows nothing.
    assert own.run("verify_ledger")[0] == 0
    assert "every sum agrees with the calls" in said and "cannot be opened" not in said
    assert calls_in(own) == 1
    assert own.ask("SELECT MAX(ring_time) FROM metrics_dailymetrics") == 0
    assert own.ask("SELECT COUNT(*) FROM upkeep_backup WHERE error = '' AND ended_at > begun_at")
    (kept,) = (word.rstrip(".") for word in said.split() if "before" in word and "T" in word)
    if own.is_sqlite:
        with closing(sqlite3.connect(kept)) as before:
            assert before.execute("SELECT ring_time FROM metrics_dailymetrics").fetchone() == (77,)
    else:
        assert own.on_server(f"SELECT 1 FROM pg_database WHERE datname = '{kept}'")


@pytest.mark.engines
@pytest.mark.server
def test_a_running_site_is_not_restored(own):
    assert own.run("backup")[0] == 0
    server = own.server().start()
    try:
        code, said = own.run("restore", *own.backups())
        assert code == 1 and "The site is running" in said and "Nothing was changed" in said
    finally:
        server.kill()
    assert own.run("restore", *own.backups())[0] == 0


@pytest.mark.once
def test_a_new_machine_has_the_keys_of_the_old(own, live_people, tmp_path):
    """The secrets of phone systems can be opened where only the backup was brought."""
    if not own.is_sqlite:
        pytest.skip("nothing of it is the engine's")
    account = ProviderAccount(kind="generic", name="pbx")
    account.add_secret("token", "of the old machine")
    account.save()
    there = Fernet.generate_key().decode()
    (tmp_path / keys.FIELD_KEY).write_text(there.rstrip("="))
    code, _said = own.run("backup", FIELD_ENCRYPTION_KEY="")
    assert code == 0
    new = tmp_path / "new machine"
    new.mkdir()
    other = {"DATA_DIR": str(new), "DATABASE_URL": "", "BACKUP_DIR": str(new / "backups")}
    code, said = own.run("restore", *own.backups(), FIELD_ENCRYPTION_KEY="", **other)
    assert code == 0 and "is kept as" not in said and "cannot be opened" not in said
    assert there.rstrip("=") in (new / keys.FIELD_KEY).read_text().split()
    foreign = Fernet.generate_key().decode()
    code, said = own.run("restore", *own.backups(), FIELD_ENCRYPTION_KEY=foreign, **other)
    assert code == 0 and "cannot be opened" in said


@pytest.mark.once
def test_sums_that_differ_are_told_by_the_exit_code(own):
    end_everything(own)
    own.run("backup")
    code, said = own.run("restore", *own.backups())
    assert code == 2 and "run manage.py rebuild_metrics" in said


@pytest.fixture
def file(live_people, settings, tmp_path):
    """A backup of the tests' own database."""
    settings.LANGUAGE_CODE = "en"
    settings.DATA_DIR, settings.BACKUP_DIR = tmp_path, tmp_path / "backups"
    make_call(live_people.alice, 60)
    return settings.BACKUP_DIR / make_backup().name


@pytest.mark.once
def test_what_is_no_whole_backup_of_ours_changes_nothing(file, tmp_path):
    whole = file.read_bytes()
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0xFF
    for content, sentence in (
        (whole[: len(whole) // 2], "Only a part"),
        (whole[:-1], "Only a part"),
        (whole[:40], "Only a part"),
        (bytes(damaged), "damaged"),
        (b"PK\x03\x04 a workbook", "not a backup of CallManager"),
        (b"", "not a backup of CallManager"),
        (None, "No such file"),
    ):
        wrong = tmp_path / "wrong"
        wrong.unlink(missing_ok=True)
        if content is not None:
            wrong.write_bytes(content)
        with pytest.raises(CommandError, match=f"{sentence}.* Nothing was changed"):
            call_command("restore", wrong)
    assert CallLog.objects.count() == 1
    left = Path(connection.settings_dict["NAME"]).parent
    assert not [*left.glob("*.restoring*"), *left.glob("*before*")]


@pytest.mark.once
def test_whoever_has_the_database_open_is_noticed(file):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL knows who is connected")
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as somebody:
        assert somebody.execute("SELECT COUNT(*) FROM calls_calllog").fetchone() == (1,)
        with pytest.raises(CommandError, match="has the database open"):
            call_command("restore", file)
    assert CallLog.objects.count() == 1


def altered(file, target, **changes):
    """The backup with another manifest."""
    opened = archive.read(file, database := target.with_name("database"))
    manifest = dataclasses.replace(opened.manifest, **changes)
    archive.write(target, manifest, opened.keys, database)
    return target


@pytest.mark.once
def test_a_newer_version_or_another_engine_is_refused(file, tmp_path):
    known = archive.read_manifest(file)
    other = "postgresql" if connection.vendor == "sqlite" else "sqlite"
    for changes, sentence in (
        ({"migrations": [*known.migrations, ("calls", "9999_later")]}, "calls.9999_later"),
        ({"version": 2, "release": "7.0"}, r"newer version of CallManager \(7.0\)"),
        ({"format": "another program's"}, "not a backup of CallManager"),
        ({"engine": other}, f"a backup of a {other} database"),
        ({"sha256": "0" * 64}, "is damaged"),
        ({"rows": "many"}, "is damaged"),
    ):
        wrong = altered(file, tmp_path / "altered", **changes)
        with pytest.raises(CommandError, match=f"{sentence}.* Nothing was changed"):
            call_command("restore", wrong)
    assert CallLog.objects.count() == 1
