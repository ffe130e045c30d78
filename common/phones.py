"""Phone numbers: what people type, and the one form (E.164) that can be compared."""

from functools import lru_cache

import phonenumbers
from django.conf import settings


def to_e164(number: str, region: str | None = None) -> str:
    """`+50651234567` for `5123-4567` dialled in CR; "" for what cannot be a phone number."""
    return _to_e164(number, region or settings.DEFAULT_PHONE_REGION)


@lru_cache(maxsize=4096)
def _to_e164(number: str, region: str) -> str:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(parsed):
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=4096)
def pretty(number: str) -> str:
    """International spelling of an E.164 number, for reading; other text as it stands."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
