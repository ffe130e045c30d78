"""What a person has not read, as the header of every page shows it: one query."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import BooleanField, ExpressionWrapper, F, Q

from accounts.models import User
from common.databases.prepared_sql import A_NUMBER, Prepared
from notifications.models import Notification
from notifications.models.rules import Kind

MOST: Final = 99
_MOST_REMINDERS: Final = 3

# The reader's own call, for as long as it still is what the alert says.
_GOES_ON: Final = (
    Q(alert__kind=Kind.LONG_CALL, alert__call__end_time__isnull=True)
    | Q(alert__kind=Kind.LONG_HOLD, alert__call__held_since__isnull=False)
    | Q(alert__kind=Kind.LONG_PAUSE, alert__call__paused_since__isnull=False)
    | Q(alert__kind=Kind.LONG_WRAP_UP, alert__call__wrap_up_since__isnull=False)
)
_REMINDS: Final = _GOES_ON & Q(alert__call__user=F("person")) & Q(alert__agent=F("person"))


@dataclass(frozen=True)
class Bell:
    """How many are unread (MOST + 1 stands for more), and which of them remind of a call of the
    reader's own that goes on."""

    unread: int
    reminding: Sequence[int]

    @classmethod
    def of(cls, user: User) -> "Bell":
        rows = _UNREAD.values(user.pk)
        return cls(len(rows), [pk for pk, reminds in rows if reminds][:_MOST_REMINDERS])

    @property
    def shown(self) -> str:
        return f"{MOST}+" if self.unread > MOST else str(self.unread)

    @property
    def reminders(self) -> list[Notification]:
        """The newest first; a query, but only where there are any."""
        if not self.reminding:
            return []
        return list(with_alerts().filter(pk__in=self.reminding))


def with_alerts() -> Any:
    """Notifications, newest first, with all that their words are made of."""
    return Notification.objects.order_by("-pk").select_related(
        "alert__call__contact", "alert__agent", "alert__team"
    )


# What is unread, newest first; every page asks it.
_UNREAD: Final = Prepared(
    lambda: (
        Notification.objects.filter(person_id=A_NUMBER, read_at__isnull=True)
        .order_by("-pk")
        .values_list("pk", ExpressionWrapper(_REMINDS, output_field=BooleanField()))[: MOST + 1]
    ),
    A_NUMBER,
)
