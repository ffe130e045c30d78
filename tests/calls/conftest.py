"""What several tests of calls begin with."""

import pytest

from calls import services
from calls.models import CallLog
from tests.support.shown import REASON, WORD


@pytest.fixture
def said(people, things) -> CallLog:
    """Alice's call, whose notes were written, and written again; and of another field's word."""
    call = CallLog.objects.get(call_id=things["ended"])
    services.add_note(call, people.alice, f"first {WORD}")
    services.add_note(call, people.alice, f"then {WORD}")
    CallLog.objects.filter(pk=call.pk).update(end_reason=REASON)
    call.refresh_from_db()
    return call
