"""Statements about some people. Each group of people has one text, which Django makes once."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

from accounts.models import User
from common.databases.prepared_sql import Prepared

MOST_KEPT: Final = 256  # texts of a statement: about one a supervisor
People = QuerySet[User] | Iterable[int]
Rows = TypeVar("Rows", bound=QuerySet[Any])


def is_everybody(users: People) -> bool:
    return isinstance(users, QuerySet) and not (users.query.has_filters() or users.query.is_sliced)


def of_people(rows: Rows, users: People) -> Rows:
    """Those of `rows` whose user is among `users`. Where that is everybody nobody is looked up,
    which would double what the database has to do."""
    if is_everybody(users):
        return rows.filter(user__isnull=False)
    return rows.filter(user__in=users)


class PreparedOfPeople:
    """A `Prepared` for each group of people; `make` gives the query for one of them."""

    def __init__(self, make: Callable[[People], QuerySet[Any, Any]], *marks: Any):
        self._make = make
        self._marks = marks
        self._kept: dict[Hashable, Prepared] = {}

    def rows(self, users: People, *values: Any) -> list[tuple[Any, ...]]:
        """As the driver gives them."""
        try:
            return self._of(users).rows(*values)
        except EmptyResultSet:  # nobody is among them
            return []

    def values(self, users: People, *values: Any) -> list[Any]:
        """The same, each column as its field has it in Python."""
        try:
            return self._of(users).values(*values)
        except EmptyResultSet:
            return []

    def _of(self, users: People) -> Prepared:
        people = users if isinstance(users, QuerySet) else list(users)
        key = _key(people)
        if key not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = Prepared(lambda: self._make(people), *self._marks)
        return self._kept[key]


def _key(people: People) -> Hashable:
    if not isinstance(people, QuerySet):
        return tuple(people)
    return None if is_everybody(people) else people.query.sql_with_params()
