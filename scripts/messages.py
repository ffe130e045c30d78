"""Collects the texts to translate and compiles the translations; needs gettext.

What has not changed keeps its place, its line breaks and its date, so that a change of three texts
is three texts to read. (gettext orders them by the files they are in: moving one moves its texts.)
"""

import subprocess
import sys
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
IGNORED = ["--ignore", ".venv/*", "--ignore", "node_modules/*"]
Key = tuple[str, str]  # context, text


def main() -> None:
    catalogues = {file: file.read_text() for file in ROOT.glob("locale/*/LC_MESSAGES/django.po")}
    _manage("makemessages", "--no-location", "--no-obsolete", *IGNORED)
    for file, before in catalogues.items():
        file.write_text(merged(before, file.read_text()))
    _manage("compilemessages", *IGNORED)


def merged(before: str, after: str) -> str:
    """The catalogue `after` in the order and dress of `before`. What is new follows the text that
    is before it in `after`."""
    old, new = _entries(before), _entries(after)
    order = [key for key in old if key in new]
    previous = None
    for key in new:
        if key not in old:
            order.insert(0 if previous is None else order.index(previous) + 1, key)
        previous = key
    head = before.split("\n\n", 1)[0]
    return "\n\n".join([head, *(_dressed(old.get(key), new[key]) for key in order)]) + "\n"


def _entries(catalogue: str) -> dict[Key, str]:
    """The text of each entry, without the head and what is obsolete."""
    blocks = [block.strip("\n") for block in catalogue.split("\n\n")[1:]]
    return {_key(_read(one)): one for one in blocks if one and not one.startswith("#~")}


def _dressed(old: str | None, new: str) -> str:
    """`old`, where it says the same."""
    return old if old is not None and _meaning(_read(old)) == _meaning(_read(new)) else new


def _read(block: str) -> polib.POEntry:
    return polib.pofile(block)[0]


def _key(entry: polib.POEntry) -> Key:
    return entry.msgctxt or "", entry.msgid


def _meaning(entry: polib.POEntry) -> tuple[object, ...]:
    words = (entry.msgid_plural, entry.msgstr, entry.msgstr_plural)
    return *words, entry.comment, entry.tcomment, sorted(entry.flags)


def _manage(command: str, *arguments: str) -> None:
    languages = [file.name for file in sorted((ROOT / "locale").iterdir()) if file.is_dir()]
    chosen = [argument for one in languages for argument in ("-l", one)]
    asked = [sys.executable, "manage.py", command, "-v0", *chosen, *arguments]
    subprocess.run(asked, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
