"""Text as people search for it and sort it: capitals, accents and what nobody sees aside."""

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
    return " ".join(_unmarked(without_invisible(text).casefold()).split())


def words_of(text: str) -> list[str]:
    """The words to look for, as the index of words has them; a telephone number is one word."""
    text = without_invisible(text)
    if re.fullmatch(r"[\d\s()+./-]+", text):
        digits = re.sub(r"\D", "", text)
        return [digits] if digits else []
    return re.findall(r"[^\W_]+", _unmarked(text).lower())


@lru_cache(maxsize=4096)
def name_key(name: str) -> bytes:
    """What lists of names are sorted by, in Python and in the database: as in Spanish dictionaries,
    accents and capitals aside, ñ after n. Bytes, because databases compare texts each in its way.
    """
    text = " ".join(without_invisible(name).casefold().split())
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).replace(_TILDE_ON_N, _AFTER_N)
        text = "".join(char for char in text if not unicodedata.combining(char))
        text = text.translate(_LETTERS)
    return text.encode(errors="replace")


def without_invisible(text: str) -> str:
    """`text` without what nobody sees of it: marks of direction, joiners and selectors of a look,
    which come along when a number is copied from a chat or an address book."""
    return text if text.isascii() else "".join(filter(_is_seen, text))


def _is_seen(char: str) -> bool:
    return unicodedata.category(char) not in ("Cf", "Me") and not _SELECTORS.match(char)


# How the character before it is drawn; their category is that of accents.
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\u180b-\u180d\u180f\U000e0100-\U000e01ef]")


def _unmarked(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))
