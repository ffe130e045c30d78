"""Days and times have one form in each language, and one place that writes it."""

import datetime as dt
import re
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils import translation

from common.formats import dates

ROOT = Path(__file__).parents[2]
INSTANT = dt.datetime(2026, 3, 9, 5, 7, 8, 123_000, tzinfo=dt.UTC)
# What writes one in a form of its own; `date:'c'` and the like are for programs.
IN_TEMPLATES = re.compile(r"""\|(date|time)(?!:['"](c|Ymd|Y-m-d)['"])\b|\{% now """)
IN_CODE = re.compile(r"date_format|time_format|DATE_FORMAT|:%[dHbBY]")
# Names of files, what spreadsheets and operators read, a time without a day, the place itself.
FOR_PROGRAMS = {
    "common/formats/dates.py",
    "common/formats/en/formats.py",
    "common/formats/es/formats.py",
    "common/formats/period_words.py",
    "calls/management/commands/provider_account.py",
    "calls/simulation/zoom.py",
    "calls/views/imports.py",
    "metrics/exports/csv_file.py",
    "metrics/exports/responses.py",
    "notifications/rules/forms.py",
    "reconciliation/demo.py",
    "reconciliation/management/imports.py",
    "upkeep/backups/places.py",
    "upkeep/backups/restoring.py",
}


def sources(*folders: str, ending: str) -> dict[str, str]:
    files = (file for folder in folders for file in (ROOT / folder).rglob(f"*{ending}"))
    return {str(file.relative_to(ROOT)): file.read_text() for file in files}


def test_no_page_has_a_form_of_its_own():
    found = {
        name: line.strip()
        for name, text in sources("templates", ending=".html").items()
        for line in text.splitlines()
        if IN_TEMPLATES.search(line)
    }
    assert not found


def test_no_code_has_a_form_of_its_own():
    apps = (
        "accounts",
        "api",
        "callmanager",
        "calls",
        "common",
        "metrics",
        "notifications",
        "reconciliation",
        "webphone",
        "upkeep",
    )
    found = {
        name: line.strip()
        for name, text in sources(*apps, ending=".py").items()
        for line in text.splitlines()
        if IN_CODE.search(line) and name not in FOR_PROGRAMS
    }
    assert not found


def test_no_script_writes_one_as_the_browser_likes():
    scripts = sources("static/js", ending=".js")
    assert not [name for name, text in scripts.items() if "toLocale" in text or "Intl." in text]


@pytest.mark.parametrize(
    ("name", "spanish", "english"),
    [
        ("short_day", "08/03/2026", "8 Mar 2026"),
        ("long_day", "8 de marzo de 2026", "8 March 2026"),
        ("weekday", "domingo", "Sunday"),
        ("month_day", "8 de marzo", "8 March"),
        ("day_and_month", "8 mar", "8 Mar"),
        ("time_of_day", "23:07", "23:07"),
        ("exact_time", "23:07:08", "23:07:08"),
        ("moment", "08/03/2026 23:07", "8 Mar 2026 23:07"),
        ("exact_moment", "08/03/2026 23:07:08", "8 Mar 2026 23:07:08"),
    ],
)
def test_an_instant_is_written_by_the_organisations_clocks(settings, name, spanish, english):
    settings.TIME_ZONE = "America/Costa_Rica"
    template = Template(f"{{% load dates %}}{{{{ at|{name} }}}} {{{{ never|{name} }}}}")
    for language, written in (("es", spanish), ("en", english)):
        with translation.override(language):
            assert getattr(dates, name)(INSTANT) == written
            assert template.render(Context({"at": INSTANT, "never": None})) == f"{written} —"


def test_the_administration_writes_them_alike(settings):
    settings.TIME_ZONE = "America/Costa_Rica"
    template = Template("{{ at|date:'SHORT_DATETIME_FORMAT' }}, {{ at|date:'DATETIME_FORMAT' }}")
    for language, written in (
        ("es", "08/03/2026 23:07, 08/03/2026 23:07"),
        ("en", "8 Mar 2026 23:07, 8 Mar 2026 23:07"),
    ):
        with translation.override(language):
            assert template.render(Context({"at": INSTANT})) == written
