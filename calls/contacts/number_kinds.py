"""What kind of number a word of a file means: a label of Google's, a column of Outlook's, a kind as
this site writes it; English and Spanish."""

import re
from typing import Final

from calls.models import NumberKind
from common.text import folded

# The more telling first: a fax at work is a fax, and a mobile of the office a mobile.
_WORDS: Final = {
    NumberKind.MOBILE: (
        *("mobile", "movil", "celular", "cell", "cel", "cellphone", "cellular", "iphone"),
        *("whatsapp", "gsm"),
    ),
    NumberKind.MAIN: ("main", "principal", "primary", "centralita", "conmutador", "switchboard"),
    NumberKind.WORK: (
        *("work", "business", "office", "company", "trabajo", "oficina", "empresa", "laboral"),
        *("negocio", "negocios"),
    ),
    NumberKind.HOME: ("home", "casa", "particular", "personal", "domicilio", "hogar"),
}
_PREFERRED: Final = "*"  # how Google marks the one that somebody prefers


def kind_of(text: str) -> NumberKind:
    """The kind that a label or the name of a column tells; OTHER if it tells none."""
    plain = folded(text)
    if "fax" in plain:
        return NumberKind.FAX
    words = set(re.findall(r"[^\W\d_]+", plain))
    return next((kind for kind, known in _WORDS.items() if words & set(known)), NumberKind.OTHER)


def is_preferred(label: str) -> bool:
    """Whether a label marks the number as the one that somebody prefers."""
    return label.lstrip().startswith(_PREFERRED)
