"""The rows of a file of call detail records, whatever its delimiter, encoding and columns."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_noop

from calls.providers.asterisk.cdr.columns import ColumnNames
from calls.providers.asterisk.cdr.dispositions import ANSWERED, DISPOSITIONS
from calls.providers.asterisk.cdr.lines import BadLine, Layout, lines_in
from calls.providers.asterisk.cdr.times import NoTime, Times, is_never, seconds

_MADE_UP = "Unknown/"
# What may be wrong with a line.
_LACKING = gettext_noop("no column %(names)s")
_NO_END = gettext_noop("neither an end nor a duration")
_DISPOSITION = gettext_noop("unknown disposition %(text)s")
_LOOKED_AT = 200  # lines from which a file's delimiter and the order of its dates are seen


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
    for found in read_lines(lines_in(raw), zone, columns):
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
    found = DISPOSITIONS.get(said["disposition"].upper())
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
