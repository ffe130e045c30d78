"""Whom the command line speaks to: options, then environment, then the settings file."""

from __future__ import annotations

import argparse
import configparser
import os
from pathlib import Path
from typing import NamedTuple

from callmanager_track.folders import journal_of, settings_file


class UsageError(Exception):
    """The command cannot be carried out as it was given; the message says what to do."""


class Settings(NamedTuple):
    url: str
    api_key: str
    journal: Path
    wait: float  # seconds to wait for the server


def add_options(parser: argparse.ArgumentParser) -> None:
    where = parser.add_argument_group("server")
    where.add_argument("--url", help="address of the server; else CALLMANAGER_URL")
    where.add_argument(
        "--key-file", type=Path, help="file that holds the API key; else CALLMANAGER_API_KEY"
    )
    where.add_argument("--journal", type=Path, help="file of the journal")
    where.add_argument(
        "--wait", type=float, default=3.0, metavar="SECONDS", help="for the server's answer (3)"
    )


def read(options: argparse.Namespace) -> Settings:
    """Raises UsageError if nobody says where the server is, or the key cannot be read."""
    file = _from_file()
    url = options.url or os.environ.get("CALLMANAGER_URL") or file.get("url", "")
    if not url:
        raise UsageError(
            "Where is the server? Give --url, set CALLMANAGER_URL, or write it into "
            f"{settings_file()}."
        )
    api_key = _key(options) or os.environ.get("CALLMANAGER_API_KEY") or file.get("api_key", "")
    journal = options.journal or _path("CALLMANAGER_JOURNAL") or journal_of(url, api_key)
    return Settings(url, api_key, journal.absolute(), options.wait)


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment in which another process of ours reads the same settings.

    A key among a command's arguments could be read by everybody on the machine.
    """
    return {
        **os.environ,
        "CALLMANAGER_URL": settings.url,
        "CALLMANAGER_API_KEY": settings.api_key,
        "CALLMANAGER_JOURNAL": str(settings.journal),
    }


def _path(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None


def _key(options: argparse.Namespace) -> str:
    if options.key_file is None:
        return ""
    try:
        return str(options.key_file.read_text().strip())
    except (OSError, ValueError) as error:
        raise UsageError(f"The key file cannot be read: {error}") from error


def _from_file() -> dict[str, str]:
    """The section [callmanager] of the settings file, if there is one."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(settings_file())
    except (configparser.Error, ValueError) as error:
        raise UsageError(f"{settings_file()} cannot be read: {error}") from error
    return dict(parser["callmanager"]) if parser.has_section("callmanager") else {}
