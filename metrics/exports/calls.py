"""Calls as a table for a file: exactly the filter, the columns and the order of the page."""

from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _

from accounts.models import User
from calls.history.columns import IN_FILES, Column, People, columns_of
from calls.history.filters import CallFilter
from calls.models import CallQuerySet
from calls.models.rows import Cells, Rows
from common.formats.period_words import short_days
from common.periods import LABELS, RANGE
from metrics.definitions import Sums
from metrics.exports.document import Document, Head, Sheet, made_by
from metrics.rollups.filtered import exact_sums

CHUNK: Final = 6000
_LENGTHS: Final = ("min_duration", "max_duration")
_ENDS: Final = ("from", "to")  # of a range


def sheet_of_calls(calls: CallQuerySet, columns: list[Column] | None = None) -> Sheet:
    """`calls`, newest first, with those columns; without them, all that programs know."""
    columns = columns or columns_of([], IN_FILES)
    heads = [Head(c.name, c.label, c.kind, c.words) for c in columns]
    return Sheet(_("Calls"), heads, lambda: _chunks(calls, columns))


def _chunks(calls: CallQuerySet, columns: list[Column]) -> Iterator[list[Cells]]:
    people = People()
    fields = dict.fromkeys(field for column in columns for field in column.fields)
    with_people = "user_id" in fields
    for rows in in_chunks(calls, tuple(fields)):
        if with_people:
            people.learn(set(rows["user_id"]))
        yield [column.read(rows, people) for column in columns]


def in_chunks(calls: CallQuerySet, fields: tuple[str, ...]) -> Iterator[Rows]:
    """All of `calls` with `fields`, newest first, by a short query a chunk.

    Nothing stays open between two chunks, so a reader that is slow or goes away holds neither a
    cursor nor a transaction; and the index finds each place at any depth.
    """
    calls = calls.newest_first()
    rows = calls.rows(fields, CHUNK)
    if rows:
        yield rows
    while rows.more:
        rows = calls.older_than(*rows.last).rows(fields, CHUNK)
        yield rows


def document_of_calls(
    found: CallFilter, columns: list[Column], maker: User, *, figures: bool = True
) -> Document:
    """The calls of the valid filter `found` and all that must stand beside them."""
    return Document(
        title=_("Calls"),
        about=made_by(maker, in_words(found)),
        sheets=[sheet_of_calls(found.qs, columns)],
        sums=exact_sums(found) if figures else Sums(),
    )


def in_words(found: CallFilter) -> str:
    """The filter as people read it: `Status: Completed · Period: This week (…)`."""
    parts = []
    for name, value in found.form.cleaned_data.items():
        is_range = name in _ENDS or (name == "period" and value == RANGE)
        if not value or is_range:  # its days stand at the end
            continue
        choices = LABELS if name == "period" else getattr(found.form.fields[name], "choices", ())
        values = value if isinstance(value, list) else [value]
        words = ", ".join(str(dict(choices).get(one, one)) for one in values)
        unit = " s" if name in _LENGTHS else ""
        parts.append(f"{found.form.fields[name].label}: {words}{unit}")
    first, last = found.days
    if found.asked_period is not None and first and last:
        parts.append(short_days(first, last))
    return " · ".join(parts)
