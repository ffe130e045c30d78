"""How far the records of each phone system reach, and how its clock goes."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db.models import Max

from calls.models import ProviderAccount
from common.instants import local_day, today
from reconciliation.models import RecordImport

SHOWN_IMPORTS: Final = 5
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True)
class AccountState:
    """An account, until when its records were brought in, and the import that last told how its
    clock goes."""

    account: ProviderAccount
    until: dt.datetime | None
    clock: RecordImport | None

    @property
    def days_behind(self) -> int:
        """How many whole days have no records; those of a day may come in the night after it."""
        if self.until is None:
            return 0
        return max(0, (today() - _DAY - local_day(self.until)).days)


def account_states() -> list[AccountState]:
    """The active accounts, and those that ever had records, by name."""
    done = RecordImport.objects.filter(state=RecordImport.DONE).order_by()
    until = dict(done.values_list("account").annotate(Max("until")))
    clocks: dict[int, RecordImport] = {}
    newest = done.filter(skew_ms__isnull=False).values("account").annotate(newest=Max("pk"))
    for one in RecordImport.objects.filter(pk__in=newest.values("newest")):
        clocks[one.account_id] = one
    return [
        AccountState(account, until.get(account.pk), clocks.get(account.pk))
        for account in ProviderAccount.objects.all()
        if account.is_active or account.pk in until
    ]


def has_records() -> bool:
    """Whether anything was ever brought in: before that there is nothing to agree or to differ."""
    return RecordImport.objects.exclude(state=RecordImport.DRAFT).exists()


def last_imports() -> list[RecordImport]:
    """The newest imports that are more than looked at."""
    taken = RecordImport.objects.exclude(state=RecordImport.DRAFT)
    return list(taken.select_related("account").defer("faults", "plan")[:SHOWN_IMPORTS])
