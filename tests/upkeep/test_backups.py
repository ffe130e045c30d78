"""Backups: what is in one, how it is checked, which stay, where copies go, and what stops one."""

import datetime as dt
import fcntl
import stat
import subprocess
import sys

import boto3
import pytest
from django.core.management import CommandError, call_command
from moto.server import ThreadedMotoServer

from calls.models import CallLog
from common.instants import now
from metrics.models import DailyMetrics
from tests.support.people import make_call
from tests.support.server import ROOT
from tests.support.storage import small_disk  # noqa: F401  (fixture)
from upkeep import signals
from upkeep.backups import archive, keys, rotation, state
from upkeep.backups.locks import AlreadyUnderWay
from upkeep.backups.making import make_backup
from upkeep.backups.places import BackupError, backups_in, name_at
from upkeep.models import Backup

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def folder(live_people, settings, tmp_path):
    settings.LANGUAGE_CODE = "en"
    settings.DATA_DIR = tmp_path
    settings.BACKUP_DIR = tmp_path / "backups"
    settings.BACKUP_COPY_TO = ""
    for seconds in (60, 90):
        make_call(live_people.alice, seconds)
    return settings.BACKUP_DIR


@pytest.fixture
def told():
    """What was told of backups: the sentences of failures, and the backups."""
    heard = []

    def hear(sender, **said):
        heard.append(said.get("error") or said["backup"])

    signals.backup_failed.connect(hear)
    signals.backup_made.connect(hear)
    yield heard
    signals.backup_failed.disconnect(hear)
    signals.backup_made.disconnect(hear)


@pytest.mark.engines
def test_a_backup_holds_everything_and_is_checked(folder, told, tmp_path):
    (folder.parent / keys.FIELD_KEY).write_text("k")
    backup = make_backup()
    (path,) = backups_in(folder)
    assert (path.name, path.stat().st_size) == (backup.name, backup.size)
    assert backup.sha256 == archive.sha256_of(path)
    assert (backup.calls, backup.events, backup.error, backup.doubts) == (2, 4, "", "")
    assert told == [backup] and state.last_good() == backup and state.concern() == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [one.name for one in folder.iterdir() if one != path] == [".lock"]
    opened = archive.read(path, tmp_path / "database")
    assert opened.keys == {keys.FIELD_KEY: b"k"}
    assert opened.manifest.rows["calls_calllog"] == 2
    assert ("admin", "0001_initial") in opened.manifest.migrations
    listed = subprocess.run(["tar", "--zstd", "-tf", path], capture_output=True, text=True)
    if listed.returncode == 0:  # where tar has zstd
        assert listed.stdout.split()[0] == "manifest.json"


@pytest.mark.engines
@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda: DailyMetrics.objects.update(ring_time=77), "not those of its calls"),
        (lambda: CallLog.objects.update(talk_seconds=5), "not what their events say"),
    ],
    ids=["sums", "calls"],
)
def test_data_that_do_not_add_up_are_kept_and_told(folder, told, spoil, sentence):
    spoil()
    with pytest.raises(CommandError, match=sentence):
        call_command("backup")
    (path,) = backups_in(folder)
    backup = Backup.objects.get()
    assert backup.name == path.name and sentence in backup.doubts
    assert told == [backup, backup.doubts] and state.last_good() is None


