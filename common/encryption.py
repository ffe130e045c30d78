"""Secrets at rest: encrypted (Fernet) with a key that is not in the database."""

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Sealed(Exception):
    """The secrets were encrypted with a key that this process does not have."""


def _box(keys: Iterable[str]) -> MultiFernet:
    """Encrypts with the first of FIELD_ENCRYPTION_KEYS, decrypts with any of them."""
    return MultiFernet([Fernet(key) for key in keys])


def seal(value: Any) -> str:
    """`value` (JSON) as text that only this installation's key opens."""
    return _box(settings.FIELD_ENCRYPTION_KEYS).encrypt(json.dumps(value).encode()).decode()


def unseal(text: str) -> Any:
    """What was sealed; Sealed if the key is another one."""
    try:
        return json.loads(_opened(text, tuple(settings.FIELD_ENCRYPTION_KEYS)))
    except InvalidToken as error:
        raise Sealed("FIELD_ENCRYPTION_KEY is not the key that these secrets need") from error


@lru_cache(maxsize=256)
def _opened(text: str, keys: tuple[str, ...]) -> bytes:
    """Kept in memory, where the keys are too: every message of a phone system asks for it. What is
    sealed anew has another text."""
    return _box(keys).decrypt(text.encode())
