"""Which column of a file is the name, the number and so on: guessed from its head, in both
languages, and where the head says nothing, from what stands in the columns."""

from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.phones import to_e164
from common.text import folded

# What a column can be: its name in a mapping, and what people read.
FIELDS: Final = {
    "name": gettext_lazy("Name"),
    "surname": gettext_lazy("Surname, added to the name"),
    "phone": gettext_lazy("Phone"),
    "company": gettext_lazy("Company"),
    "external_id": gettext_lazy("Reference"),
}

# How files name their columns, folded; the likelier first.
_HEADS: Final = {
    "phone": (
        *("telefono", "phone", "movil", "celular", "mobile", "cell", "telephone", "tel"),
        *("phone number", "numero", "numero de telefono", "whatsapp", "number"),
        *("mobile phone", "phone 1 - value", "telefono movil", "business phone", "home phone"),
    ),
    "surname": (
        *("apellido", "apellidos", "last name", "surname", "family name", "lastname"),
        *("primer apellido",),
    ),
    "name": (
        *("nombre", "name", "nombre completo", "full name", "contacto", "contact", "cliente"),
        *("first name", "given name", "nombres", "display name", "customer", "firstname"),
    ),
    "company": (
        *("empresa", "company", "compania", "organizacion", "organization", "organisation"),
        *("organization name", "organization 1 - name", "razon social", "account"),
    ),
    "external_id": (
        *(
            "referencia",
            "reference",
            "ref",
            "external_id",
            "external id",
            "id externo",
            "contact_id",
        ),
        *("id", "codigo", "code", "uid", "crm id", "id cliente"),
    ),
}
_SAMPLE: Final = 25  # rows that are looked at


def has_head(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: nobody names one with a telephone number."""
    return not any(_is_number(cell) for cell in rows[0])


def head_of(rows: Sequence[Sequence[str]]) -> list[str]:
    """A name for every column."""
    given = rows[0] if has_head(rows) else [""] * len(rows[0])
    return [cell or _("Column %(n)d") % {"n": n} for n, cell in enumerate(given, start=1)]


def guess(head: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, int]:
    """Field -> column, for those that can be guessed."""
    found: dict[str, int] = {}
    plain = [folded(cell.replace("_", " ")) for cell in head]
    for field, names in _HEADS.items():
        known = [folded(name.replace("_", " ")) for name in names]
        column = _best(plain, known, set(found.values()))
        if column is not None:
            found[field] = column
    return _by_content(found, rows)


def _best(plain: list[str], known: list[str], taken: set[int]) -> int | None:
    """The free column whose head is one of `known`; else one that begins with such a word."""
    free = [column for column in range(len(plain)) if column not in taken]
    for name in known:
        for column in free:
            if plain[column] == name:
                return column
    starts = [c for c in free if any(plain[c].startswith(f"{name} ") for name in known)]
    return starts[0] if starts else None


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
