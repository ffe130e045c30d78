"""How far the clock of a file's phone system goes from ours, by all of its records."""

from collections.abc import Callable, Iterator
from typing import Final

from reconciliation.call_record import CallRecord
from reconciliation.imports.staging import Staging
from reconciliation.matching import spans
from reconciliation.matching.candidates import Candidate, Candidates, Wanted
from reconciliation.matching.people import People
from reconciliation.matching.skew import Skew, SkewEstimate

_AT_ONCE: Final = 1_000
# How far a call may lie from its record for the two to be compared (ms), where no id names it.
_WIDE: Final = 600_000
# How much the lengths of a pair may differ (ms).
_STRETCH: Final = 2_000
_CLICKED_STRETCH: Final = 30_000


def skew_of(
    staging: Staging, people: People, beat: Callable[[int], None], done: int = 0
) -> tuple[Skew, bool]:
    """The skew, and whether the records name calls as live events do."""
    estimate = SkewEstimate()
    named = 0
    for records, _ahead in staging.chunks(_AT_ONCE):
        wanted = [Wanted.of(record, people) for record in records]
        found = Candidates(people.account, wanted, _WIDE, _WIDE)
        named += _compare(wanted, found, estimate)
        beat(done)
    return estimate.settled(), named > 0


def _compare(wanted: list[Wanted], found: Candidates, estimate: SkewEstimate) -> int:
    """Adds the pairs that are certain or of which there is no doubt; how many ids were known."""
    named = 0
    chosen: dict[int, list[int]] = {}
    for one in wanted:
        calls = found.named(one.record)
        if len(calls) == 1:
            named += 1
            for difference in _difference(one.record, calls[0]):
                estimate.add(difference, is_certain=True)
        elif not calls and len(near := found.near(one)) == 1:
            for difference in _difference(one.record, near[0]):
                chosen.setdefault(near[0].pk, []).append(difference)
    for differences in chosen.values():
        if len(differences) == 1:  # no other record might be of the same call
            estimate.add(differences[0], is_certain=False)
    return named


def _difference(record: CallRecord, call: Candidate) -> Iterator[int]:
    """How much later the record is: by the end that a phone system told live; else by the middle of
    the call, because people click early as it begins and late as it ends."""
    end = spans.end_of(record)
    if end is None or not call.has_own_end or call.end is None:
        return
    cut = (record.precision - 1) // 2  # whole seconds are cut: in the mean the truth is later
    is_heard = call.ended_by.startswith("provider:")
    stretch = abs((end - record.start) - (call.end - call.start))
    if stretch > record.precision + (_STRETCH if is_heard else _CLICKED_STRETCH):
        return  # a clock moves both ends alike: this is another difference
    if is_heard:
        yield end + cut - call.end
    else:
        yield (record.start + end - call.start - call.end) // 2 + cut
