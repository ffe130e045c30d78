"""CallLog: the fold of a call's events, kept as a row so that it can be asked and summed."""

import datetime as dt
from typing import TYPE_CHECKING, Any

import uuid_utils.compat
from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from calls import signals, timeline
from calls.models.call_queries import CallQuerySet
from calls.models.call_table import CONSTRAINTS, INDEXES
from calls.models.contact import Contact
from calls.models.evidence import BY_LETTER, GRADES, Grade
from calls.models.provider import ProviderAccount
from calls.models.readers import ReadRow
from calls.models.tombstone import Tombstone
from common.databases.prepared_sql import PreparedWrites
from common.formats.dates import moment
from common.instants import from_ms, to_ms
from common.phones import line_of, pretty, to_e164

if TYPE_CHECKING:
    from accounts.models import User
    from calls.models.event import LedgerQuerySet

# A correction of these moves the call to another person or day.
MOVING = frozenset({"user", "user_id", "start_time"})


class CallLog(PreparedWrites, ReadRow):  # type: ignore[misc]  # stubs of a later Django
    """One call. Written by calls/services/ and telephony/ alone, as the fold of its events."""

    STATUSES = [
        (timeline.IN_PROGRESS, _("In progress")),
        (timeline.COMPLETED, _("Completed")),
        (timeline.NO_ANSWER, _("No answer")),
        (timeline.DROPPED, _("Dropped")),
        (timeline.FAILED, _("Failed")),
    ]
    DIRECTIONS = [
        ("outbound", _("outbound")),
        ("inbound", _("inbound")),
        ("internal", _("internal")),
    ]
    EVIDENCE = [(grade.letter, grade.short) for grade in GRADES]

    call_id = models.UUIDField(
        _("call"), unique=True, default=uuid_utils.compat.uuid7, editable=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("agent"),
        related_name="calls",
        null=True,  # a provider's call whose agent nobody knows yet
        blank=True,
        on_delete=models.PROTECT,
        db_index=False,  # call_user_start serves it
    )
    contact = models.ForeignKey(
        Contact,
        verbose_name=_("contact"),
        related_name="calls",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    contact_ref = models.CharField(_("contact reference"), max_length=100, blank=True)
    contact_phone = models.CharField(_("phone"), max_length=64, blank=True)
    phone_e164 = models.CharField(max_length=20, blank=True, editable=False)
    # What calls are found by, whichever way their number was told: common.phones.line_of.
    phone_line = models.CharField(max_length=20, blank=True, editable=False)
    direction = models.CharField(
        _("direction"), max_length=8, choices=DIRECTIONS, default="outbound"
    )
    provider = models.CharField(_("provider"), max_length=60, blank=True)
    account = models.ForeignKey(
        ProviderAccount,
        verbose_name=_("phone system account"),
        related_name="calls",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        db_index=False,  # call_provider_once serves it
    )
    provider_call_id = models.CharField(_("provider's call id"), max_length=120, blank=True)
    # The whole call that several agents may have had a part in, as the provider names it.
    conversation = models.CharField(max_length=120, blank=True, editable=False)
    is_shared = models.BooleanField(_("several agents"), default=False, editable=False)

    start_time = models.DateTimeField(_("start"))
    answered_time = models.DateTimeField(_("answered"), null=True, blank=True)
    end_time = models.DateTimeField(_("end"), null=True, blank=True)
    status = models.CharField(
        _("status"), max_length=11, choices=STATUSES, default=timeline.IN_PROGRESS
    )
    end_reason = models.CharField(_("reason of the end"), max_length=40, blank=True)
    ended_by = models.CharField(_("ended by"), max_length=60, blank=True)

    # Whole seconds, floored from the fold's milliseconds; null until they can be known.
    ring_seconds = models.PositiveIntegerField(_("ring (s)"), null=True, blank=True)
    hold_seconds = models.PositiveIntegerField(_("hold (s)"), default=0)
    paused_seconds = models.PositiveIntegerField(_("paused (s)"), default=0)
    wrap_up_seconds = models.PositiveIntegerField(_("wrap-up (s)"), default=0)
    duration_seconds = models.PositiveIntegerField(_("duration (s)"), null=True, blank=True)
    talk_seconds = models.PositiveIntegerField(_("talk (s)"), null=True, blank=True)

    # What a running timer needs besides start_time.
    paused_ms = models.PositiveBigIntegerField(default=0, editable=False)
    paused_since = models.DateTimeField(null=True, editable=False)
    held_since = models.DateTimeField(null=True, editable=False)
    wrap_up_since = models.DateTimeField(null=True, editable=False)  # while it is open
    last_seen_at = models.DateTimeField(_("last sign of life"), null=True, editable=False)

    evidence = models.CharField(
        _("evidence"), max_length=1, choices=EVIDENCE, default=timeline.CLICK
    )
    missing = models.CharField(_("missing"), max_length=60, blank=True, editable=False)
    notes = models.TextField(_("notes"), blank=True)
    disposition = models.CharField(_("outcome"), max_length=60, blank=True)

    objects = CallQuerySet.as_manager()

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        ordering = ["-start_time", "-pk"]
        permissions = [
            ("track_calls", "Can start and end own calls"),
            ("view_team_calls", "Can see the calls of supervised teams"),
            ("view_all_calls", "Can see the calls of the organisation"),
            ("correct_calls", "Can confirm and correct calls"),
            ("export_calls", "Can export calls"),
        ]
        indexes = INDEXES
        constraints = CONSTRAINTS

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves; a call that lay with another person or at another time before is announced."""
        fields = kwargs.get("update_fields")
        if self._state.adding or not (fields is None or MOVING & set(fields)):
            super().save(*args, **kwargs)
            return
        was = CallLog.objects.filter(pk=self.pk).values_list("user_id", "start_time").first()
        super().save(*args, **kwargs)
        if was is not None and was != (self.user_id, self.start_time):
            signals.call_moved.send(type(self), call=self, user_id=was[0], start_time=was[1])

    def __str__(self) -> str:
        return f"{self.who} {moment(self.start_time)}"

    def set_phone(self, number: str, region: str | None = None) -> None:
        """Takes over the other side's `number` as it was told; `region` is where it was dialled."""
        self.contact_phone = number
        self.phone_e164 = to_e164(number, region)
        self.phone_line = line_of(number, region)

    def ledger(self) -> "LedgerQuerySet":
        """What was said of the call, as the reader of this row may read it."""
        assert self.reader is not None, "Only a call that came through visible_to has a reader."
        return self.events.read_by(self.reader)

    def delete(
        self,
        *args: Any,
        actor: "User | None" = None,
        why: str = Tombstone.DELETED,
        into: int | None = None,
        **kwargs: Any,
    ) -> tuple[int, dict[str, int]]:
        """Deletes the call and its ledger; who did so and `why` stays, in a tombstone. `into`: the
        key of the call that has its lines now."""
        with transaction.atomic():
            this = CallLog.objects.filter(pk=self.pk)
            this.select_for_update(of=("self",)).first()
            Tombstone.lay(this, why, actor=actor, into=into)
            return super().delete(*args, **kwargs)

    @property
    def who(self) -> str:
        """The best name we have for the other side; "" when the call is to nobody known."""
        if self.contact is not None:
            return self.contact.name
        return self.pretty_phone or self.contact_ref

    @property
    def grade(self) -> Grade:
        """How well its times are proven."""
        return BY_LETTER[self.evidence]

    @property
    def amber_seconds(self) -> int:
        """Seconds after which its clock turns amber."""
        return self.user.amber_seconds if self.user else settings.TIMER_AMBER_SECONDS

    @property
    def red_seconds(self) -> int:
        return self.user.red_seconds if self.user else settings.TIMER_RED_SECONDS

    @property
    def lacks(self) -> list[str]:
        """What the ledger of this ended call lacks: names of calls.timeline.MISSING."""
        return self.missing.split(",") if self.missing else []

    @property
    def pretty_phone(self) -> str:
        return pretty(self.phone_e164) if self.phone_e164 else self.contact_phone

    @property
    def public_contact_id(self) -> str | None:
        """The contact id as programs know it: as given, else the reference or number of ours."""
        if self.contact_ref:
            return self.contact_ref
        if self.contact is not None:
            return self.contact.external_id or str(self.contact.pk)
        return None

    @property
    def is_active(self) -> bool:
        return self.end_time is None

    @property
    def is_counted(self) -> bool:
        return self.end_time is not None and self.evidence != timeline.ESTIMATE

    @property
    def was_answered(self) -> bool:
        return timeline.was_answered(self.answered_time, self.status)

    @property
    def activity(self) -> str:
        """What is going on: `paused`, `held`, `talking` (answered), `calling`, or `ended`."""
        if self.end_time is not None:
            return "ended"
        if self.paused_since is not None:
            return "paused"
        if self.held_since is not None:
            return "held"
        return "calling" if self.answered_time is None else "talking"

    def tracked_ms(self, at: dt.datetime) -> int:
        """Tracked time up to the instant `at`, in ms: what the timer shows while it runs."""
        until = self.end_time or self.paused_since or at
        return max(0, to_ms(until) - to_ms(self.start_time) - self.paused_ms)

    def tracked_seconds(self, at: dt.datetime) -> int:
        return self.tracked_ms(at) // 1000

    def apply(self, state: timeline.CallState) -> list[str]:
        """Takes over the folded `state`; the names of the fields that changed."""
        values = {
            "start_time": from_ms(state.start),
            "answered_time": None if state.answered is None else from_ms(state.answered),
            "end_time": None if state.end is None else from_ms(state.end),
            "status": state.status,
            "end_reason": state.end_reason,
            "ended_by": state.ended_by,
            "ring_seconds": _whole(state.ring),
            "hold_seconds": state.hold // 1000,
            "paused_seconds": state.paused // 1000,
            "duration_seconds": _whole(state.duration),
            "talk_seconds": _whole(state.talk),
            "paused_ms": state.paused,
            "paused_since": None if state.paused_since is None else from_ms(state.paused_since),
            "held_since": None if state.held_since is None else from_ms(state.held_since),
            "wrap_up_since": (
                None if state.wrap_up_since is None else from_ms(state.wrap_up_since)
            ),
            "wrap_up_seconds": state.wrap_up // 1000,
            "disposition": state.disposition,
            "evidence": state.evidence,
            "notes": state.notes,
            "missing": ",".join(state.missing),
        }
        changed = [name for name, value in values.items() if getattr(self, name) != value]
        for name in changed:
            setattr(self, name, values[name])
        return changed


class CallAlias(models.Model):
    """Another id of a call: a program's own, where its phone system had reported the call."""

    alias = models.UUIDField(unique=True)
    call = models.ForeignKey(CallLog, related_name="aliases", on_delete=models.CASCADE)

    def __str__(self) -> str:
        return str(self.alias)


def _whole(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else milliseconds // 1000
