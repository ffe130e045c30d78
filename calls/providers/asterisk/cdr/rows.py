"""The rows of a file of call detail records, whatever its delimiter, encoding and columns."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext, gettext_noop

from calls import timeline
from calls.providers.asterisk.cdr.columns import ColumnNames, named_by, ordered_by
from calls.providers.asterisk.cdr.times import NoTime, Times, day_comes_first, is_never, seconds

ANSWERED = "ANSWERED"
OUTCOMES: Mapping[str, tuple[str, str]] = {
    ANSWERED: (timeline.COMPLETED, ""),
    "NO ANSWER": (timeline.NO_ANSWER, ""),
    "BUSY": (timeline.NO_ANSWER, "busy"),
    "CANCEL": (timeline.NO_ANSWER, "cancelled"),
    "FAILED": (timeline.FAILED, ""),
    "CONGESTION": (timeline.FAILED, "congestion"),
}
# How else they are written; the numbers are Asterisk's own, of drivers that keep those.
_DISPOSITIONS: Mapping[str, str] = {
    **{name: name for name in OUTCOMES},
    **dict.fromkeys(("ANSWER", "8", "CONTESTADA", "CONTESTADO"), ANSWERED),
    **dict.fromkeys(("NOANSWER", "NO_ANSWER", "NO-ANSWER", "1", "NO CONTESTADA"), "NO ANSWER"),
    **dict.fromkeys(("2", "FALLIDA"), "FAILED"),
    **dict.fromkeys(("4", "OCUPADO", "OCUPADA"), "BUSY"),
    "16": "CONGESTION",
    "CANCELLED": "CANCEL",
}
_MADE_UP = "Unknown/"
_DELIMITERS = ",;\t|"
# What may be wrong with a line.
_UNKNOWN = gettext_noop("%(found)d columns; 16 to 21 are known. Name them with --columns")
_OTHERS = gettext_noop("%(found)d columns instead of %(wanted)d")
_LACKING = gettext_noop("no column %(names)s")
_NO_END = gettext_noop("neither an end nor a duration")
_DISPOSITION = gettext_noop("unknown disposition %(text)s")
_QUOTES = gettext_noop("a quotation mark in this line never ends")
_LOOKED_AT = 200  # lines from which a file's delimiter and the order of its dates are seen


class BadLine(ValueError):
    """A line that cannot be read; says why, in English."""

    def __init__(self, why: str, **values: Any):
        super().__init__(why % values if values else why)
        self._why, self._values = why, values

    def sentence(self) -> str:
        """The same in the reader's language."""
        said = gettext(self._why)
        return said % self._values if self._values else said


@dataclass(frozen=True, slots=True)
class CdrRow:
    """One row. Instants in ms, the whole second that Asterisk cut them to; None: unanswered.
    `knows_answer` is False where it was answered and no column says when; `is_unsure` where the
    clocks were put back and nothing tells which of two instants `start` is."""

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
    lastdata: str = ""
    knows_answer: bool = True
    is_unsure: bool = False

    @property
    def is_answered(self) -> bool:
        return self.disposition == ANSWERED and self.answer is not None


def read(
    raw: bytes, zone: ZoneInfo, columns: ColumnNames = ()
) -> Iterator[CdrRow | tuple[int, str]]:
    """The rows of a file, and for each line that cannot be read its number and why.

    `columns` says what they hold where neither a first line of names nor their order does.
    """
    for found in read_lines(_lines(raw), zone, columns):
        yield found if isinstance(found, CdrRow) else (found[0], str(found[1]))


def read_lines(
    lines: Iterable[str], zone: ZoneInfo, columns: ColumnNames = ()
) -> Iterator[CdrRow | tuple[int, BadLine]]:
    """The same of lines that come one after the other, of which few are held."""
    waiting = iter(lines)
    first = list(islice(waiting, _LOOKED_AT))
    layout = Layout(first, columns)
    for number, line in enumerate(chain(first, waiting), start=1):
        if not line.strip() or line.lower().startswith("sep="):
            continue
        try:
            said = layout.said(line)
            if said is not None:
                yield _row(number, said, zone, day_first=layout.day_first)
        except BadLine as error:
            yield number, error
        except NoTime as error:
            yield number, BadLine(error.why, text=error.text)


class Layout:
    """How the lines of a file are divided, as the first of them tell. `head` are the names in the
    file, `names` ours of the same columns; None before a line was read, or where nobody knows."""

    def __init__(self, first: Sequence[str], columns: ColumnNames = ()):
        sample = [line for line in first if line.strip()]
        self.columns = columns
        self.delimiter = _delimiter_of(sample)
        self.day_first = day_comes_first(
            cell for line in sample for cell in _loose_cells(line, self.delimiter)
        )
        self.head: Sequence[str] | None = None
        self.names: Sequence[str] | None = None
        self._is_first = True

    def cells(self, line: str) -> list[str]:
        """The cells of a line, whatever they hold."""
        return [cell.strip() for cell in _loose_cells(line, self.delimiter)]

    def said(self, line: str) -> dict[str, str] | None:
        """What a line says, by our names; None for the line that names the columns."""
        try:
            values = _cells(line, self.delimiter)
        except csv.Error:
            raise BadLine(_QUOTES) from None
        if self._is_first:
            self._is_first, named = False, named_by(values, self.columns)
            if named is not None:
                self.head, self.names = values, named
                return None
        names = self.names if self.head else ordered_by(values, self.columns, _DISPOSITIONS)
        if self.head is None:
            self.names = names or self.names
        return _said(values, names)


