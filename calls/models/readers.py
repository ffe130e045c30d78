"""Who may read which field of a call: the gate of fields, as `visible_to` is the gate of rows.

The reader travels with the query set. What comes through `visible_to` or `own`, be it calls, rows,
the lines of a ledger or what a search finds, holds nothing of a field that its reader may not read;
so no page, file or program has to ask. To hide a field, change its rule in RULES.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar, cast

from django.db import models
from django.db.models.query import ModelIterable

from accounts.models import User

# The agents of whose calls somebody may read a field (None among them: of calls whose agent nobody
# knows); None instead: of all the calls that they see.
Agents = frozenset[int | None] | None
Rule = Callable[[User], Agents]
ModelT = TypeVar("ModelT", bound=models.Model, covariant=True)


def whoever_sees_the_call(viewer: User) -> Agents:
    return None


# A field has one name as a column of CallLog, in the data of events and in the index of words. One
# whose words can be searched needs a place of its own there: see APART in fulltext.py.
RULES: Final[dict[str, Rule]] = {"notes": whoever_sees_the_call}


class Reader:
    """Somebody who looks at calls, with what the rules say of them."""

    def __init__(self, viewer: User):
        found = {field: rule(viewer) for field, rule in RULES.items()}
        # The fields of which not all calls may be read, and of whose calls they may.
        self.limits = {field: of for field, of in found.items() if of is not None}

    def agents(self, field: str) -> Agents:
        """Of whose calls `field` may be read."""
        return self.limits.get(field)

    def hidden(self, agent_id: int | None) -> set[str]:
        """The fields that may not be read in calls of that agent."""
        return {field for field, agents in self.limits.items() if agent_id not in agents}


class ReadRow(models.Model):
    """A call, which may be there for somebody's eyes."""

    user_id: int | None
    reader: Reader | None = None  # where it came through `visible_to` or `own`

    class Meta:
        abstract = True

    @classmethod
    def blanks(cls, fields: Iterable[str]) -> dict[str, Any]:
        """What stands in `fields` for whoever may not read them."""
        known = {field.name: field for field in cls._meta.concrete_fields}
        return {name: known[name].get_default() for name in fields}

    @property
    def hidden(self) -> set[str]:
        """The fields that the reader of this row may not read; they are blank."""
        return set() if self.reader is None else self.reader.hidden(self.user_id)

    def show_to(self, reader: Reader) -> None:
        """Blanks what `reader` may not read."""
        self.reader = reader
        self.__dict__.update(self.blanks(self.hidden))

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        super().refresh_from_db(*args, **kwargs)
        if self.reader is not None:
            self.show_to(self.reader)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refuses to write a blank over what the row's reader may not read."""
        written = kwargs.get("update_fields")
        if self.hidden if written is None else self.hidden & set(written):
            raise TypeError("This row lacks what its reader may not read: lock it to change it.")
        super().save(*args, **kwargs)


class AsRead(ModelIterable):  # type: ignore[type-arg]  # Django's takes none when it runs
    """Rows as the reader of their query set may read them."""

    def __iter__(self) -> Iterator[Any]:
        reader = cast("ReadQuerySet[Any]", self.queryset).reader
        for row in super().__iter__():
            row.show_to(reader)
            yield row


class ReadQuerySet(models.QuerySet[ModelT]):
    """A query set that remembers who reads what it finds."""

    reader: Reader | None = None

    def _clone(self) -> Any:
        clone = super()._clone()  # type: ignore[misc]
        clone.reader = self.reader
        return clone

    def _read_by(self, reader: Reader) -> Any:
        found = self.all()
        found.reader = reader
        found._iterable_class = AsRead
        return found
