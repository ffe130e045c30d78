"""Text as people search for it: without capitals and accents."""

import unicodedata


def folded(text: str) -> str:
    """`adrian munoz` for `Adrián MUÑOZ`: case folded, marks removed, spaces single."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(plain.split())
