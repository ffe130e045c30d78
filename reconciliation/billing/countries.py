"""The country of a number, and what it is called."""

import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import phonenumbers

# Enough to tell the countries apart that share a code, such as those of +1 and of +44.
_TELLING: Final = len("+18095551")


class Countries:
    """Remembers what the first digits say; there are far fewer of those than numbers."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, line: str) -> str:
        """Two letters for a number in E.164; "" where it is of no country."""
        beginning = line[:_TELLING]
        if beginning not in self._known:
            self._known[beginning] = _region_of(line)
        return self._known[beginning]


def _region_of(line: str) -> str:
    try:
        number = phonenumbers.parse(line, None)
    except phonenumbers.NumberParseException:
        return ""
    found = phonenumbers.region_code_for_number(number)
    if not found:  # a number that nobody has still tells a country
        found = phonenumbers.region_code_for_country_code(number.country_code or 0)
    return "" if found in ("001", "ZZ") else found


def name_of(region: str, language: str) -> str:
    """What a country is called in `language`; its letters where nobody has told."""
    names = _names().get(region, {})
    name = names.get(language.partition("-")[0]) or names.get("en", region)
    # Most say only which other language has the same name.
    return names.get(name[1:], region) if name.startswith("*") else name


@cache
def _names() -> Mapping[str, Mapping[str, str]]:
    """The library's names of countries. They are loaded without its package, whose names of towns
    would take a hundred megabytes."""
    path = Path(phonenumbers.__file__).parent / "geodata" / "locale.py"
    spec = importlib.util.spec_from_file_location("phonenumbers.names.locale", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    names: Mapping[str, Mapping[str, str]] = module.LOCALE_DATA
    return names
