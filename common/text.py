"""Text as people search for it and sort it: capitals and accents aside."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

_TILDE_ON_N: Final = "n\u0303"
_AFTER_N: Final = "n\U0010ffff"  # behind n and whatever follows it, before o
# Letters of other alphabets in Latin script that no accent makes.
_LETTERS: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe"})


def folded(text: str) -> str:
    """`adrian munoz` for `Adrián MUÑOZ`: case folded, marks removed, spaces single."""
    return " ".join(_unmarked(text.casefold()).split())


def words_of(text: str) -> list[str]:
    """The words to look for, as the index of words has them; a telephone number is one word."""
    if re.fullmatch(r"[\d\s()+./-]+", text):
        digits = re.sub(r"\D", "", text)
        return [digits] if digits else []
    return re.findall(r"[^\W_]+", _unmarked(text).lower())


@lru_cache(maxsize=4096)
def name_key(name: str) -> bytes:
    """What lists of names are sorted by, in Python and in the database: as in Spanish dictionaries,
    accents and capitals aside, ñ after n. Bytes, because databases compare texts each in its way.
    """
    text = " ".join(name.casefold().split())
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).replace(_TILDE_ON_N, _AFTER_N)
        text = "".join(char for char in text if not unicodedata.combining(char))
        text = text.translate(_LETTERS)
    return text.encode(errors="replace")


def _unmarked(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))