# --- Lines and cells ------------------------------------------------------------------------------


def _lines(raw: bytes) -> list[str]:
    """The lines as text: UTF-8 or, line by line, Windows' Western; or UTF-16, as Excel may save."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace").replace("\0", "").splitlines()
    return [_decoded(line) for line in raw.removeprefix(b"\xef\xbb\xbf").splitlines()]


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8").replace("\0", "")
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace").replace("\0", "")


def _delimiter_of(lines: Sequence[str]) -> str:
    """What cuts these lines into the most cells."""
    counts = {
        delimiter: sum(len(_loose_cells(line, delimiter)) for line in lines)
        for delimiter in _DELIMITERS
    }
    return max(_DELIMITERS, key=lambda delimiter: counts[delimiter])


def _loose_cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)


def _cells(line: str, delimiter: str) -> list[str]:
    """The cells of a line, with quotes as Asterisk doubles them or as MySQL escapes them, or with
    none: what a client of a database prints with tabs. csv.Error if it is none of these."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        if delimiter == "\t":
            return line.split(delimiter)
        if '\\"' not in line:
            raise
        escaped = csv.reader(
            [line], delimiter=delimiter, strict=True, doublequote=False, escapechar="\\"
        )
        return next(escaped)


def _said(values: Sequence[str], names: Sequence[str] | None) -> dict[str, str]:
    """What a line says, by our names; a database's NULL is nothing."""
    if names is None:
        raise BadLine(_UNKNOWN, found=len(values))
    if len(values) != len(names):
        raise BadLine(_OTHERS, found=len(values), wanted=len(names))
    pairs = ((name, value.strip()) for name, value in zip(names, values, strict=True) if name)
    return {name: "" if value in ("NULL", r"\N") else value for name, value in pairs}


# --- Rows -----------------------------------------------------------------------------------------


def _row(line: int, said: dict[str, str], zone: ZoneInfo, *, day_first: bool) -> CdrRow:
    lacking = _lacking(said)
    if lacking:
        raise BadLine(_LACKING, names=", ".join(lacking))
    times = Times(zone, said.get("uniqueid", ""), day_first=day_first)
    start = times.instant(f"{said.get('start', '')} {said.get('time', '')}".strip())
    duration, billsec = _length(said, "duration", "end"), _length(said, "billsec", "answer")
    disposition = _disposition(said, billsec)
    answer = said.get("answer", "")
    answered = None if is_never(answer) else times.instant(answer, not_before=start)
    if not is_never(said.get("end", "")):
        end = times.instant(said["end"], not_before=start)
    elif duration is not None:
        end = start + duration * 1000
    else:
        raise BadLine(_NO_END)
    knows_answer = disposition != ANSWERED or answered is not None or billsec is not None
    if disposition == ANSWERED and answered is None:
        answered = max(start, end - (billsec or 0) * 1000)
    return CdrRow(
        line=line,
        src=said.get("src", ""),
        dst=said.get("dst", ""),
        channel=said.get("channel") or _channel_of(said.get("src", "")),
        dstchannel=said.get("dstchannel") or _phone_called(said),
        lastapp=said.get("lastapp", ""),
        start=start,
        answer=answered,
        end=end,
        duration=(end - start) // 1000 if duration is None else duration,
        billsec=billsec or 0,
        disposition=disposition,
        uniqueid=_id(said, "uniqueid"),
        linkedid=_id(said, "linkedid"),
        lastdata=said.get("lastdata", ""),
        knows_answer=knows_answer,
        is_unsure=times.is_unsure,
    )


def _lacking(said: Mapping[str, str]) -> list[str]:
    """The columns without which a row says nothing, by the name of the first that would do."""
    wanted = {
        "channel": ("channel", "src"),
        "disposition": ("disposition", "billsec", "answer"),
        "end": ("end", "duration"),
        "start": ("start", "time"),
    }
    return [name for name, any_of in wanted.items() if not said.keys() & set(any_of)]


def _id(said: Mapping[str, str], name: str) -> str:
    """An id; "" for what stands where there is none."""
    found = said.get(name, "")
    return "" if found in ("0", "-", "-1") else found


def _length(said: Mapping[str, str], name: str, instead: str) -> int | None:
    """A length in seconds; one that cannot be read is needed only where no instant stands
    `instead`."""
    try:
        return seconds(said[name]) if name in said else None
    except NoTime:
        if is_never(said.get(instead, "")):
            raise
        return None


def _disposition(said: Mapping[str, str], billsec: int | None) -> str:
    if "disposition" not in said:
        return ANSWERED if billsec or not is_never(said.get("answer", "")) else "NO ANSWER"
    found = _DISPOSITIONS.get(said["disposition"].upper())
    if found is None:
        raise BadLine(_DISPOSITION, text=f"{said['disposition']!r:.40}")
    return found


def _phone_called(said: Mapping[str, str]) -> str:
    """Where no column tells a channel, the numbers must do."""
    return "" if "dstchannel" in said or "channel" in said else _channel_of(said.get("dst", ""))


def _channel_of(number: str) -> str:
    return f"{_MADE_UP}{number}" if number else ""


def is_made_up(channel: str) -> bool:
    """Whether a row has no channel and this one was made of a number."""
    return channel.startswith(_MADE_UP)
