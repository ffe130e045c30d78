"""Backups in the administration: what stands there, one more now, and the file itself."""

import datetime as dt
import fcntl

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission

from common.instants import now
from tests.support.doors import client_of, written_backup
from upkeep import tasks
from upkeep.models import Backup

pytestmark = [pytest.mark.django_db, pytest.mark.once]
LIST = "/admin/upkeep/backup/"


@pytest.fixture
def ada(people, settings, tmp_path):
    settings.BACKUP_DIR = tmp_path / "backups"
    client = client_of(people.ada)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def test_the_list_says_what_there_is_and_what_is_wrong(ada):
    begun = now() - dt.timedelta(minutes=70)
    kept = Backup.objects.create(
        name="one", begun_at=begun, ended_at=begun, size=2_500_000, calls=12_345
    )
    Backup.objects.create(name="two", begun_at=now(), ended_at=now(), error="No room at all.")
    page = ada.get(LIST).content.decode()
    for words in ("1\xa0hour", "2.4\xa0MB", "12,345", "verified", "No room at all."):
        assert words in page
    assert "The last good backup is of" in page and "one every 30 minutes is wanted" in page
    Backup.objects.filter(pk=kept.pk).update(begun_at=now(), copy_error="The copy: no.")
    page = ada.get(LIST).content.decode()
    assert "The last good backup" not in page and "The copy: no." in page
    assert page.count(">Download<") == 1


def test_without_any_the_list_says_so(ada):
    assert "There is no good backup yet." in ada.get(LIST).content.decode()


def test_the_worker_makes_one_when_asked(ada, settings, tmp_path, queue):
    settings.DATA_DIR = tmp_path
    assert ada.post(f"{LIST}now/").status_code == 302
    (task,) = queue.pending()
    assert task.name == "back_up_now"
    assert ada.get(f"{LIST}now/").status_code == 405


def test_a_download_is_the_file_and_is_written_down(ada, people):
    backup = written_backup()
    answer = ada.get(f"{LIST}{backup.pk}/file/")
    assert b"".join(answer.streaming_content) == b"packed"
    assert backup.name in answer["Content-Disposition"]
    (entry,) = LogEntry.objects.all()
    assert (entry.user, entry.object_id) == (people.ada, str(backup.pk))
    backup.error = "There is none."
    backup.save()
    assert ada.get(f"{LIST}{backup.pk}/file/").status_code == 404


def test_who_only_opens_the_administration_sees_no_backups(ada, people):
    people.ada.groups.clear()
    people.ada.user_permissions.add(Permission.objects.get(codename="use_admin"))
    backup = written_backup()
    for address in (LIST, f"{LIST}{backup.pk}/change/", f"{LIST}{backup.pk}/file/"):
        assert ada.get(address).status_code == 403
    assert "Backups" not in ada.get("/admin/").content.decode()


def test_a_second_one_at_a_time_is_no_failure_of_the_job(people, settings, tmp_path):
    settings.BACKUP_DIR = tmp_path
    with (settings.BACKUP_DIR / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert tasks.back_up.call_local()  # its result, in words
    assert not Backup.objects.exists()