@pytest.mark.engines
def test_one_backup_at_a_time(folder, told):
    make_backup()
    with (folder / ".lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(AlreadyUnderWay):
            make_backup()
    assert Backup.objects.count() == 1 and len(told) == 1
    make_backup()
    assert Backup.objects.good().count() == 2


@pytest.mark.once
def test_what_a_killed_run_has_left_goes_away(folder):
    folder.mkdir()
    (folder / ".unfinished-database").write_bytes(b"half")
    begun = now() - dt.timedelta(minutes=5)
    Backup.objects.create(name=name_at(begun), begun_at=begun)
    (folder / "something else").touch()
    backup = make_backup()
    names = {path.name for path in folder.iterdir()}
    assert names == {".lock", backup.name, "something else"}
    assert "ended before" in Backup.objects.exclude(pk=backup.pk).get().error


@pytest.mark.once
def test_folders_that_will_not_do(folder, told, settings, tmp_path):
    (tmp_path / "file").touch()
    for place, sentence in (
        (ROOT / "static" / "backups", "everybody may fetch"),
        (settings.STATIC_ROOT / "backups", "everybody may fetch"),
        (tmp_path / "file" / "backups", "cannot be written: Not a directory"),
    ):
        settings.BACKUP_DIR = place
        with pytest.raises(BackupError, match=sentence):
            make_backup()
        assert sentence in Backup.objects.first().error and sentence in told[-1]
        assert not place.exists()


@pytest.mark.once
def test_a_full_disk_is_told_before_and_leaves_nothing(folder, told, settings, small_disk):  # noqa: F811
    settings.BACKUP_DIR = small_disk.place / "backups"
    small_disk.fill()
    with pytest.raises(BackupError, match="not enough room"):
        make_backup()
    small_disk.empty()
    assert len(told) == 1 and backups_in(settings.BACKUP_DIR) == []


@pytest.mark.once
def test_a_damaged_database_never_takes_the_place_of_a_good_backup(folder, told, tmp_path):
    from upkeep.backups.engines import sqlite

    good = make_backup()
    copied = tmp_path / "copied.sqlite3"
    archive.read(folder / good.name, copied)
    with copied.open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xff" * 4096 * 4)
    with pytest.raises(BackupError, match="damaged"):
        sqlite.check(copied, {})


# --- Which stay -----------------------------------------------------------------------------------


def test_the_newest_and_the_last_of_days_and_weeks_stay():
    present = dt.datetime(2026, 7, 15, 12, 0, tzinfo=dt.UTC)  # a Wednesday
    names = [name_at(present - dt.timedelta(minutes=30 * n)) for n in range(48 * 40)]
    going = rotation.names_that_go([*names, "somebody's.tar.zst"], names)
    staying = [name for name in names if name not in going]
    assert staying[:24] == names[:24] and "somebody's.tar.zst" not in going
    last_of_days = [name_at(dt.datetime(2026, 7, day, 23, 30, tzinfo=dt.UTC)) for day in (14, 9)]
    last_of_weeks = [
        name_at(dt.datetime(2026, month, day, 23, 30, tzinfo=dt.UTC))
        for month, day in ((7, 12), (7, 5), (6, 28))
    ]
    assert set(last_of_days + last_of_weeks) <= set(staying)
    assert len(staying) == 24 + 6 + 2  # today's and this week's are among the newest


def test_the_last_good_one_stays_however_old():
    present = dt.datetime(2026, 7, 15, 12, 0, tzinfo=dt.UTC)
    names = [name_at(present - dt.timedelta(minutes=30 * n)) for n in range(48 * 40)]
    good = names[-2:]
    assert good[0] not in rotation.names_that_go(names, good)
    assert good[1] in rotation.names_that_go(names, good)


@pytest.mark.once
def test_files_that_the_table_does_not_know_are_noted(folder, told):
    first = make_backup()
    Backup.objects.all().delete()
    old = folder / name_at(now() - dt.timedelta(days=90))
    old.write_bytes((folder / first.name).read_bytes())
    make_backup()
    known = {backup.name: backup for backup in Backup.objects.good()}
    assert set(known) == {path.name for path in backups_in(folder)}
    noted = known[first.name]
    assert (noted.sha256, noted.calls, noted.size) == (first.sha256, 2, first.size)


# --- Copies ---------------------------------------------------------------------------------------


@pytest.fixture
def storage(monkeypatch):
    """A storage that speaks S3, on this machine, with a bucket."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "us",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="safe")
    yield client
    server.stop()


@pytest.mark.once
def test_a_copy_in_another_folder(folder, settings, tmp_path):
    other = tmp_path / "other"
    settings.BACKUP_COPY_TO = str(other)
    other.mkdir()
    old = [name_at(now() - dt.timedelta(days=60 + n)) for n in range(40)]
    for name in old:
        (other / name).touch()
    backup = make_backup()
    assert backup.copied_to == str(other / backup.name) and backup.copy_error == ""
    assert archive.sha256_of(other / backup.name) == backup.sha256
    assert len(backups_in(other)) < len(old)


@pytest.mark.once
def test_a_copy_in_a_storage(folder, settings, storage):
    settings.BACKUP_COPY_TO = "s3://safe/calls/"
    old = [name_at(now() - dt.timedelta(days=60 + n)) for n in range(40)]
    for name in [*old, "somebody's"]:
        storage.put_object(Bucket="safe", Key=f"calls/{name}", Body=b"")
    backup = make_backup()
    assert backup.copied_to == f"s3://safe/calls/{backup.name}"
    there = storage.get_object(Bucket="safe", Key=f"calls/{backup.name}")
    assert there["Body"].read() == (folder / backup.name).read_bytes()
    assert there["Metadata"] == {"sha256": backup.sha256}
    listed = [one["Key"] for one in storage.list_objects_v2(Bucket="safe")["Contents"]]
    assert "calls/somebody's" in listed and len(listed) < len(old)


@pytest.mark.once
def test_a_copy_that_fails_leaves_the_backup(
    folder, told, settings, storage, monkeypatch, tmp_path
):
    def trouble():
        with pytest.raises(CommandError) as raised:
            call_command("backup")
        backup = Backup.objects.first()
        assert backup.error == "" and state.last_good() == backup and told[-1] == backup.copy_error
        assert (folder / backup.name).exists()
        return str(raised.value)

    (tmp_path / "file").touch()
    settings.BACKUP_COPY_TO = str(tmp_path / "file" / "copies")
    assert "not copied" in trouble() and "Not a directory" in Backup.objects.first().copy_error
    settings.BACKUP_COPY_TO = "s3://nobodys"
    assert "s3://nobodys cannot be written" in trouble()
    monkeypatch.setitem(sys.modules, "boto3", None)  # as where it is not installed
    assert "pip install -r requirements-s3.txt" in trouble()


# --- By the clock ---------------------------------------------------------------------------------


@pytest.mark.once
def test_when_a_backup_is_due(folder, settings):
    def is_due(hour, minute):
        state._last_tried.cache_clear()
        return state.is_due(dt.datetime(2026, 7, 15, hour, minute))

    settings.BACKUP_EVERY_MINUTES = 30
    assert is_due(10, 7)  # there is none yet
    begun = dt.datetime(2026, 7, 15, 9, 45, tzinfo=dt.UTC)
    Backup.objects.create(name="one", begun_at=begun, ended_at=begun)
    assert [minute for minute in range(60) if is_due(10, minute)] == [0, *range(16, 60)]
    Backup.objects.update(begun_at=begun + dt.timedelta(minutes=45))
    assert [minute for minute in range(60) if is_due(10, minute)] == [0, 30]
    settings.BACKUP_EVERY_MINUTES = 0
    assert not is_due(10, 30)
