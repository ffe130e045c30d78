"""Text as people search for it: without capitals and accents, or what nobody sees."""

import re
import unicodedata
from typing import Final


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
