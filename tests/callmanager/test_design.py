"""The design system: what pages may use, and the page that shows it."""

import re

import pytest
from django.test import RequestFactory

from callmanager.styleguide import styleguide
from tests.support.server import ROOT

pytestmark = pytest.mark.once

CSS = ROOT / "static" / "css"
# Not the scales themselves, nor the sheets that dress what others have made.
OTHERS = {"variables.css", "admin.css", "api_docs.css", "document_pdf.css", "statement_pdf.css"}
SHEETS = sorted(path for path in CSS.glob("*.css") if path.name not in OTHERS)
# Distances, sizes of type, shapes and colours come from the scales.
OF_A_SCALE = re.compile(
    r"(?<=[{;\s])(padding|margin|gap|row-gap|column-gap|font-size|border-radius|box-shadow|color|"
    r"background|background-color|fill|stroke)(-[a-z]+)*:([^;{}]+);"
)
STRAY = re.compile(r"#[0-9a-f]{3,8}\b|\brgb|(?<![\w-])(?!1px\b|-1px\b)[\d.]+(rem|em|px)\b")


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_what_has_a_scale_is_taken_from_it(sheet):
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.S)
    # Stripes of a drawing, and what grows with the screen, have no scale.
    said = [
        m for m in OF_A_SCALE.finditer(text) if "gradient(" not in m[3] and "clamp(" not in m[3]
    ]
    stray = [match[0] for match in said if STRAY.search(match[3])]
    assert stray == []


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_every_variable_that_is_used_exists(sheet):
    known = set(re.findall(r"(--[a-z0-9-]+):", (CSS / "variables.css").read_text()))
    own = set(re.findall(r"(--[a-z0-9-]+):", sheet.read_text()))
    assert set(re.findall(r"var\((--[a-z0-9-]+)", sheet.read_text())) <= known | own


def test_the_style_guide_shows_every_colour_and_is_for_builders_only(
    client, db, rf: RequestFactory
):
    assert client.get("/styleguide/").status_code == 404
    request = rf.get("/styleguide/")
    request.user = None
    page = styleguide(request).content.decode()
    colours = re.findall(r"--([a-z-]+): light-dark\(#", (CSS / "variables.css").read_text())
    shown = set(re.findall(r"swatch-([a-z-]+)", page))
    assert shown == set(colours) - {"on-accent"}
