"""Where this computer keeps a person's journal and settings."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path


def data_folder() -> Path:
    """The user's data folder for call journals; `CALLMANAGER_DATA` names another."""
    if named := os.environ.get("CALLMANAGER_DATA"):
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "CallManager"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "CallManager"
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "callmanager"


def settings_file() -> Path:
    """Where the command line looks for the server's address and the key."""
    if sys.platform in ("win32", "darwin"):
        return data_folder() / "track.ini"
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "callmanager" / "track.ini"


def journal_of(base_url: str, api_key: str) -> Path:
    """One journal for each server and key: nobody's calls are sent as another's."""
    whose = f"{base_url.rstrip('/')}|{api_key}".encode()
    return data_folder() / f"calls-{hashlib.sha256(whose).hexdigest()[:16]}.sqlite3"
