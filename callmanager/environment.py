"""Reads the environment, and stops the start with the name of a value it cannot read."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
env = environ.Env()


def read(name: str, reader: Callable[..., T], default: T) -> T:
    """`reader(name, default=...)`, with the variable's name in the error when it cannot be read."""
    if os.environ.get(name, "").strip() == "":
        return default
    try:
        return reader(name)
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


def seconds(name: str, default: int) -> int:
    """A positive whole number of seconds."""
    value = read(name, env.int, default)
    if value <= 0:
        raise ImproperlyConfigured(f"{name}={value} cannot be read: write a number above 0")
    return value


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
