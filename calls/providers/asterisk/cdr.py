"""Asterisk's call detail records (Master.csv): lines of text -> what each agent did.

Several rows make a call; hold is invisible; whole seconds, cut. What a row cannot know stays
unknown: a queue's row is answered by the queue, and the row after a transfer counts the new
phone's ring as talk. No database.
"""

import csv
import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from calls import timeline
from calls.providers.asterisk.dialplan import Dialplan, peer_of
from common.instants import to_ms

COLUMNS = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel"),
    *("lastapp", "lastdata", "start", "answer", "end", "duration", "billsec"),
    *("disposition", "amaflags"),
)
_NEW = ("peeraccount", "linkedid", "sequence")
_NEEDED = frozenset({"channel", "start", "end", "disposition"})
# The columns behind the sixteen, by how many there are in all; of one alone it is seen what it is.
_MORE: Mapping[int, tuple[str, ...]] = {
    16: (),
    17: ("uniqueid",),
    18: ("uniqueid", "userfield"),
    19: _NEW,
    20: ("uniqueid", *_NEW),
    21: ("uniqueid", "userfield", *_NEW),
}
_UNIQUEID = re.compile(r"(?:.*-)?(?P<epoch>\d{9,11})\.\d+")

_OUTCOMES: Mapping[str, tuple[str, str]] = {
    "ANSWERED": (timeline.COMPLETED, ""),
    "NO ANSWER": (timeline.NO_ANSWER, ""),
    "BUSY": (timeline.NO_ANSWER, "busy"),
    "CANCEL": (timeline.NO_ANSWER, "cancelled"),
    "FAILED": (timeline.FAILED, ""),
    "CONGESTION": (timeline.FAILED, "congestion"),
}
ANSWERED = "ANSWERED"


class BadLine(ValueError):
    """A line that cannot be read; says why."""


@dataclass(frozen=True)
class CdrRow:
    """One row. Instants in ms, the whole second that Asterisk cut them to; None: unanswered."""

    line: int
    src: str
    dst: str
    channel: str
    dstchannel: str
    lastapp: str
    start: int
    answer: int | None
    end: int
    duration: int
    billsec: int
    disposition: str
    uniqueid: str
    linkedid: str

    @property
    def conversation(self) -> str:
        return self.linkedid or self.uniqueid or self.channel


@dataclass(frozen=True)
class CdrPart:
    """What the rows say that one agent did. `call` is the Uniqueid of the agent's leg where they
    tell it, `channel` the leg's name. `knows_answer` is False where `answered` is unknown."""

    conversation: str
    call: str
    channel: str
    agent: str
    number: str
    direction: str
    start: int
    answered: int | None
    knows_answer: bool
    end: int
    status: str
    reason: str
    lines: tuple[int, ...]


def read(
    text: bytes, zone: ZoneInfo, columns: Sequence[str] = ()
) -> Iterator[CdrRow | tuple[int, str]]:
    """The rows of a file, and for each line that cannot be read its number and why.

    `columns` names them; without, a first line of names does, or else their number.
    """
    lines = (_decoded(line) for line in text.splitlines())
    reader = csv.reader(lines, strict=True)
    while True:
        try:
            values = next(reader)
            if not columns and reader.line_num == 1 and "disposition" in values:
                columns = values
            elif values:
                yield _row(reader.line_num, values, columns, zone)
        except StopIteration:
            return
        except (BadLine, csv.Error) as error:
            yield reader.line_num, str(error)


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8").replace("\0", "")
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace").replace("\0", "")


def _row(line: int, values: Sequence[str], columns: Sequence[str], zone: ZoneInfo) -> CdrRow:
    names = columns or _columns_of(values)
    if len(values) != len(names):
        raise BadLine(f"{len(values)} columns instead of {len(names)}")
    said = {name.strip(): value.strip() for name, value in zip(names, values, strict=True)}
    if not said.keys() >= _NEEDED:
        raise BadLine(f"no column {', '.join(sorted(_NEEDED - said.keys()))}")
    disposition = said["disposition"].upper()
    if disposition not in _OUTCOMES:
        raise BadLine(f"unknown disposition {disposition!r:.40}")
    times = _Times(zone, said.get("uniqueid", ""))
    start = times.instant(said["start"])
    end = times.instant(said["end"], not_before=start)
    answer = said.get("answer", "")
    return CdrRow(
        line=line,
        src=said.get("src", ""),
        dst=said.get("dst", ""),
        channel=said["channel"],
        dstchannel=said.get("dstchannel", ""),
        lastapp=said.get("lastapp", ""),
        start=start,
        answer=times.instant(answer, not_before=start) if answer else None,
        end=end,
        duration=_whole(said.get("duration", "")),
        billsec=_whole(said.get("billsec", "")),
        disposition=disposition,
        uniqueid=said.get("uniqueid", ""),
        linkedid=said.get("linkedid", ""),
    )


