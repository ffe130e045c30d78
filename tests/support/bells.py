"""Alerts in people's bells, as rules put them there."""

import uuid
from typing import Any

from django.db import transaction

from accounts.models import User
from calls.models import CallLog
from common.instants import now
from notifications.bell import tell
from notifications.models import Alert
from notifications.models.rules import Kind


def ring(*people: User, call: CallLog | None = None, kind: str = Kind.LONG_CALL) -> Alert:
    """An alert of `kind` about `call`, committed and told to `people`."""
    fields: dict[str, Any] = {"facts": {"seconds": 600}, "reached_at": now()}
    with transaction.atomic():
        alert = Alert.objects.create(
            kind=kind,
            occasion=f"{kind} {uuid.uuid4()}",
            call=call,
            agent=call and call.user,
            **fields,
        )
        tell(alert, people)
    return alert
