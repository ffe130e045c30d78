"""People as lists show them: hundreds on a page, where a `User` each costs ten times as much."""

from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet

from accounts.models import User, name_of

FIELDS: Final = (
    *("pk", "username", "first_name", "last_name", "is_active", "team_id", "team__name"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """A user by name, and in which team; `team` is "" without one."""

    pk: int
    username: str
    display_name: str
    is_active: bool
    team_id: int | None
    team: str

    @classmethod
    def of(
        cls,
        pk: int,
        username: str,
        first_name: str,
        last_name: str,
        is_active: bool,
        team_id: int | None,
        team: str | None,
    ) -> "Person":
        """From a row of FIELDS."""
        name = name_of(first_name, last_name, username)
        return cls(pk, username, name, is_active, team_id, team or "")


def people_of(users: QuerySet[User]) -> list[Person]:
    """`users` in their order."""
    return [Person.of(*row) for row in users.values_list(*FIELDS)]