def _columns_of(values: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns, by their number and, of a single optional one, its look."""
    if len(values) not in _MORE:
        raise BadLine(f"{len(values)} columns; 16 to 21 are known. Name them with --columns")
    names = COLUMNS + _MORE[len(values)]
    if len(values) in (17, 20) and values[16] and not _UNIQUEID.fullmatch(values[16]):
        return tuple("userfield" if name == "uniqueid" else name for name in names)
    return names


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


class _Times:
    """Local times of one row -> instants. The hour that comes twice when clocks go back is told
    apart by the Uniqueid, which holds the second in which the channel was made."""

    def __init__(self, zone: ZoneInfo, uniqueid: str):
        self._zone = zone
        found = _UNIQUEID.fullmatch(uniqueid)
        self._made = int(found["epoch"]) * 1000 if found else None

    def instant(self, text: str, not_before: int | None = None) -> int:
        try:
            local = dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
            earlier, later = (
                to_ms(local.replace(tzinfo=self._zone, fold=fold).astimezone(dt.UTC))
                for fold in (0, 1)
            )
        except (ValueError, OverflowError):
            raise BadLine(f"{text!r:.40} is no time") from None
        least = self._made if not_before is None else not_before
        if least is not None and earlier < least - 1000:
            return max(earlier, later)
        return earlier


def parts(rows: Iterable[CdrRow], dialplan: Dialplan) -> list[CdrPart]:
    """What each agent did, by conversation; of callers whom nobody served, one part without an
    agent."""
    conversations: dict[str, list[CdrRow]] = {}
    for row in rows:
        conversations.setdefault(row.conversation, []).append(row)
    return [part for its in conversations.values() for part in _parts_of(its, dialplan)]


def _parts_of(rows: list[CdrRow], dialplan: Dialplan) -> list[CdrPart]:
    rows = sorted(rows, key=lambda row: (row.start, row.line))
    callers: dict[str, list[CdrRow]] = {}
    dialled: dict[str, list[CdrRow]] = {}
    for row in rows:
        callers.setdefault(row.channel, []).append(row)
        if dialplan.is_agent(peer_of(row.dstchannel)):
            dialled.setdefault(row.dstchannel, []).append(row)
    agents = {name: its for name, its in callers.items() if dialplan.is_agent(peer_of(name))}
    found = [_caller(name, its, dialplan) for name, its in agents.items()]
    served = {name: its for name, its in dialled.items() if _answered(its)}
    found += [_dialled(name, its, rows, dialplan) for name, its in served.items()]
    if not served:
        found += _missed(rows, dialled, agents, dialplan)
    return found


def _missed(
    rows: list[CdrRow],
    dialled: dict[str, list[CdrRow]],
    agents: dict[str, list[CdrRow]],
    plan: Dialplan,
) -> list[CdrPart]:
    """Nobody answered: one agent who was called directly has missed it, else it is nobody's."""
    queued = any(row.lastapp == "Queue" for row in rows)
    if len({peer_of(name) for name in dialled}) == 1 and not queued:
        name, its = next(iter(dialled.items()))
        return [_dialled(name, its, rows, plan)]
    if agents or not (queued or dialled):
        return []
    first = rows[0]
    return [
        CdrPart(
            **_shared(rows, first),
            call=first.uniqueid,
            channel=first.channel,
            agent="",
            number=first.src,
            direction="inbound",
            answered=None,
            knows_answer=True,
            status=timeline.NO_ANSWER,
            reason="",
        )
    ]


def _shared(rows: list[CdrRow], first: CdrRow) -> dict[str, Any]:
    return {
        "conversation": first.conversation,
        "start": min(row.start for row in rows),
        "end": max(row.end for row in rows),
        "lines": tuple(row.line for row in rows),
    }


def _answered(rows: list[CdrRow]) -> bool:
    return any(row.disposition == ANSWERED and row.answer is not None for row in rows)


def _caller(channel: str, rows: list[CdrRow], dialplan: Dialplan) -> CdrPart:
    first = next((row for row in rows if row.dstchannel), rows[0])
    answers = [row.answer for row in rows if row.disposition == ANSWERED and row.answer is not None]
    queued = any(row.lastapp == "Queue" for row in rows)
    status, reason = _OUTCOMES[ANSWERED if answers else first.disposition]
    other = peer_of(first.dstchannel)
    return CdrPart(
        **_shared(rows, first),
        call=first.uniqueid,
        channel=channel,
        agent=peer_of(channel),
        number=first.dst,
        direction="internal" if dialplan.is_agent(other) else "outbound",
        answered=min(answers, default=None),
        knows_answer=not (answers and queued),
        status=status,
        reason=reason,
    )


def _dialled(channel: str, rows: list[CdrRow], all_rows: list[CdrRow], plan: Dialplan) -> CdrPart:
    first = rows[0]
    answers = [row.answer for row in rows if row.disposition == ANSWERED and row.answer is not None]
    earlier = [row for row in all_rows if row.channel == first.channel and row.start < first.start]
    queued = any(row.lastapp == "Queue" for row in rows)
    status = timeline.COMPLETED if answers else timeline.NO_ANSWER
    return CdrPart(
        **_shared(rows, first),
        call="",
        channel=channel,
        agent=peer_of(channel),
        number=first.src,
        direction="internal" if plan.is_agent(peer_of(first.channel)) else "inbound",
        answered=min(answers, default=None),
        knows_answer=not (answers and (queued or earlier)),
        status=status,
        reason=_OUTCOMES[first.disposition][1],
    )
