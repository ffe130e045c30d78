"""The calls that some records may be about, read at once."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from django.db.models import Q

from calls.models import CallLog, ProviderAccount
from calls.providers.reading import joined
from calls.services.matching import AFTER_CLICK, BEFORE_CLICK, same_number
from common.instants import from_ms, to_ms
from common.phones import line_of
from reconciliation.call_record import CallRecord
from reconciliation.matching.people import People

# How long before and after a record's start its call may have begun (ms), as with clicks.
BEFORE: Final = int(AFTER_CLICK.total_seconds() * 1000)
AFTER: Final = int(BEFORE_CLICK.total_seconds() * 1000)
_MOST_TURNS: Final = 9


class Candidate(NamedTuple):
    """What matching asks of a call; instants in ms."""

    pk: int
    user: int | None
    account: int | None
    call: str
    conversation: str
    number: str
    start: int
    end: int | None
    ended_by: str

    @property
    def has_own_end(self) -> bool:
        return self.end is not None and self.ended_by != "watchdog"


_FIELDS: Final = (
    *("pk", "user_id", "account_id", "provider_call_id", "conversation"),
    *("phone_line", "contact_phone", "start_time", "end_time", "ended_by"),
)


@dataclass
class Wanted:
    """A record, whose it is, and the line of its number."""

    record: CallRecord
    agent: int | None
    number: str

    @classmethod
    def of(cls, record: CallRecord, people: People) -> "Wanted":
        number = record.number and (
            line_of(record.number, people.account.region or None) or record.number
        )
        return cls(record, people.agent(record.agents), number)


class Candidates:
    """The calls by their phone system's ids, and by agent and time."""

    def __init__(
        self,
        account: ProviderAccount,
        wanted: Sequence[Wanted],
        before: int = BEFORE,
        after: int = AFTER,
    ):
        self._account = account.pk
        self.before, self.after = before, after
        self.by_pk: dict[int, Candidate] = {}
        self._by_call: dict[str, Candidate] = {}
        self._by_conversation: dict[str, list[Candidate]] = defaultdict(list)
        self._by_number: dict[tuple[int, str], list[Candidate]] = defaultdict(list)
        self._odd: dict[int, list[Candidate]] = defaultdict(list)  # whose number is only a text
        self._by_agent: dict[int, list[Candidate]] = defaultdict(list)
        self._read_named(wanted)
        self._read_near(wanted)

    def _read_named(self, wanted: Sequence[Wanted]) -> None:
        calls = {one.record.call for one in wanted if one.record.call}
        conversations = {one.record.conversation for one in wanted if one.record.conversation}
        own = CallLog.objects.filter(account=self._account)
        rows = own.filter(provider_call_id__in=calls).exclude(provider_call_id="")
        for found in _read(rows):
            self._by_call[found.call] = self.by_pk.setdefault(found.pk, found)
        rows = own.filter(conversation__in=conversations | calls).exclude(conversation="")
        for found in _read(rows):
            self.by_pk.setdefault(found.pk, found)
            self._by_conversation[found.conversation].append(found)

    def _read_near(self, wanted: Sequence[Wanted]) -> None:
        agents = {one.agent for one in wanted if one.agent is not None}
        starts = [one.record.start for one in wanted if one.agent is not None]
        if not agents:
            return
        since, until = from_ms(min(starts) - self.before), from_ms(max(starts) + self.after)
        near = CallLog.objects.filter(user__in=agents, start_time__range=(since, until))
        for found in _read(near.filter(Q(account=self._account) | Q(account=None))):
            if found.user is not None:
                self.by_pk.setdefault(found.pk, found)
                self._by_agent[found.user].append(found)
                self._by_number[found.user, found.number].append(found)
                if not found.number.startswith("+"):
                    self._odd[found.user].append(found)

    def named(self, record: CallRecord) -> list[Candidate]:
        """The call that its phone system calls by the record's own id, and its later turns."""
        first = self._by_call.get(record.call)
        if first is None:
            return []
        others = self._by_conversation.get(first.conversation, ())
        if len(others) < 2:
            return [first]
        turns = {joined(record.call, f"turn{number}") for number in range(2, _MOST_TURNS)}
        return [first, *(call for call in others if call.call in turns)]

    def of_conversation(self, wanted: Wanted) -> list[Candidate]:
        """The parts that the record's agent, or nobody, has in its whole call."""
        parts = self._by_conversation.get(wanted.record.conversation, [])
        if not wanted.record.agents and len(parts) == 1:
            return list(parts)
        return [part for part in parts if part.user == wanted.agent]

    def near(self, wanted: Wanted, *, whatever_id: bool = True) -> list[Candidate]:
        """The calls of its agent to its number at its time. `whatever_id`: also those that the
        same phone system calls by another id."""
        if wanted.agent is None or not wanted.number:
            return []
        at = wanted.record.start
        if wanted.number.startswith("+"):  # a line is compared with others as it is
            alike = self._by_number.get((wanted.agent, wanted.number), [])
            calls = [*alike, *self._odd.get(wanted.agent, ())]
        else:
            calls = self._by_agent.get(wanted.agent, [])
        return [
            call
            for call in calls
            if at - self.before <= call.start <= at + self.after
            and (call.end is None or not call.has_own_end or call.end >= at - self.after)
            and (whatever_id or not (call.call and wanted.record.call))
            and same_number(call.number, wanted.number)
        ]


def _read(calls: Iterable[CallLog]) -> Iterable[Candidate]:
    rows = calls.order_by().values_list(*_FIELDS)  # type: ignore[attr-defined]
    for pk, user, account, call, conversation, line, phone, start, end, ended_by in rows:
        yield Candidate(
            *(pk, user, account, call, conversation, line or phone),
            to_ms(start),
            None if end is None else to_ms(end),
            ended_by,
        )


def elsewhere(account: ProviderAccount, records: Iterable[CallRecord]) -> Mapping[str, str]:
    """The names of other accounts that have a call by the id of one of `records`, at its time."""
    starts = {record.call: record.start for record in records if record.call}
    others = ProviderAccount.objects.exclude(pk=account.pk).values_list("pk", flat=True)
    rows = (
        CallLog.objects.filter(account__in=list(others), provider_call_id__in=starts)
        .exclude(provider_call_id="")
        .order_by()
        .values_list("provider_call_id", "provider", "start_time")
    )
    near = dt.timedelta(hours=1)
    return {call: name for call, name, start in rows if abs(start - from_ms(starts[call])) < near}
