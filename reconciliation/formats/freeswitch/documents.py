"""Records as JSON and XML, read by the same rules as those that come by HTTP."""

from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls import timeline
from calls.providers.base import Payload, ProviderEvent, Unknown, Unreadable
from calls.providers.freeswitch.legs import Leg
from calls.providers.freeswitch.record import record_of
from reconciliation.call_record import EXACT, BadLine, CallRecord
from reconciliation.formats.base import Context, Format, Look, Reading, UnreadableFile
from reconciliation.formats.files import Peek, beginning_of
from reconciliation.formats.freeswitch.pieces import Piece, elements, objects, text_of

_SAMPLES: Final = 5
_SHOWN: Final = ("uuid", "direction", "start_stamp", "answer_stamp", "end_stamp", "hangup_cause")
# Reports of a part whose own record may come yet, and parts whose record has come.
_WAITING, _REMEMBERED = 5_000, 50_000
_AHEAD: Final = 3_600_000


class _Documents(Format):
    account_kinds = ("freeswitch",)
    sign: ClassVar[bytes] = b""

    def fits(self, peek: Peek) -> int:
        beginning = peek.beginning.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n[")
        is_such = beginning.startswith(self.sign)
        return 90 if is_such and b"uepoch" in beginning else 0

    def look(self, path: Path, reading: Reading) -> Look:
        found = list(islice(self._pieces(path), _SAMPLES))
        whole = [one for one in found if isinstance(one, Piece)]
        samples = [_shown(piece) for piece in whole]
        length = sum(len(piece.text) for piece in whole) / len(whole) if whole else 0
        return Look(
            head=list(_SHOWN),
            samples=[sample for sample in samples if sample],
            rows_guess=max(len(found), round(path.stat().st_size / length)) if length else None,
            reading=dict(reading),
        )

    def read(
        self, path: Path, reading: Reading, context: Context
    ) -> Iterator[CallRecord | BadLine]:
        if not any(isinstance(one, Piece) for one in islice(self._pieces(path), 20)):
            raise UnreadableFile(_("There is no record of FreeSWITCH in this file."))
        return _Parts(context).records(self._pieces(path))

    def _pieces(self, path: Path) -> Iterator[Piece | BadLine]:
        beginning_of(path)
        return self.pieces(text_of(path))

    def pieces(self, text: Iterator[str]) -> Iterator[Piece | BadLine]:
        """The records in a text."""
        raise NotImplementedError


class FreeSwitchJson(_Documents):
    code = "freeswitch_json"
    title = gettext_lazy("FreeSWITCH: call detail records (JSON)")
    sign = b"{"

    def pieces(self, text: Iterator[str]) -> Iterator[Piece | BadLine]:
        return objects(text)


class FreeSwitchXml(_Documents):
    code = "freeswitch_xml"
    title = gettext_lazy("FreeSWITCH: call detail records (XML)")
    sign = b"<"

    def pieces(self, text: Iterator[str]) -> Iterator[Piece | BadLine]:
        return elements(text)


def _shown(piece: Piece) -> list[str]:
    try:
        said = record_of(_payload(piece)).variables
    except Unreadable:
        return []
    return [said.get(name, "") for name in _SHOWN]


def _payload(piece: Piece) -> Payload:
    return Payload(piece.text.encode("utf-8", "replace"), 0)


class _Parts:
    """Both legs of a call tell of its parts: of each the record of its own leg is taken, else what
    the other leg's says."""

    def __init__(self, context: Context):
        self._context = context
        self._waiting: OrderedDict[str, CallRecord] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()

    def records(self, pieces: Iterator[Piece | BadLine]) -> Iterator[CallRecord | BadLine]:
        for piece in pieces:
            if isinstance(piece, BadLine):
                yield piece
                continue
            try:
                found = self._events(piece)
            except Unreadable as error:
                yield BadLine(piece.line, str(error))
                continue
            for event, doubt in found:
                yield from self._of(event, doubt, piece.line)
        yield from self._waiting.values()

    def _events(self, piece: Piece) -> list[tuple[ProviderEvent, str]]:
        leg = Leg(record_of(_payload(piece)), self._context.account_settings)
        doubt = _("Its ids contradict each other.") if leg.contradicts_itself else ""
        try:
            return [(event, doubt) for event in leg.events()]
        except Unknown as unknown:
            return [(event, doubt) for event in unknown.events]

    def _of(self, event: ProviderEvent, doubt: str, line: int) -> Iterator[CallRecord | BadLine]:
        found = _record(event, doubt, line)
        if found.start > self._context.now + _AHEAD:
            yield BadLine(line, _("This call is in the future."))
        elif event.kind == timeline.SUMMARY:
            self._waiting.pop(event.call, None)
            self._known[event.call] = None
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
            yield found
        elif event.call not in self._known:
            self._waiting[event.call] = found
            if len(self._waiting) > _WAITING:
                yield self._waiting.popitem(last=False)[1]


def _record(event: ProviderEvent, doubt: str, line: int) -> CallRecord:
    """An adapter's event as a record; both are exact to the millisecond."""
    said: Any = event.data
    start, answered = said["start"], said["answered"]
    end = max(said.get("end", event.at), start)
    return CallRecord(
        key=event.call,
        start=start,
        end=end,
        answered=answered,
        duration=end - start,
        talk=None if answered is None else max(0, end - answered),
        hold=said.get("hold"),
        status=said["status"],
        reason=said.get("reason", ""),
        call=event.call,
        conversation=event.conversation,
        agents=event.agents,
        number=event.number,
        direction=event.direction,
        precision=1,
        unit=1,
        rounding=EXACT,
        doubtful=doubt,
        lines=(line,),
    )
