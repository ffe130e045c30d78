"""Records at the command line: brought in, looked at, taken back."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from calls.models import CallLog
from reconciliation.imports import files
from reconciliation.models import ProviderRecord, RecordImport
from tests.support.people import make_pbx
from tests.support.records import file_of, heard, lies_in, line

pytestmark = pytest.mark.once


@pytest.fixture
def pbx(people):
    return make_pbx(people, "generic", timezone="UTC")


def printed(name, *args, **options):
    out = StringIO()
    call_command(name, *args, stdout=out, **options)
    return out.getvalue()


def written(tmp_path, *lines):
    path = tmp_path / "records.csv"
    path.write_bytes(file_of(*lines).getvalue())
    return str(path)


def test_a_file_is_brought_in_and_taken_back(pbx, tmp_path):
    heard(pbx, "one")
    path = written(tmp_path, line("one"), line("two", 100, 105, 125))
    looked = printed("import_records", path, account="pbx", dry_run=True)
    assert "2 records: 1 confirmed, 0 completed, 0 different, 1 new" in looked
    assert "nothing was changed" in looked and not RecordImport.objects.exists()
    said = printed("import_records", path, account="pbx")
    assert "1 confirmed, 0 completed, 0 different, 1 new" in said
    what = RecordImport.objects.get()
    assert f"(import {what.pk})" in said and CallLog.objects.count() == 2
    assert "was taken back" in printed("undo_records", str(what.pk))
    assert CallLog.objects.count() == 1 and CallLog.objects.get().evidence == "B"
    assert lies_in(files.folder()) == []


def test_columns_and_the_time_zone_are_said_and_kept(pbx, tmp_path):
    path = tmp_path / "strange.csv"
    path.write_text("A,B,C,D\n05.01.2026 04:00:00,05.01.2026 04:00:25,1001,+50688881111\n")
    columns = ["start=A", "end=2", "agent=C", "number=D"]
    options = {"account": "pbx", "time_zone": "America/Costa_Rica", "format": "table"}
    printed("import_records", str(path), map=columns, keep_mapping=True, **options)
    assert CallLog.objects.get().start_time.isoformat() == "2026-01-05T10:00:00+00:00"
    assert "1 known already" in printed("import_records", str(path), account="pbx")


def test_lines_that_cannot_be_read_stop_it_all_unless_they_are_left_out(pbx, tmp_path):
    path = written(tmp_path, line("one"), line("two") | {"start": "yesterday"})
    with pytest.raises(CommandError, match="1 line cannot be read"):
        printed("import_records", path, account="pbx")
    assert not ProviderRecord.objects.exists() and not CallLog.objects.exists()
    said = printed("import_records", path, account="pbx", skip_bad=True)
    assert "line 3 is not readable" in said and "1 new" in said


def test_what_is_wrong_is_said(pbx, tmp_path):
    with pytest.raises(CommandError, match="no account nowhere"):
        printed("import_records", "x.csv", account="nowhere")
    with pytest.raises(CommandError, match="cannot be read"):
        printed("import_records", str(tmp_path / "nothing.csv"), account="pbx")
    with pytest.raises(CommandError, match="FIELD=COLUMN"):
        printed("import_records", written(tmp_path, line("one")), account="pbx", map=["start"])
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises(CommandError, match="empty"):
        printed("import_records", str(empty), account="pbx")
    with pytest.raises(CommandError, match="no import 77"):
        printed("undo_records", "77")
    assert lies_in(files.folder()) == []
