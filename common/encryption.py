"""Secrets at rest: encrypted (Fernet) with a key that is not in the database."""

import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Sealed(Exception):
    """The secrets were encrypted with a key that this process does not have."""


def _box() -> MultiFernet:
    """Encrypts with the first of FIELD_ENCRYPTION_KEYS, decrypts with any of them."""
    return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])


def seal(value: Any) -> str:
    """`value` (JSON) as text that only this installation's key opens."""
    return _box().encrypt(json.dumps(value).encode()).decode()


def unseal(text: str) -> Any:
    """What was sealed; Sealed if the key is another one."""
    try:
        return json.loads(_box().decrypt(text.encode()))
    except InvalidToken as error:
        raise Sealed("FIELD_ENCRYPTION_KEY is not the key that these secrets need") from error
