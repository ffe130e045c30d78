"""Text as people search for it: without capitals and accents."""

import re
import unicodedata


def folded(text: str) -> str:
    """`adrian munoz` for `Adrián MUÑOZ`: case folded, marks removed, spaces single."""
    return " ".join(_unmarked(text.casefold()).split())


def words_of(text: str) -> list[str]:
    """The words to look for, as the index of words has them; a telephone number is one word."""
    if re.fullmatch(r"[\d\s()+./-]+", text):
        digits = re.sub(r"\D", "", text)
        return [digits] if digits else []
    return re.findall(r"[^\W_]+", _unmarked(text).lower())


def _unmarked(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))
