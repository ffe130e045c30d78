"""Some records, laid over the calls: what comes of each, and the lines that it adds to ledgers.

Within one transaction the calls are locked, compared, and written with few statements.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from django.utils.translation import gettext as _

from calls import timeline
from calls.models import CallLog
from calls.providers.base import ProviderEvent
from calls.services import bulk
from calls.services.conversations import mark_shared
from calls.services.recording import Change, save_all
from calls.telephony import intake
from common.instants import now
from reconciliation.call_record import CallRecord
from reconciliation.imports.lines import line_key, line_of_record
from reconciliation.matching import spans
from reconciliation.matching.assigning import Match, assigned
from reconciliation.matching.candidates import Candidates, Wanted, elsewhere
from reconciliation.matching.judging import Verdict, claims_of, judge
from reconciliation.matching.people import People
from reconciliation.matching.rows import key_of, row_of
from reconciliation.matching.told import ours_of
from reconciliation.models import ProviderRecord, RecordImport

REPEATED: Final = "repeated"
# What a later import may bring in anew.
OPEN: Final = (ProviderRecord.DIFFERENT, ProviderRecord.LEFT_OUT)


class Moved(Exception):
    """A call became one with another while it was looked for: look again."""


@dataclass
class Result:
    """What comes of one record; no row where an earlier one stands."""

    outcome: str
    row: ProviderRecord | None = None
    change: Change | None = None
    fields: tuple[str, ...] = ()
    event: ProviderEvent | None = None  # of a call that is to be made
    replaces: int | None = None
    differences: list[tuple[str, Any, Any]] = field(default_factory=list)


@dataclass
class Batch:
    """`own` are the records that it is about, `ahead` others that compete for the same calls; all
    without skew."""

    what: RecordImport
    people: People
    own: list[CallRecord]
    ahead: list[CallRecord]
    spread: int
    busy: Collection[int]
    ids_tell: bool
    dry: bool

    def results(self) -> list[Result]:
        """What would come of each record, in their order; nothing is written."""
        known = self._known()
        self._late = [row for one in self.own if (row := _priced(one, known.get(key_of(one))))]
        open_ones = [one for one in self.own if self._is_open(one, known)]
        rivals = [one for one in self.ahead if key_of(one) not in known]
        matches = self._matches([*open_ones, *rivals], known)[: len(open_ones)]
        self._read_calls([match.call.pk for match in matches if match.call is not None])
        judged = {
            match.wanted.record.key: self._judged(match, known.get(key_of(match.wanted.record)))
            for match in matches
        }
        return [judged.get(one.key) or Result(REPEATED) for one in self.own]

    # --- What is known already --------------------------------------------------------------------
    def _known(self) -> dict[str, ProviderRecord]:
        keys = [key_of(one) for one in (*self.own, *self.ahead)]
        rows = ProviderRecord.objects.filter(
            account=self.what.account, key__in=keys, is_withdrawn=False
        )
        return {row.key: row for row in rows}

    @staticmethod
    def _is_open(record: CallRecord, known: dict[str, ProviderRecord]) -> bool:
        row = known.get(key_of(record))
        return row is None or row.outcome in OPEN

    # --- Whose call it is -------------------------------------------------------------------------
    def _matches(
        self, records: Sequence[CallRecord], known: dict[str, ProviderRecord]
    ) -> list[Match]:
        wanted = [Wanted.of(record, self.people) for record in records]
        found = Candidates(self.what.account, wanted)
        again = [row.pk for row in known.values() if row.outcome in OPEN]
        taken = (
            ProviderRecord.objects.filter(call__in=list(found.by_pk), is_withdrawn=False)
            .exclude(pk__in=again)
            .values_list("call", flat=True)
        )
        busy: set[Any] = {*taken, *self.busy}
        return assigned(wanted, found, busy, ids_tell=self.ids_tell)

    def _read_calls(self, keys: Collection[int]) -> None:
        if self.dry:
            self._calls = CallLog.objects.in_bulk(list(keys))
        else:
            self._calls = bulk.locked(keys)
        if len(self._calls) < len(set(keys)):
            raise Moved
        self._ledgers = bulk.ledgers(self._calls)
        self._changes: dict[int, Change] = {}

    @cached_property
    def _elsewhere(self) -> Any:
        return elsewhere(self.what.account, self.own)

    # --- What comes of it -------------------------------------------------------------------------
    def _judged(self, match: Match, earlier: ProviderRecord | None) -> Result:
        result = self._alone(match) if match.call is None else self._compared(match, match.call.pk)
        row = result.row
        assert row is not None
        row.note = " ".join(filter(None, (row.note, match.doubt)))[:300]
        if earlier is None:
            return result
        if _is_same(earlier, row):
            return Result(REPEATED)
        result.replaces = earlier.pk
        if row.price is None:
            row.price, row.currency = earlier.price, earlier.currency
        return result

    def _compared(self, match: Match, pk: int) -> Result:
        record = match.wanted.record
        call, lines = self._calls[pk], self._ledgers.get(pk, [])
        row = row_of(self.what, record)
        row.call = call
        ledger = [line.as_fact() for line in lines]
        precisions = {line.key: line.precision_ms for line in lines}
        verdict = judge(record, ours_of(call, ledger, precisions), self.spread)
        row.reasons = verdict.reasons
        row.outcome = _outcome(verdict)
        change = self._changes.setdefault(pk, Change(call, lines))
        fields = self._linked(call, record) if call.account_id is None else ()
        row.is_link = bool(fields)
        if row.outcome != ProviderRecord.DIFFERENT:
            claims = _with_doubt(verdict.claims, record)
            line = line_of_record(call, record, claims, line_key(self.what, key_of(record)))
            change.add_lines([line])
            row.event_keys = [line.key]
        differences = [(one.field, one.ours, one.theirs) for one in verdict.differences]
        return Result(row.outcome, row, change, fields, differences=differences)

    def _linked(self, call: CallLog, record: CallRecord) -> tuple[str, ...]:
        """A click becomes its phone system's call, so that no other call is made of it."""
        account = self.what.account
        call.account, call.provider = account, account.name
        call.provider_call_id = record.call or _made_id(record)
        call.conversation = record.conversation or call.provider_call_id
        return ("account", "provider", "provider_call_id", "conversation")

    def _alone(self, match: Match) -> Result:
        """No call is known: one is made, unless it would be of no use to anybody."""
        record = match.wanted.record
        row = row_of(self.what, record)
        row.note = self._why_left_out(match)
        if row.note:
            row.outcome = ProviderRecord.LEFT_OUT
            return Result(row.outcome, row)
        row.outcome = ProviderRecord.CREATED
        if match.wanted.agent is None and record.agents:
            row.note = _("Nobody of ours is called %(name)s there: the call has no agent yet.") % {
                "name": record.agents[0][:120]
            }
        return Result(row.outcome, row, event=self._event(record))

    def _why_left_out(self, match: Match) -> str:
        record = match.wanted.record
        other = self._elsewhere.get(record.call)
        if other:
            return _("It is a call of the account %(name)s.") % {"name": other}
        if spans.end_of(record) is None:
            return _("The record does not say when the call ended.")
        if match.wanted.agent is not None:
            return ""
        if record.direction == "internal":
            return _("An internal call, and nobody of ours is known by these names.")
        if not record.number and not record.agents:
            return _("The record names nobody.")
        if record.number and self.people.knows(record.number) and not record.agents:
            return _("An internal call, and nobody of ours is known by these names.")
        return ""

    def _event(self, record: CallRecord) -> ProviderEvent:
        end = spans.end_of(record)
        return ProviderEvent(
            kind=timeline.SUMMARY,
            call=record.call or _made_id(record),
            at=record.start if end is None else end,
            precision_ms=record.precision,
            conversation=record.conversation,
            agents=record.agents,
            number=record.number,
            direction=record.direction,
            name=line_key(self.what, key_of(record)),
            data=_with_doubt(claims_of(record), record),
        )

    # --- Writing ----------------------------------------------------------------------------------
    def write(self) -> list[Result]:
        """Writes what comes of the records, within a transaction of the caller's."""
        results = self.results()
        replaced = [one.replaces for one in results if one.replaces is not None]
        ProviderRecord.objects.bulk_update(self._late, ["price", "currency"])
        ProviderRecord.objects.filter(pk__in=replaced).delete()
        fields = {one.change.call.pk: set(one.fields) for one in results if one.change}
        touched = {one.change.call.pk: one.change for one in results if one.change}
        save_all(list(touched.values()), fields=fields)
        for one in results:
            if one.change is not None and one.fields:
                mark_shared(one.change.call)
        for one in results:
            if one.event is not None and one.row is not None:
                self._make(one.event, one.row)
        ProviderRecord.insert(one.row for one in results if one.row is not None)
        return results

    def _make(self, event: ProviderEvent, row: ProviderRecord) -> None:
        account = self.what.account
        made = intake.record(account, [event], received=now())
        row.call = next(iter(made), None)
        row.event_keys = [f"{account.pk}:{event.key}"]


def _outcome(verdict: Verdict) -> str:
    if verdict.differences:
        return ProviderRecord.DIFFERENT
    return ProviderRecord.COMPLETED if verdict.claims else ProviderRecord.CONFIRMED


def _with_doubt(claims: dict[str, Any], record: CallRecord) -> dict[str, Any]:
    return claims | {"conflict": {"record": record.doubtful}} if record.doubtful else claims


def _made_id(record: CallRecord) -> str:
    """The id of a call whose record has none."""
    return f"record:{key_of(record)[:32]}"


def _priced(record: CallRecord, row: ProviderRecord | None) -> ProviderRecord | None:
    """The row of an earlier import with the price that the record now tells: providers bill some
    time after the call, and part by part. None where there is nothing new."""
    if row is None or record.price is None:
        return None
    if (row.price, row.currency) == (record.price, record.currency):
        return None
    row.price, row.currency = record.price, record.currency
    return row


_TOLD: Final = ("outcome", "start_time", "answered_time", "end_time", "status", "call_id")


def _is_same(earlier: ProviderRecord, row: ProviderRecord) -> bool:
    return all(getattr(earlier, name) == getattr(row, name) for name in _TOLD)
