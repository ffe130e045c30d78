"""Phone numbers: what people type, the one form (E.164) that can be dialled from anywhere, and the
line that it stands for, which is what numbers are compared by."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

import phonenumbers
from django.conf import settings

from common.text import without_invisible

# Mobiles of Brazil had eight digits, the first of them 6 to 9; now all have a 9 before them. Lines
# on the wall, which begin with 2 to 5, have not.
_EIGHT_DIGITS_IN_BRAZIL: Final = r"(\d\d)([6-9]\d{7})"

# What people and phone systems write as E.164 though no country has such a number (any more).
_MENDED: Final = [
    # Mexico's prefixes, until 2019, of calls to mobiles and of long distance.
    (re.compile(r"\+52(?:1|01|044|045)(\d{10})"), r"+52\1"),
    # Argentina's 15 of mobiles, where the 9 says it already, and the 0 of calls within.
    (re.compile(r"\+5490?(11)15(\d{8})"), r"+549\1\2"),
    (re.compile(r"\+5490?([23]\d\d)15(\d{7})"), r"+549\1\2"),
    (re.compile(r"\+5490?([23]\d{3})15(\d{6})"), r"+549\1\2"),
    (re.compile(r"\+5490(\d{10})"), r"+549\1"),
]
# Numbers in E.164 that ring one and the same phone: the left is the line on the right.
_SAME: Final = [
    (re.compile(r"\+549(\d{10})"), r"+54\1"),  # Argentina: a mobile, from abroad
    (re.compile(rf"\+55{_EIGHT_DIGITS_IN_BRAZIL}"), r"+55\g<1>9\2"),
    (re.compile(r"\+57([124-8]\d{7})"), r"+5760\1"),  # Colombia: on the wall, until 2021
]
# The other way round.
_OTHERS: Final = [
    (re.compile(r"\+52(\d{10})"), r"+521\1"),
    (re.compile(r"\+54([1-3]\d{9})"), r"+549\1"),
    (re.compile(r"\+55(\d\d)9([6-9]\d{7})"), r"+55\1\2"),
    (re.compile(r"\+5760([124-8]\d{7})"), r"+57\1"),
]
# The same of the digits that somebody has typed so far, perhaps without the country's code.
_SAME_TYPED: Final = [
    (re.compile(r"(52)1(\d+)"), r"\1\2"),
    (re.compile(r"(54)9(\d+)"), r"\1\2"),
    (re.compile(r"(55\d\d)([6-9]\d{3,7})"), r"\g<1>9\2"),
    (re.compile(_EIGHT_DIGITS_IN_BRAZIL), r"\g<1>9\2"),
    (re.compile(r"(?:1|9|01|04[45])(\d{10})"), r"\1"),
    (re.compile(r"0+([1-9]\d{2,})"), r"\1"),
]
# Phone systems and people tell numbers of other countries without the + of their code. That is
# believed only of the Americas and Spain: with what is dialled for an outside line (0, 8, 9) others
# would be made up.
_WITHOUT_PLUS: Final = re.compile(r"(?=\d{11,15}$)(?:1|34|5)\d+", re.ASCII)
_BETWEEN_DIGITS: Final = re.compile(r"[\s().\u2010-\u2015-]+")
# What is dialled within the country instead of its code, though many countries have no such 0.
_DIALLED_WITHIN: Final = re.compile(r"(?<=\d)\s*\(0\)")


def to_e164(number: str, region: str | None = None) -> str:
    """`+50651234567` for `5123-4567` dialled in CR; "" for what cannot be a phone number."""
    return _to_e164(number, region or settings.DEFAULT_PHONE_REGION)


@lru_cache(maxsize=2**16)  # a file of contacts asks more than once for each of its numbers
def _to_e164(number: str, region: str) -> str:
    number = without_invisible(number)
    written = _written(number, region)
    if written:
        return written
    digits = _BETWEEN_DIGITS.sub("", number)
    if _WITHOUT_PLUS.fullmatch(digits):
        abroad = _written(f"+{digits}", region)
        return abroad if abroad and is_valid(abroad) else ""
    whole = _DIALLED_WITHIN.sub("", number)
    return _written(whole, region) if whole != number else ""


def _written(number: str, region: str) -> str:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return ""
    text = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    mended = _rewritten(text, _MENDED)
    if mended != text:
        return mended
    return text if phonenumbers.is_possible_number(parsed) else ""


def is_valid(number: str) -> bool:
    """Whether the plan of its country has such a number as this one (E.164)."""
    return phonenumbers.is_valid_number(phonenumbers.parse(line_of_e164(number), None))


def line_of(number: str, region: str | None = None) -> str:
    """What numbers are compared by: `+525512345678` for `+52 1 55 1234 5678`, too.

    Mexico's mobiles are told with or without the 1 that was dialled until 2019, Argentina's with
    the 9 of calls from abroad, the 15 of calls within, or neither, Brazil's without their ninth
    digit. The line is not a number to dial. "" for what cannot be a phone number.
    """
    return _line_of(number, region or settings.DEFAULT_PHONE_REGION)


@lru_cache(maxsize=4096)
def _line_of(number: str, region: str) -> str:
    return line_of_e164(_to_e164(number, region))


def two_digit_codes() -> list[str]:
    """The codes of countries that have two digits; 1 and 7 have one, all others three."""
    return [str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE if 9 < code < 100]


def spellings_of(number: str) -> list[str]:
    """`number` and, if it is one in E.164, whatever else its line was or is told as."""
    line = line_of_e164(number)
    return list(dict.fromkeys((number, line, _rewritten(line, _OTHERS))))


def line_of_e164(number: str) -> str:
    """`line_of` of what `to_e164` has just given, which needs not be read again."""
    return _rewritten(number, _SAME)


def _rewritten(number: str, rules: list[tuple[re.Pattern[str], str]]) -> str:
    for pattern, line in rules:
        if pattern.fullmatch(number):
            return pattern.sub(line, number)
    return number


def digits_of(text: str) -> str:
    """The digits of `text`, of any script, as 0 to 9."""
    found = (unicodedata.decimal(char, None) for char in text)
    return "".join(str(digit) for digit in found if digit is not None)


def typed_digits(text: str) -> list[str]:
    """What to look for in lines when somebody looks for the number, or the part of one, in `text`:
    digits, in each way in which its line may have them. [] for less than three of them."""
    digits = digits_of(text)
    if len(digits) < 3:
        return []
    found = [digits]
    if line := line_of(text):
        found.append(line[1:])
    for pattern, other in _SAME_TYPED:
        found += [pattern.sub(other, known) for known in tuple(found) if pattern.fullmatch(known)]
    return list(dict.fromkeys(found))


@lru_cache(maxsize=4096)
def national_digits(number: str) -> str:
    """A number in E.164 as its own country dials it, without prefixes; "" for other text."""
    try:
        return phonenumbers.national_significant_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return ""


@lru_cache(maxsize=4096)
def pretty(number: str) -> str:
    """International spelling of an E.164 number, for reading; other text as it stands."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
