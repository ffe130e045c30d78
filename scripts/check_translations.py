"""Are the translations complete? Every text of the sources is translated, none is doubtful, and
the compiled file that is shipped says what the readable one says."""

import sys
import tempfile
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("es",)


def main() -> None:
    complaints = [line for language in LANGUAGES for line in _complaints(language)]
    if complaints:
        sys.exit("\n".join(complaints[:40]))


def _complaints(language: str) -> list[str]:
    folder = ROOT / "locale" / language / "LC_MESSAGES"
    if not (folder / "django.po").exists():
        return [f"locale/{language}: there is no django.po; run make messages"]
    catalogue = polib.pofile(str(folder / "django.po"))
    complaints = [
        f"{language}: not translated: {one.msgid!r}" for one in catalogue.untranslated_entries()
    ]
    complaints += [
        f"{language}: doubtful (fuzzy): {one.msgid!r}" for one in catalogue.fuzzy_entries()
    ]
    if _texts(folder / "django.mo") != _compiled(catalogue):
        complaints.append(f"{language}: django.mo is older than django.po; run make messages")
    return complaints


def _compiled(catalogue: polib.POFile) -> dict[str, object]:
    with tempfile.NamedTemporaryFile(suffix=".mo") as file:
        catalogue.save_as_mofile(file.name)
        return _texts(Path(file.name))


def _texts(path: Path) -> dict[str, object]:
    if not path.exists():
        return {}
    entries = polib.mofile(str(path))
    return {f"{one.msgctxt}|{one.msgid}": (one.msgstr, one.msgstr_plural) for one in entries}


if __name__ == "__main__":
    main()
