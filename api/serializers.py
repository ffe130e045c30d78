"""The bodies of the API: what programs send, checked, and what they get, described."""

import datetime as dt
import re
import uuid
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.shapes import text
from calls import timeline
from calls.history.bodies import call_body, line_body
from calls.history.disputes import disputes_of
from calls.models import CallDispute, CallEvent, CallLog
from calls.services.disputes import MOST_LETTERS
from calls.timeline.end_words import Outcome, outcome_of
from common.instants import UTC, isoformat

_CALL_ID = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")


def parse_call_id(text: str) -> uuid.UUID | None:
    """The call id written in `text`; None for what is none."""
    return uuid.UUID(text) if _CALL_ID.fullmatch(text) else None


# --- Fields: a JSON string is a string, and nothing that was sent is echoed in an error -----------


class Text(serializers.CharField):
    """A JSON string, kept as given; numbers and booleans are refused."""

    def __init__(self, **kwargs: Any):
        super().__init__(**{"trim_whitespace": False} | kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"oneOf": [text(100), {"type": "integer"}]})
class Reference(Text):
    """An id in another system: a string, or an integer kept as its digits."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, int) and not isinstance(data, bool):
            data = str(data)
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.UUID)
class CallIdField(Text):
    default_error_messages = {"no_uuid": _("This is not a UUID.")}

    def to_internal_value(self, data: Any) -> Any:
        call_id = parse_call_id(super().to_internal_value(data))
        if call_id is None:
            self.fail("no_uuid")
        return call_id


class Choice(serializers.ChoiceField):
    default_error_messages = {"invalid_choice": _("Use one of: {known}.")}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice", known=", ".join(self.choices))
        return data


@extend_schema_field(
    {
        "type": "string",
        "maxLength": 60,
        "examples": [*timeline.TERMINAL, "busy", "cancelled", "rejected", "invalid number"],
        "description": "How the call ended: one of the four statuses, or a word that plainly means "
        "one of them, in English or Spanish. Capitals, accents, spaces and signs do not matter. "
        "`busy`, `cancelled`, `rejected` and the like are kept as the reason of the end.",
    }
)
class EndStatus(Text):
    """How a call ended, as programs say it."""

    default_error_messages = {
        "unknown": _(
            "Use one of: {known}; or a plain word for one of them, such as busy, cancelled, "
            "rejected or invalid number."
        )
    }

    def to_internal_value(self, data: Any) -> Any:
        outcome = outcome_of(super().to_internal_value(data))
        if outcome is None:
            self.fail("unknown", known=", ".join(timeline.TERMINAL))
        return outcome

    def to_representation(self, value: Any) -> str:
        return str(value.status)


@extend_schema_field(OpenApiTypes.DATETIME)
class Instant(Text):
    """ISO 8601 with `Z` or an offset; an instant without one could be anywhere in a day."""

    default_error_messages = {
        "format": _("Write an instant such as 2026-01-31T13:45:00.000Z."),
        "naive": _("Add Z or an offset such as -06:00 to this instant."),
    }

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        try:
            instant = dt.datetime.fromisoformat(text.strip().upper())
            if instant.tzinfo is None:
                self.fail("naive")
            return instant.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("format")

    def to_representation(self, value: Any) -> Any:
        return isoformat(value)


# --- What programs send ---------------------------------------------------------------------------


class StartBody(serializers.Serializer[None]):
    contact_id = Reference(required=False, allow_null=True, allow_blank=True, max_length=100)
    contact_phone = Text(required=False, allow_null=True, allow_blank=True, max_length=64)
    call_id = CallIdField(
        required=False,
        allow_null=True,
        help_text="A UUID of yours: the same start sent twice is then one call.",
    )
    started_at = Instant(required=False, allow_null=True)
    sent_at = Instant(required=False, allow_null=True, help_text="Your clock as you send this.")
    provider = Text(required=False, allow_null=True, allow_blank=True, max_length=60)
    direction = Choice(choices=[key for key, _label in CallLog.DIRECTIONS], default="outbound")


class EndBody(serializers.Serializer[None]):
    call_id = Text()
    status = EndStatus(max_length=60, default=Outcome(timeline.COMPLETED))
    notes = Text(required=False, allow_null=True, allow_blank=True, max_length=10_000)
    disposition = Text(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=60,
        help_text="The code of an outcome.",
    )
    wrap_up = serializers.BooleanField(
        default=False, help_text="Count the work after the call, until `ready`."
    )
    ended_at = Instant(required=False, allow_null=True)
    sent_at = Instant(required=False, allow_null=True, help_text="Your clock as you send this.")


class DispositionBody(serializers.Serializer[None]):
    disposition = Text(
        allow_blank=True, max_length=60, help_text="The code of an outcome; empty takes it back."
    )


class DisputeBody(serializers.Serializer[None]):
    reason = Text(max_length=MOST_LETTERS, help_text="What is wrong, in a sentence.")


class StepBody(serializers.Serializer[None]):
    occurred_at = Instant(required=False, allow_null=True)
    sent_at = Instant(required=False, allow_null=True, help_text="Your clock as you send this.")


# --- What programs get ----------------------------------------------------------------------------


class ErrorBody(serializers.Serializer[None]):
    """Every error answer."""

    error = serializers.CharField(help_text="A sentence that says what to do.")
    fields = serializers.DictField(  # type: ignore[assignment]  # a key of the body
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="What is wrong with each field, where fields are wrong.",
    )


class StartedBody(serializers.Serializer[None]):
    message = serializers.CharField()
    call_id = serializers.UUIDField()
    start_time = Instant()


class EndedBody(serializers.Serializer[None]):
    """`new_average` and what follows are the agent's figures over all own calls."""

    message = serializers.CharField()
    call_id = serializers.UUIDField()
    duration_seconds = serializers.IntegerField()
    new_average = serializers.IntegerField()
    calls_made = serializers.IntegerField()
    calls_success = serializers.IntegerField()
    total_talk_time = serializers.IntegerField()


