"""The table of calls: by which indexes they are found, and which calls the database refuses."""

from typing import Final

from django.db import models
from django.db.models import F, Q

from calls import timeline
from calls.models.call_queries import LONG_SECONDS

INDEXES: Final = [
    models.Index(fields=["user", "start_time"], name="call_user_start"),
    models.Index(fields=["start_time", "id"], name="call_start"),
    models.Index(fields=["user"], condition=Q(end_time__isnull=True), name="call_active_user"),
    models.Index(
        fields=["user"], condition=Q(wrap_up_since__isnull=False), name="call_wrapping_user"
    ),
    models.Index(
        fields=["user", "start_time"],
        condition=Q(evidence=timeline.ESTIMATE),
        name="call_unconfirmed",
    ),
    models.Index(fields=["conversation"], condition=~Q(conversation=""), name="call_conversation"),
    models.Index(fields=["start_time"], condition=Q(is_shared=True), name="call_shared"),
    models.Index(fields=["start_time"], condition=Q(user__isnull=True), name="call_unassigned"),
    models.Index(fields=["phone_line"], condition=~Q(phone_line=""), name="call_phone_line"),
    # What most calls are not, so that what is rare is found among millions.
    models.Index(
        fields=["evidence", "start_time", "id"],
        condition=~Q(evidence=timeline.CLICK),
        name="call_evidence_start",
    ),
    models.Index(
        fields=["provider", "start_time", "id"],
        condition=~Q(provider=""),
        name="call_provider_start",
    ),
    models.Index(
        fields=["disposition", "start_time", "id"],
        condition=~Q(disposition=""),
        name="call_disposition_start",
    ),
    models.Index(
        fields=["duration_seconds"],
        condition=Q(duration_seconds__gte=LONG_SECONDS),
        name="call_long",
    ),
]
CONSTRAINTS: Final[list[models.BaseConstraint]] = [
    models.UniqueConstraint(
        fields=["account", "provider_call_id"],
        condition=~Q(provider_call_id=""),
        name="call_provider_once",
    ),
    models.CheckConstraint(
        condition=Q(end_time__isnull=True) | Q(end_time__gte=F("start_time")),
        name="call_end_not_before_start",
    ),
    models.CheckConstraint(
        condition=Q(answered_time__isnull=True)
        | (
            Q(answered_time__gte=F("start_time"))
            & (Q(end_time__isnull=True) | Q(answered_time__lte=F("end_time")))
        ),
        name="call_answered_within",
    ),
    models.CheckConstraint(
        condition=Q(status=timeline.IN_PROGRESS, end_time__isnull=True)
        | (Q(status__in=timeline.TERMINAL) & Q(end_time__isnull=False)),
        name="call_in_progress_has_no_end",
    ),
    models.CheckConstraint(
        condition=Q(end_time__isnull=True)
        | Q(
            duration_seconds__isnull=False,
            talk_seconds__isnull=False,
            ring_seconds__isnull=False,
        ),
        name="call_ended_has_lengths",
    ),
    models.CheckConstraint(
        condition=Q(hold_seconds__gte=0)
        & Q(paused_seconds__gte=0)
        & Q(wrap_up_seconds__gte=0)
        & (Q(ring_seconds__isnull=True) | Q(ring_seconds__gte=0))
        & (Q(duration_seconds__isnull=True) | Q(duration_seconds__gte=0))
        & (Q(talk_seconds__isnull=True) | Q(talk_seconds__gte=0)),
        name="call_parts_not_negative",
    ),
]
