"""The records of a file, one batch after the other, laid over the calls."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from common.instants import from_ms, to_ms
from reconciliation.call_record import CallRecord
from reconciliation.imports.batch import Batch, Result
from reconciliation.imports.clock import skew_of
from reconciliation.imports.staging import Staging
from reconciliation.matching.candidates import AFTER, BEFORE
from reconciliation.matching.people import People
from reconciliation.matching.rows import without_skew
from reconciliation.matching.skew import Skew
from reconciliation.models import ProviderRecord, RecordImport

BATCH: Final = 300
_AHEAD: Final = 60  # records after a batch that compete for its calls
_DAY: Final = 24 * 3600 * 1000
_EXAMPLES: Final = 20  # of each outcome
COUNTS: Final = (
    *("confirmed", "completed", "different", "created"),
    *("repeated", "left_out"),
)
Beat = Callable[[int], None]


class Taking:
    """One run through the records; `dry`: nothing is written. Goes on where `what.done` says."""

    def __init__(self, what: RecordImport, staging: Staging, beat: Beat, *, dry: bool):
        self.what, self._staging, self._beat, self._dry = what, staging, beat, dry
        self.people = People(what.account)
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[dict[str, Any]]] = {}
        self._busy: list[int] = []  # calls that the last records of a dry run took
        self._reasons: Counter[str] = Counter()
        self.skew = Skew()
        self.ids_tell = False

    def take(self, save: Callable[["Taking", Batch], None] | None = None) -> None:
        """`save` writes a batch in a transaction of its own."""
        self._begin()
        for own, ahead in self._batches():
            batch = self._batch(own, ahead)
            if save is None:
                self.note(batch.results())
                self._beat(self.what.done)
            else:
                save(self, batch)

    def _begin(self) -> None:
        found = self._staging.counts
        what = self.what
        if self._dry:
            what.done = 0
        what.rows, what.records = found["rows"], found["records"]
        what.unreadable, what.faults = found["unreadable"], found["faults"]
        if (period := self._staging.period()) is not None:
            what.since, what.until = from_ms(period[0]), from_ms(period[1])
        self.skew, self.ids_tell = skew_of(self._staging, self.people, self._beat)
        if what.done:  # it goes on with the skew that it began with
            pairs = 0 if what.skew_ms is None else what.records
            self.skew = Skew(what.skew_ms or 0, what.skew_spread_ms or 0, pairs)
            self.counts.update({name: getattr(what, name) for name in COUNTS})
        else:
            self.counts["repeated"] = found["twice"]
        what.skew_ms, what.skew_spread_ms = self.skew.told, self.skew.spread

    def _batches(self) -> Any:
        for own, ahead in self._staging.chunks(BATCH, self.what.done, _AHEAD):
            limit = own[-1].start + BEFORE + AFTER
            near = [one for one in ahead if one.start <= limit]
            yield from _by_days(own, near)

    def _batch(self, own: list[CallRecord], ahead: list[CallRecord]) -> Batch:
        skew = self.skew.ms
        return Batch(
            self.what,
            self.people,
            [without_skew(one, skew) for one in own],
            [without_skew(one, skew) for one in ahead],
            spread=min(self.skew.spread, 2_000) if skew else 0,
            busy=self._busy,
            ids_tell=self.ids_tell,
            dry=self._dry,
        )

    def note(self, results: Sequence[Result]) -> None:
        """Counts what came of a batch, once it is sure."""
        self.what.done += len(results)
        for one in results:
            self.counts[one.outcome] += 1
            self._reasons.update(one.row.reasons if one.row is not None else ())
            self._keep_example(one)
        taken = [one.row.call_id for one in results if one.row is not None and one.row.call_id]
        self._busy = [*self._busy, *taken][-2 * BATCH :] if self._dry else []

    def _keep_example(self, one: Result) -> None:
        some = self.examples.setdefault(one.outcome, [])
        if self._dry and one.row is not None and len(some) < _EXAMPLES:
            some.append(_example(one.row, one.differences))

    def progress(self, results: Sequence[Result] = ()) -> dict[str, Any]:
        """The import's fields with those results, which `note` counts once they are sure."""
        counts = self.counts + Counter(one.outcome for one in results)
        told = ("rows", "records", "unreadable", "faults", "since", "until")
        return {
            **{name: counts[name] for name in COUNTS},
            **{name: getattr(self.what, name) for name in told},
            "done": self.what.done + len(results),
            "skew_ms": self.skew.told,
            "skew_spread_ms": self.skew.spread,
        }

    def plan(self) -> dict[str, Any]:
        """What a look at it found."""
        return {
            **{name: self.counts[name] for name in COUNTS},
            "rows": self.what.rows,
            "records": self.what.records,
            "unreadable": self.what.unreadable,
            "skew_ms": self.skew.told,
            "skew_spread_ms": self.skew.spread,
            "pairs": self.skew.pairs,
            "zone_hours": self.skew.zone_hours,
            "reasons": dict(self._reasons),
            "examples": self.examples,
        }


def _by_days(own: list[CallRecord], ahead: list[CallRecord]) -> Any:
    """Few records over a long time are read day by day, or too many calls would be candidates."""
    begun = 0
    for place in range(1, len(own) + 1):
        if place == len(own) or own[place].start - own[begun].start > _DAY:
            yield own[begun:place], ([*own[place:], *ahead][:_AHEAD])
            begun = place


def _example(row: ProviderRecord, differences: Any) -> dict[str, Any]:
    return {
        "line": row.line,
        "call": str(row.call.call_id) if row.call else "",
        "agent": row.agent_name,
        "number": row.number,
        "start": to_ms(row.start_time),
        "end": row.end_time and to_ms(row.end_time),
        "status": row.status,
        "reasons": row.reasons,
        "differences": differences,
        "note": row.note,
    }
