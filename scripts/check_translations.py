"""Are the translations complete? Every text of the sources is translated, none is doubtful, and
the compiled file that is shipped says what the readable one says. Needs no gettext programs."""

import ast
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polib
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("es",)
APPS = (
    "callmanager",
    "compat",
    "api",
    "accounts",
    "calls",
    "metrics",
    "upkeep",
    "notifications",
    "reconciliation",
    "webphone",
    "common",
)
# How many leading arguments are texts: (context?, singular, plural?).
PLAIN = {"_", "gettext", "gettext_lazy", "gettext_noop"}
PLURAL = {"ngettext", "ngettext_lazy"}
CONTEXT = {"pgettext", "pgettext_lazy"}
# Calls as templatize() writes them for xgettext, and _("...") as it leaves it.
IN_TEMPLATES = re.compile(r"(?<!\w)(?:_|n?p?gettext)\([^\n]*?(?:[\"']|count)\)")

Text = tuple[str, str]  # context ("" for none), text


def main() -> None:
    settings.configure(USE_I18N=True)  # all that reading templates asks of Django
    complaints = [line for language in LANGUAGES for line in _complaints(language)]
    if complaints:
        sys.exit("\n".join(complaints[:60]))


def _complaints(language: str) -> Iterator[str]:
    folder = ROOT / "locale" / language / "LC_MESSAGES"
    if not (folder / "django.po").exists():
        yield f"locale/{language}: there is no django.po; run make messages"
        return
    catalogue = polib.pofile(str(folder / "django.po"))
    known = {(one.msgctxt or "", one.msgid) for one in catalogue if not one.obsolete}
    for file, text in _texts_of_sources():
        if text not in known:
            yield f"{file.relative_to(ROOT)}: not in django.po: {text[1]!r}; run make messages"
    for one in catalogue.untranslated_entries():
        yield f"{language}: not translated: {one.msgid!r}"
    for one in catalogue.fuzzy_entries():
        yield f"{language}: doubtful (fuzzy): {one.msgid!r}"
    if _texts_of(folder / "django.mo") != _compiled(catalogue):
        yield f"{language}: django.mo does not say what django.po says; run make messages"


def _texts_of_sources() -> Iterator[tuple[Path, Text]]:
    for app in APPS:
        for file in sorted((ROOT / app).rglob("*.py")):
            yield from ((file, text) for text in _texts_of_python(file.read_text()))
    for file in sorted((ROOT / "templates").rglob("*.html")):
        for call in IN_TEMPLATES.findall(templatize(file.read_text())):
            yield from ((file, text) for text in _texts_of_python(call))


def _texts_of_python(source: str) -> Iterator[Text]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        constants = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
        words = [value for value in constants if isinstance(value, str)]
        if name in PLAIN | PLURAL and words:
            yield "", words[0]
        elif name in CONTEXT and len(words) > 1:
            yield words[0], words[1]


def _compiled(catalogue: polib.POFile) -> dict[Text, object]:
    with tempfile.NamedTemporaryFile(suffix=".mo") as file:
        catalogue.save_as_mofile(file.name)
        return _texts_of(Path(file.name))


def _texts_of(path: Path) -> dict[Text, object]:
    if not path.exists():
        return {}
    entries = polib.mofile(str(path))
    return {(one.msgctxt or "", one.msgid): one.msgstr or one.msgstr_plural for one in entries}


if __name__ == "__main__":
    main()
