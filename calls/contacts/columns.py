"""Which column of a file is the name, a number and so on: guessed from its head, in both languages,
and where the head says nothing, from what stands in the columns."""

import re
from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls.contacts import vocabulary
from calls.contacts.number_kinds import kind_of
from calls.models import NumberKind
from common.phones import to_e164
from common.text import folded

MAX_NUMBERS: Final = 20  # of one contact

# What a column can be: its name in a mapping, and what people read.
FIELDS: Final = {
    "name": gettext_lazy("Name"),
    "middle_name": gettext_lazy("Middle name"),
    "surname": gettext_lazy("Surname, added to the name"),
    "second_surname": gettext_lazy("Second surname"),
    "suffix": gettext_lazy("Suffix of the name"),
    "whole_name": gettext_lazy("Whole name, instead of its parts"),
    "phone": gettext_lazy("Phone"),
    "company": gettext_lazy("Company"),
    "nickname": gettext_lazy("Nickname, if there is no name"),
    "external_id": gettext_lazy("Reference"),
}
# Those that a file seldom has: they are asked for where it has.
RARE: Final = {"middle_name", "second_surname", "suffix", "whole_name", "nickname"}

_SAMPLE: Final = 25  # rows that are looked at where heads say nothing


def has_head(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: nobody names one with a telephone number."""
    return not any(_is_number(cell) for cell in rows[0])


def head_of(rows: Sequence[Sequence[str]]) -> list[str]:
    """A name for every column."""
    given = rows[0] if has_head(rows) else [""] * len(rows[0])
    return [cell or _("Column %(n)d") % {"n": n} for n, cell in enumerate(given, start=1)]


def guess(head: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, int]:
    """Field -> column, for those that can be guessed. The numbers stand there as they are
    preferred: of those that a row has, the first."""
    plain = [_plain(cell) for cell in head]
    called = [c for c, name in enumerate(plain) if _names_number(name) or _is_kind(c, name, rows)]
    found = _named_columns(plain, set(called), rows)
    used = [column for column in called if any(_has_number(row, column) for row in rows)]
    numbers = sorted(used, key=lambda column: _rank(plain[column]))
    found |= zip(number_fields(len(numbers)), numbers, strict=False)
    found = _by_content(found, rows)
    return found if "phone" in found or not called else found | {"phone": called[0]}


def number_fields(count: int) -> list[str]:
    """The names of so many numbers in a mapping: phone, phone_2, ..."""
    return [f"phone_{n}" if n > 1 else "phone" for n in range(1, min(count, MAX_NUMBERS) + 1)]


def _plain(cell: str) -> str:
    """`phone 1 value` for `Phone 1 - Value`."""
    return " ".join(re.findall(r"[^\W_]+", folded(cell)))


# --- Names and the like -------------------------------------------------------------------------


def _named_columns(
    plain: list[str], taken: set[int], rows: Sequence[Sequence[str]]
) -> dict[str, int]:
    """The columns that are called just so; else those whose name begins so."""
    found: dict[str, int] = {}
    for matches in (str.__eq__, _begins):
        for field, names in vocabulary.HEADS.items():
            if field in found or (field == "whole_name" and "name" not in found):
                continue
            free = [c for c in range(len(plain)) if c not in taken | set(found.values())]
            hits = [c for name in names for c in free if matches(plain[c], name)]
            if matches is _begins:
                hits = [column for column in hits if _may_be(field, column, rows)]
            if field in RARE:
                hits = [column for column in hits if any(_cell(row, column) for row in rows)]
            if hits:
                found[field] = hits[0]
    return found


def _begins(plain: str, name: str) -> bool:
    return plain.startswith(f"{name} ") and vocabulary.SOMETHING_ELSE.isdisjoint(plain.split())


def _may_be(field: str, column: int, rows: Sequence[Sequence[str]]) -> bool:
    """Whether a column that is called a little otherwise can be this: a reference is nobody
    else's, and a name beside the name ("Nombre comercial") is another's."""
    if field != "external_id":
        return field != "whole_name"
    said = [cell for row in rows if (cell := _cell(row, column))]
    return len(set(said)) == len(said)


def _cell(row: Sequence[str], column: int) -> str:
    return row[column] if column < len(row) else ""


# --- Numbers ------------------------------------------------------------------------------------


def label_of(head: Sequence[str], column: int) -> int | None:
    """The column that tells of what kind the numbers of this one are: `Phone 1 - Type` of `Phone 1
    - Value`, `Tipo de teléfono` of `Teléfono`."""
    wanted = _stem(head[column])
    for place, cell in enumerate(head):
        if (
            place != column
            and _stem(cell) == wanted
            and vocabulary.LABELS & set(_plain(cell).split())
        ):
            return place
    return None


def is_numbered(name: str) -> bool:
    """Whether a column is one of a row that stand there in no order, as Google's do."""
    return any(word.isdigit() for word in _plain(name).split())


def _stem(name: str) -> set[str]:
    return set(_plain(name).split()) - vocabulary.LABELS - vocabulary.FILLING


def _names_number(plain: str) -> bool:
    words = set(plain.split())
    return plain in vocabulary.NUMBER_HEADS or bool(
        words & vocabulary.NUMBER_WORDS and not words & vocabulary.NO_NUMBERS
    )


def _is_kind(column: int, plain: str, rows: Sequence[Sequence[str]]) -> bool:
    """Whether a column that is called by a kind alone ("Oficina", "Casa 2") has numbers."""
    if not set(plain.split()) <= vocabulary.KINDS_ALONE or plain.isdigit():
        return False
    said = [cell for row in rows[:_SAMPLE] if (cell := _cell(row, column))]
    return sum(map(_is_number, said)) * 2 > len(said)


def _has_number(row: Sequence[str], column: int) -> bool:
    return sum(map(str.isdigit, _cell(row, column))) >= 5


def _rank(plain: str) -> int:
    """How likely somebody is to prefer the numbers of a column; the likeliest have the least."""
    words, kind = set(plain.split()), kind_of(plain)
    if words <= vocabulary.JUST_NUMBERS or words & vocabulary.PREFERRED:
        return 0
    return {NumberKind.MOBILE: 1, NumberKind.FAX: 3}.get(kind, 2)


# --- By what stands in them ---------------------------------------------------------------------


def _by_content(found: dict[str, int], rows: Sequence[Sequence[str]]) -> dict[str, int]:
    sample = rows[:_SAMPLE]
    if not sample:
        return found
    columns = [c for c in range(len(sample[0])) if c not in found.values()]
    if "phone" not in found:
        hits = {c: sum(_is_number(row[c]) for row in sample) for c in columns}
        likeliest = max(columns, key=lambda c: hits[c], default=None)
        if likeliest is not None and hits[likeliest] * 2 >= len(sample):
            found["phone"] = likeliest
            columns.remove(likeliest)
    if "name" not in found:
        worded = [c for c in columns if any(char.isalpha() for row in sample for char in row[c])]
        if worded:
            found["name"] = worded[0]
    return found


def _is_number(cell: str) -> bool:
    return sum(char.isdigit() for char in cell) >= 7 and bool(to_e164(cell))