class SteppedBody(serializers.Serializer[None]):
    message = serializers.CharField()
    call_id = serializers.UUIDField()
    status = serializers.CharField()
    activity = serializers.ChoiceField(choices=["calling", "talking", "held", "paused", "ended"])
    start_time = Instant()
    answered_time = Instant(allow_null=True)
    paused_seconds = serializers.IntegerField()
    hold_seconds = serializers.IntegerField()
    disposition = serializers.CharField(allow_blank=True)
    wrap_up_seconds = serializers.IntegerField()


class DisputedBody(serializers.Serializer[None]):
    message = serializers.CharField()
    call_id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=[key for key, _label in CallDispute.STATES])


class DisputeDetail(serializers.Serializer[Any]):
    """A dispute of a call; what was said is in the call's events, with the same `number`."""

    number = serializers.IntegerField(source="pk")
    state = serializers.ChoiceField(choices=[key for key, _label in CallDispute.STATES])
    opened_at = Instant()
    opened_by = serializers.CharField(source="opened_by.username")
    decided_at = Instant(allow_null=True)
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None)


class CallBody(serializers.Serializer[Any]):
    """A call as programs see it. Lengths in whole seconds, null until they can be known; but the
    tracked length of a call that runs is 0, and what nobody knows of an id or number is empty."""

    call_id = serializers.UUIDField()
    user_id = serializers.CharField(
        allow_blank=True, help_text="The agent’s id as text; empty while nobody has the call."
    )
    username = serializers.CharField(allow_null=True)
    contact_id = serializers.CharField(allow_blank=True, help_text="Empty where unknown.")
    contact_phone = serializers.CharField(allow_blank=True, help_text="Empty where unknown.")
    start_time = Instant()
    end_time = Instant(allow_null=True)
    duration_seconds = serializers.IntegerField(help_text="Tracked; 0 while the call runs.")
    status = serializers.ChoiceField(choices=[key for key, _label in CallLog.STATUSES])
    notes = serializers.CharField(allow_blank=True)
    answered_time = Instant(allow_null=True)
    ring_seconds = serializers.IntegerField(allow_null=True)
    talk_seconds = serializers.IntegerField(allow_null=True)
    hold_seconds = serializers.IntegerField()
    paused_seconds = serializers.IntegerField()
    direction = serializers.ChoiceField(choices=[key for key, _label in CallLog.DIRECTIONS])
    provider = serializers.CharField(allow_blank=True)
    evidence = serializers.ChoiceField(choices=[key for key, _label in CallLog.EVIDENCE])
    end_reason = serializers.CharField(allow_blank=True)
    disposition = serializers.CharField(allow_blank=True)
    wrap_up_seconds = serializers.IntegerField()

    def to_representation(self, call: CallLog) -> dict[str, Any]:
        """Written out: a log of 1000 rows spends its time here."""
        return call_body(call)


class EventBody(serializers.Serializer[Any]):
    """A line of the ledger: who said what, when it happened and when we heard of it."""

    kind = serializers.ChoiceField(choices=list(timeline.KINDS))
    occurred_at = Instant()
    received_at = Instant()
    source = serializers.CharField()  # type: ignore[assignment]  # a column of ours
    actor = serializers.CharField(allow_null=True)
    precision_ms = serializers.IntegerField()
    data = serializers.DictField(  # type: ignore[assignment]  # a column of ours
        child=serializers.JSONField()
    )

    def to_representation(self, line: CallEvent) -> dict[str, Any]:
        return line_body(line)


class CallDetailBody(CallBody):
    activity = serializers.ChoiceField(choices=["calling", "talking", "held", "paused", "ended"])
    missing = serializers.ListField(
        child=serializers.ChoiceField(choices=list(timeline.MISSING)),
        help_text="What the phone system did not tell of this ended call.",
    )
    events = EventBody(many=True)
    disputes = DisputeDetail(many=True, help_text="The newest first.")

    def to_representation(self, call: CallLog) -> dict[str, Any]:
        events = list(call.ledger().select_related("actor"))
        disputes = [one.dispute for one in disputes_of(call, events)]
        return super().to_representation(call) | {
            "activity": call.activity,
            "missing": call.lacks,
            "events": [line_body(line) for line in events],
            "disputes": DisputeDetail(disputes, many=True).data,
        }


def answers(success: dict[Any, Any], *errors: int) -> dict[Any, Any]:
    """The answers of a route for its description: `success`, and every error with its body."""
    return success | dict.fromkeys(sorted({*errors, 401, 429}), ErrorBody)
