"""A demo's phone system has a list of its own: most calls are confirmed, some are not."""

import pytest

from calls.models import CallLog
from metrics.demo.seeding import Options, seed
from reconciliation import demo
from reconciliation.models import ProviderRecord, RecordImport

pytestmark = pytest.mark.once


def test_a_demo_has_something_of_everything(db, tmp_path, settings):
    settings.DATA_DIR = tmp_path
    seed(Options(teams=1, agents=4, days=6))
    what = demo.seed()
    assert what is not None and what.state == RecordImport.DONE, what
    assert what.confirmed > 0.7 * what.records > 50
    assert what.different and what.created and what.unreadable == 1
    records = ProviderRecord.objects.filter(outcome=ProviderRecord.CONFIRMED)
    assert CallLog.objects.filter(records__in=records).exclude(evidence="A").count() == 0
    assert what.skew_ms is not None and -3_000 < what.skew_ms < -2_000


def test_without_calls_there_is_no_list(people):
    assert demo.seed() is None
    assert not RecordImport.objects.exists()
