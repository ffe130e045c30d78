"""The ledger. Append-only: no code path and, by a trigger, no SQL changes a line of it.

Each line's hash holds the one before it (calls.timeline.chain): what evades the trigger shows.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import models
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from calls import timeline
from calls.models.call import CallLog
from calls.models.readers import Reader, ReadQuerySet
from calls.timeline import chain
from common.databases.prepared_sql import A_NUMBER, Prepared, PreparedWrites
from common.formats.dates import exact_moment
from common.instants import UTC, from_ms, to_ms

# The columns whose values stand in a line's hash as they are.
HASHED: Final = (
    *("call_id", "key", "kind", "occurred_at", "received_at", "source", "actor_id"),
    *("precision_ms", "provider_event_id", "sequence", "payload_hash", "repeats"),
)
_CHAIN: Final = ("place", "hash", "salt", "commitment")


class LedgerQuerySet(ReadQuerySet["CallEvent"]):
    def read_by(self, reader: Reader) -> "LedgerQuerySet":
        """These lines, without what `reader` may not read. Which calls they see is not asked."""
        lines: LedgerQuerySet = self._read_by(reader)
        return lines.annotate(agent_id=F("call__user_id"))


class CallEvent(PreparedWrites, models.Model):  # type: ignore[misc]  # stubs of a later Django
    """Who said what about a call, when it happened, and when we heard of it."""

    KINDS = [
        (timeline.STARTED, _("started")),
        (timeline.RINGING, _("ringing")),
        (timeline.ANSWERED, _("answered")),
        (timeline.HELD, _("put on hold")),
        (timeline.RESUMED, _("taken off hold")),
        (timeline.PAUSED, _("paused")),
        (timeline.UNPAUSED, _("continued")),
        (timeline.ENDED, _("ended")),
        (timeline.CORRECTED, _("corrected")),
        (timeline.NOTED, _("noted")),
        (timeline.SUMMARY, _("confirmed by the provider")),
    ]

    call = models.ForeignKey(
        CallLog, related_name="events", on_delete=models.CASCADE, db_index=False
    )
    key = models.CharField(max_length=120)
    kind = models.CharField(_("kind"), max_length=10, choices=KINDS)
    occurred_at = models.DateTimeField(_("happened"))
    received_at = models.DateTimeField(_("received"))
    source = models.CharField(_("source"), max_length=60)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    precision_ms = models.PositiveIntegerField(_("precision (ms)"), default=1)
    provider_event_id = models.CharField(max_length=120, blank=True)
    sequence = models.BigIntegerField(null=True, blank=True)
    payload_hash = models.CharField(max_length=64, blank=True)
    # The key of the line of another call that this one repeats: calls became one, or turns.
    repeats = models.BigIntegerField(null=True, blank=True, editable=False)
    data = models.JSONField(_("data"), default=dict, blank=True)
    # See calls.timeline.chain: its place in the call, 1 the first, and its hash; what commits to
    # the texts that may be blanked, and its key, which goes with them.
    place = models.PositiveIntegerField(default=0, editable=False)
    hash = models.CharField(max_length=64, blank=True, editable=False)
    salt = models.CharField(max_length=32, blank=True, editable=False)
    commitment = models.CharField(max_length=64, blank=True, editable=False)

    objects = LedgerQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["occurred_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["call", "key"], name="event_key_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=timeline.KINDS), name="event_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {exact_moment(self.occurred_at)}"

    def show_to(self, reader: Reader) -> None:
        """Leaves out what `reader` may not read, as a row of `read_by`."""
        for name in reader.hidden(self.__dict__["agent_id"]):
            self.data.pop(name, None)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("The ledger is append-only: add an event instead of changing one.")
        if not self.hash:
            self._follow(Head.of(self.call.pk))
        super().save(*args, **kwargs)

    @staticmethod
    def chained(lines: Iterable["CallEvent"], head: "Head") -> list["CallEvent"]:
        """`lines` of one call, which is locked or new, with their places behind `head`."""
        lines = list(lines)
        for line in lines:
            head = line._follow(head)
        return lines

    def _follow(self, head: "Head") -> "Head":
        """Takes its place in the chain, behind `head`; the head that it is."""
        self.call_id = self.call.pk  # which was not saved when the line was made
        self.place = head.lines + 1
        previous = head.hash or chain.first_link(self.call_id)
        columns = [_as_hashed(getattr(self, name)) for name in HASHED]
        self.hash, self.salt, self.commitment = chain.linked(
            previous, self.place, columns, self.kind, self.data
        )
        return Head(self.place, self.hash)

    @staticmethod
    def _fact(
        key: str, kind: str, at: dt.datetime, source: str, data: dict[str, Any], number: int
    ) -> timeline.Event:
        return timeline.Event(key, kind, to_ms(at), source, data, number)

    @property
    def number(self) -> int:
        """Its place in the order in which lines were taken down, whichever ledger it is in; 0 while
        it is not stored. Keys grow, and within a call only who has locked it adds lines."""
        return self.repeats or self.pk or 0

    def as_fact(self) -> timeline.Event:
        """This line as the fold reads it."""
        return self._fact(
            self.key, self.kind, self.occurred_at, self.source, self.data, self.number
        )

    @classmethod
    def facts_of(cls, call: CallLog) -> list[timeline.Event]:
        """The ledger of `call` as the fold reads it."""
        return cls.facts_and_head(call)[0]

    @classmethod
    def facts_and_head(cls, call: CallLog) -> tuple[list[timeline.Event], "Head"]:
        """The same, and where the next line follows."""
        rows = _FACTS.values(call.pk)
        head = max((Head(*row[-2:]) for row in rows), default=Head())
        return [cls._fact(*row[:-2]) for row in rows], head

    def repeated_in(self, call: CallLog) -> "CallEvent":
        """The unsaved line of `call` that says the same, at this one's place in the order."""
        own = ("id", "call", "repeats", *_CHAIN)
        fields = [f.attname for f in self._meta.concrete_fields if f.name not in own]
        said = {name: getattr(self, name) for name in fields}
        return CallEvent(call=call, repeats=self.number, **said)

    @classmethod
    def of_fact(cls, call: CallLog, fact: timeline.Event, **fields: Any) -> "CallEvent":
        """The unsaved line for `fact`."""
        return cls(
            call=call,
            key=fact.key,
            kind=fact.kind,
            occurred_at=from_ms(fact.at),
            source=fact.source,
            data=dict(fact.data),
            **fields,
        )


class Head(NamedTuple):
    """The last line of a ledger: how many there are, and its hash."""

    lines: int = 0
    hash: str = ""

    @classmethod
    def of(cls, call: int) -> "Head":
        rows = CallEvent.objects.filter(call=call).order_by("place", "pk")
        return cls(*(rows.values_list("place", "hash").last() or ()))

    @classmethod
    def last_of(cls, lines: Iterable[CallEvent]) -> "Head":
        """The same of the stored `lines` of one call."""
        return max((cls(line.place, line.hash) for line in lines), default=cls())


def _as_hashed(value: Any) -> Any:
    return written(value) if isinstance(value, dt.datetime) else value


def written(instant: dt.datetime) -> str:
    """An instant as it stands in a hash: in UTC and to the microsecond, as every engine has it."""
    return instant.astimezone(UTC).isoformat(" ", "microseconds")[:26]


# What CallEvent.number says in Python.
_NUMBER = Coalesce("repeats", "pk", output_field=models.BigIntegerField())
_FACTS = Prepared(
    lambda: (
        CallEvent.objects.filter(call=A_NUMBER)
        .order_by()
        .values_list("key", "kind", "occurred_at", "source", "data", _NUMBER, "place", "hash")
    ),
    A_NUMBER,
)
