"""What is asked of calls: who may see them, which count, and in which order they are read."""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from calls import timeline
from calls.models.fulltext import APART, Wanted, place_of
from calls.models.readers import RULES, Reader, ReadQuerySet
from calls.models.rows import Rows, in_parts, names_of, selected
from calls.models.tombstone import Tombstone
from common.phones import typed_digits
from common.text import words_of

if TYPE_CHECKING:
    from calls.models.call import CallLog
    from calls.models.provider import ProviderAccount

NEWEST_FIRST = ("-start_time", "-pk")
_FEW = 3000
LONG_SECONDS = 1800  # few calls last as long; an index knows them
# Which ended calls figures count, and which of all calls somebody answered: what CallLog.is_counted
# and CallLog.was_answered say in Python.
COUNTED = ~Q(evidence=timeline.ESTIMATE)
ANSWERED = Q(answered_time__isnull=False) | Q(status__in=timeline.ANSWERED_ENDS)


def _ways_to_write(word: str) -> tuple[str, ...]:
    """A word of digits may be a number."""
    return (word.isdecimal() and tuple(typed_digits(word))) or (word,)


class CallQuerySet(ReadQuerySet["CallLog"]):
    by_words = False  # found in the index of words, and so read in its order

    def _clone(self) -> "CallQuerySet":
        clone: CallQuerySet = super()._clone()
        clone.by_words = self.by_words
        return clone

    def visible_to(self, viewer: User) -> "CallQuerySet":
        """The calls `viewer` may see, as they may read them: the one gate for pages, API, exports
        and admin."""
        calls: CallQuerySet = self._read_by(Reader(viewer))
        scope = viewer.scope
        if scope.everyone:
            return calls
        rule = Q(user=viewer)
        if scope.team_ids:
            rule |= Q(user__team__in=scope.team_ids)
        return calls.filter(rule)

    def own(self, user: User) -> "CallQuerySet":
        """The calls of `user`, as they may read them themselves."""
        calls: CallQuerySet = self._read_by(Reader(user))
        return calls.filter(user=user)

    def _values(self, *fields: Any, **expressions: Any) -> Any:
        """Values know no reader: what some may not read is had as calls, or by `rows`."""
        if self.reader is not None and (not fields or RULES.keys() & set(fields)):
            raise TypeError("Ask for `rows`: their reader may not read all of these fields.")
        return super()._values(*fields, **expressions)  # type: ignore[misc]

    def rows(self, fields: Iterable[str], most: int | None = None) -> Rows:
        """At most `most` calls with `fields`, far quicker to have than calls; as their reader may
        read them."""
        rows = Rows(self.model, names_of(fields))
        rows.read(in_parts(self.as_stored(fields, most)), most)
        if self.reader is not None:
            rows.show_to(self.reader)
        return rows

    def as_stored(self, fields: Iterable[str], most: int | None = None) -> QuerySet[Any, Any]:
        """What Rows read of these calls, and one more than `most`; nothing is hidden in it."""
        calls = self.all()
        calls.reader = None
        asked = calls.values_list(*(selected(self.model, name) for name in names_of(fields)))
        return asked if most is None else asked[: most + 1]

    def known_as(self, call_id: uuid.UUID) -> "CallLog | None":
        """The call with this public id, or with an id that it was once known by."""
        return self.filter(call_id=call_id).first() or self.filter(aliases__alias=call_id).first()

    def parts_of(
        self, account: "ProviderAccount | int | OuterRef | None", conversation: "str | OuterRef"
    ) -> "CallQuerySet":
        """What `account` said of one whole call; none for "", or SQLite would not use its index."""
        return self.filter(account=account, conversation=conversation).exclude(conversation="")

    def unmarked_parts(self) -> "CallQuerySet":
        """Calls that have other parts, of which they do not say so: see services.conversations."""
        parts = self.model._default_manager.parts_of(OuterRef("account"), OuterRef("conversation"))
        others = parts.exclude(pk=OuterRef("pk"))
        return self.filter(Exists(others), is_shared=False).exclude(conversation="")

    def active(self) -> "CallQuerySet":
        """Calls that have not ended."""
        return self.filter(end_time__isnull=True)

    def active_apart(self) -> "CallQuerySet":
        """The same for an ordered list: looked up apart, or the few that run would be looked for
        among all there ever were."""
        running = self.model._default_manager.order_by().filter(end_time__isnull=True)
        return self.filter(pk__in=running.values("pk"))

    def linked(self) -> "CallQuerySet":
        """Calls that a phone system tells us of."""
        return self.filter(account__isnull=False)

    def clicked(self) -> "CallQuerySet":
        """Calls that only people and their programs tell us of."""
        return self.filter(account__isnull=True)

    def ended(self) -> "CallQuerySet":
        return self.filter(end_time__isnull=False)

    def counted(self) -> "CallQuerySet":
        """Ended calls that figures count: all but the watchdog's unconfirmed estimates."""
        return self.ended().filter(COUNTED)

    def unconfirmed(self) -> "CallQuerySet":
        """Calls that the watchdog closed and nobody has confirmed."""
        return self.filter(evidence=timeline.ESTIMATE)

    def wrapping_up(self) -> "CallQuerySet":
        """Ended calls whose person is still busy with what follows from them."""
        return self.filter(wrap_up_since__isnull=False)

    def started_between(self, start: dt.datetime, end: dt.datetime) -> "CallQuerySet":
        """Calls that began in the half-open range of instants [start, end)."""
        found = self.filter(start_time__gte=start, start_time__lt=end)
        if not self.by_words:
            return found
        return found.filter(text__rowid__gte=place_of(start, 0), text__rowid__lt=place_of(end, 0))

    def search(self, text: str, of_user: int | None = None) -> "CallQuerySet":
        """Calls with words in contact, number, reference or what the reader may read of the rest
        (notes) that begin with all those of `text`, capitals and accents aside; `of_user` spares
        looking at other people's calls. Without a reader, the rest is left out."""
        words = words_of(text)
        if not words:
            return self.none() if text.strip() else self
        apart = {field: self.reader.agents(field) for field in APART} if self.reader else {}
        ways = tuple(_ways_to_write(word) for word in words)
        wanted = Wanted(ways, of_user, tuple(apart.items()))
        found = self.filter(text__words__match=wanted)
        found.by_words = True
        return found

    def newest_first(self) -> "CallQuerySet":
        """By start, then key. Where words were asked for, in the order of their index."""
        return self.order_by("-text__rowid") if self.by_words else self.order_by(*NEWEST_FIRST)

    def older_than(self, start: dt.datetime, pk: int) -> "CallQuerySet":
        """What follows the call (start, pk) newest first; a range that the index finds."""
        if self.by_words:
            return self.filter(text__rowid__lt=place_of(start, pk))
        return self.filter(start_time__lte=start).exclude(start_time=start, pk__gte=pk)

    def lasting(self, least: int) -> "CallQuerySet":
        """Calls of at least so many seconds. The few that lasted very long are looked up first, or
        they would be looked for among all there ever were."""
        lasting = self.filter(duration_seconds__gte=least)
        if least < LONG_SECONDS:
            return lasting
        long = self.model._default_manager.order_by().filter(duration_seconds__gte=LONG_SECONDS)
        few = long.filter(duration_seconds__gte=least).values_list("pk", flat=True)
        keys = list(few[: _FEW + 1])
        return lasting if len(keys) > _FEW else lasting.filter(pk__in=keys)

    def values_in_use(self) -> dict[str, list[str]]:
        """The providers and the outcomes (`disposition`) that calls have, from the indexes of the
        few that have one: a step a value, however many calls."""
        found: dict[str, list[str]] = {"provider": [], "disposition": []}
        parts = []
        for field in found:
            least = f"SELECT min({field}) FROM calls_calllog WHERE NOT ({field} = '')"
            parts.append(
                f"SELECT '{field}', value FROM (WITH RECURSIVE used(value) AS ({least} UNION ALL "
                f"SELECT ({least} AND {field} > used.value) FROM used WHERE used.value IS NOT NULL)"
                f" SELECT value FROM used WHERE value IS NOT NULL) AS {field}s"
            )
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts))
            for field, value in cursor.fetchall():
                found[field].append(value)
        return found

    def assigned(self) -> "CallQuerySet":
        """Calls whose agent is known; only they count in anybody's figures."""
        return self.filter(user__isnull=False)

    def unassigned(self) -> "CallQuerySet":
        """Calls that a provider reported and whose agent nobody knows yet."""
        return self.filter(user__isnull=True)

    def with_people(self) -> "CallQuerySet":
        """All that a list of calls shows, in one query."""
        return self.select_related("user__team", "contact")

    def delete(
        self, *, actor: "User | None" = None, why: str = Tombstone.DELETED
    ) -> tuple[int, dict[str, int]]:
        """Deletes the calls and their ledgers, locked first: a late event must not slip in. Who did
        so and `why` stays, in a tombstone a call."""
        with transaction.atomic():
            list(self.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
            Tombstone.lay(self, why, actor=actor)
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]  # Django reads these marks
    delete.queryset_only = True  # type: ignore[attr-defined]
