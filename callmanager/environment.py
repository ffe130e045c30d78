"""Reads the environment, and stops the start with the name of a value it cannot read."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
env = environ.Env()


def read(name: str, reader: Callable[..., T], default: T) -> T:
    """`reader(name, default=...)`, with the variable's name in the error when it cannot be read."""
    if os.environ.get(name, "").strip() == "":
        return default
    try:
        return reader(name)
    except ImproperlyConfigured:
        raise
    except Exception as error:
        raise ImproperlyConfigured(
            f"{name}={os.environ[name]!r} cannot be read: {error}"
        ) from error


def flag(name: str, default: bool = False) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if value == "":
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} cannot be read: write 1 or 0")


def seconds(name: str, default: int, *, least: int = 1) -> int:
    """A whole number of seconds, `least` or more."""
    value = read(name, env.int, default)
    if value < least:
        above = f"{least} or more" if least < 1 else f"a number above {least - 1}"
        raise ImproperlyConfigured(f"{name}={value} cannot be read: write {above}")
    return value


def fernet_keys(name: str) -> list[str]:
    """One or several Fernet keys, separated by commas."""
    keys = [key.strip() for key in os.environ[name].split(",") if key.strip()]
    for key in keys:
        try:
            Fernet(key)
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} cannot be read: write 32 random bytes in URL-safe base64, as "
                "python -c 'import base64, os; "
                "print(base64.urlsafe_b64encode(os.urandom(32)).decode())' makes them"
            ) from None
    return keys


def stored_secret(path: Path, length: int = 50) -> str:
    """The secret kept in `path`; made there, readable by its owner alone, on first use."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    secret = secrets.token_urlsafe(length)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # the worker beside us was first
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(secret)
    return secret
