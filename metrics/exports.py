"""Calls as a file that a spreadsheet or a program reads; streamed, in constant memory."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.http import HttpRequest, StreamingHttpResponse

from accounts.models import User
from calls.filters import older_than
from calls.instants import isoformat, today
from calls.models import CallQuerySet

CHUNK: Final = 2000
COLUMNS: Final = (
    "call_id",
    "agent",
    "team",
    "contact",
    "phone",
    "direction",
    "status",
    "start",
    "answered",
    "end",
    "duration_seconds",
    "talk_seconds",
    "ring_seconds",
    "hold_seconds",
    "paused_seconds",
    "evidence",
    "notes",
)
_FIELDS: Final = (
    *("pk", "call_id", "user_id", "contact__name", "contact_ref", "phone_e164", "contact_phone"),
    *("direction", "status", "start_time", "answered_time", "end_time", "duration_seconds"),
    *("talk_seconds", "ring_seconds", "hold_seconds", "paused_seconds", "evidence", "notes"),
)
_BYTE_ORDER_MARK: Final = "\ufeff"  # without it, Excel does not read UTF-8
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Echo:
    """A file that hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def call_csv_response(calls: CallQuerySet, request: HttpRequest) -> StreamingHttpResponse:
    """`calls`, newest first, as a CSV download: UTF-8, instants in UTC, lengths in seconds."""
    response = StreamingHttpResponse(csv_of(calls), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="calls-{today():%Y-%m-%d}.csv"'
    response["X-Accel-Buffering"] = "no"
    return response


def csv_of(calls: CallQuerySet) -> Iterator[str]:
    """The file, some hundred kilobytes at a time."""
    write = csv.writer(_Echo()).writerow
    yield _BYTE_ORDER_MARK + write(COLUMNS)
    people = People()
    for chunk in in_chunks(calls):
        people.learn({call.user_id for call in chunk})
        yield "".join(write(map(harmless, cells_of(call, people))) for call in chunk)


def in_chunks(calls: CallQuerySet) -> Iterator[list[Any]]:
    """All of `calls` as named tuples, newest first, by a short query a chunk.

    Nothing stays open between two chunks, so a reader that is slow or goes away holds neither a
    cursor nor a transaction; and the index finds each place at any depth.
    """
    calls = calls.order_by("-start_time", "-pk")
    chunk = _read(calls)
    while chunk:
        yield chunk
        if len(chunk) < CHUNK:
            return
        chunk = _read(older_than(calls, chunk[-1].start_time, chunk[-1].pk))


def _read(calls: CallQuerySet) -> list[Any]:
    return list(calls.values_list(*_FIELDS, named=True)[:CHUNK])


class People:
    """Names and teams of those in the file, each asked for once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, str]] = {}

    def learn(self, user_ids: set[int]) -> None:
        """Looks up those of `user_ids` that are new."""
        new = user_ids - self._known.keys()
        for user in User.objects.filter(pk__in=new).select_related("team") if new else ():
            self._known[user.pk] = (user.display_name, user.team.name if user.team else "")

    def __getitem__(self, user_id: int) -> tuple[str, str]:
        return self._known[user_id]


def cells_of(call: Any, people: People) -> Iterable[Any]:
    """One line of the file, in the order of COLUMNS."""
    return (
        call.call_id,
        *people[call.user_id],
        call.contact__name or call.contact_ref,
        call.phone_e164 or call.contact_phone,
        call.direction,
        call.status,
        isoformat(call.start_time),
        isoformat(call.answered_time),
        isoformat(call.end_time),
        call.duration_seconds,
        call.talk_seconds,
        call.ring_seconds,
        call.hold_seconds,
        call.paused_seconds,
        call.evidence,
        call.notes,
    )


def harmless(cell: Any) -> Any:
    """Text that a spreadsheet would run as a formula, behind an apostrophe; else as it stands."""
    if isinstance(cell, str) and cell.startswith(_DANGEROUS):
        return f"'{cell}"
    return cell
