"""Plots as PNG pictures, since mail programs show no SVG: the geometry is that of the pages.

The letters are those of the site's own font, so a server needs no fonts. What may be written in
any alphabet, such as names, stands in the mail's text and never in a picture.
"""

import os
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Final

import resvg_py
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from fontTools.ttLib import TTFont

from calls.templatetags.calls_format import whole
from common.formats.dates import day_and_month
from metrics.charts.trend import HEIGHT, STEP, Plot, Trend

_FONT: Final = settings.BASE_DIR / "static/vendor/inter/inter-latin-wght-normal.woff2"
_WIDTH: Final = 544  # of the place in the mail, in its pixels; drawn twice as fine
_LEFT, _TOP, _BOTTOM, _PLOT = 16, 58, 30, 150
_MOST_NAMED: Final = 8  # bars that there is room to write a day below
_TEXT, _MUTED, _LINE = "#16202a", "#566272", "#e1e5ea"
_GOOD, _FAILED = "#0b6472", "#e0a33e"


def calls_picture(trend: Trend) -> bytes:
    """Calls over time, successful below and failed above."""
    bars = []
    for bar in trend.bars:
        seen = 1 if bar.stretch.inside else 0.4
        bars.append(_bar(trend, bar.x, bar.good_y, bar.good_height, _GOOD, seen))
        bars.append(_bar(trend, bar.x, bar.all_y, bar.failed_height, _FAILED, seen))
    key = [(_GOOD, _("Successful")), (_FAILED, pgettext("calls", "Failed"))]
    return _png(trend, _("Calls"), whole(trend.most_calls), bars, key)


def plot_picture(trend: Trend, plot: Plot) -> bytes:
    """One figure over the same time."""
    bars = [
        _bar(trend, mark.x, mark.y, mark.height, _GOOD, 1 if mark.stretch.inside else 0.4)
        for mark in plot.marks
    ]
    return _png(trend, str(plot.figure.label), plot.most, bars)


def _bar(trend: Trend, x: int, y: int, height: int, ink: str, seen: float) -> str:
    scale = (_WIDTH - 2 * _LEFT) / trend.width
    return (
        f'<rect x="{_LEFT + x * scale:.2f}" y="{_TOP + y * _PLOT / HEIGHT:.2f}" '
        f'width="{0.8 * STEP * scale:.2f}" height="{height * _PLOT / HEIGHT:.2f}" '
        f'fill="{ink}" opacity="{seen}" />'
    )


def _png(
    trend: Trend, title: str, most: str, bars: Iterable[str], key: Iterable[tuple[str, str]] = ()
) -> bytes:
    height = _TOP + _PLOT + _BOTTOM
    base = _TOP + _PLOT
    parts = [
        f'<rect width="{_WIDTH}" height="{height}" rx="8" fill="#f9fafb" />',
        _words(_LEFT, 26, title, weight=650, size=15),
        _words(_LEFT, 46, _("highest: %(n)s") % {"n": most}, ink=_MUTED),
        *_key(key),
        f'<line x1="{_LEFT}" x2="{_WIDTH - _LEFT}" y1="{base}" y2="{base}" stroke="{_LINE}" />',
        *bars,
        *_days(trend, base + 19),
    ]
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}">'
        f"{''.join(parts)}</svg>"
    )
    return resvg_py.svg_to_bytes(
        svg_string=svg, width=2 * _WIDTH, font_files=[str(_font())], skip_system_fonts=True
    )


def _key(key: Iterable[tuple[str, str]]) -> Iterable[str]:
    """From the right: the widths of words are guessed generously."""
    x = _WIDTH - _LEFT
    for ink, words in reversed(list(key)):
        x -= round(6.4 * len(words))
        yield _words(x, 26, words, ink=_MUTED)
        x -= 15
        yield f'<rect x="{x}" y="16" width="10" height="10" rx="2" fill="{ink}" />'
        x -= 14


def _days(trend: Trend, y: int) -> Iterable[str]:
    scale = (_WIDTH - 2 * _LEFT) / trend.width
    named = trend.bars if len(trend.bars) <= _MOST_NAMED else trend.signposts
    for bar in named:
        yield _words(round(_LEFT + bar.x * scale), y, day_and_month(bar.stretch.first), ink=_MUTED)


def _words(
    x: int,
    y: int,
    words: str,
    *,
    ink: str = _TEXT,
    size: int = 12,
    weight: int = 400,
) -> str:
    return (
        f'<text x="{x}" y="{y}" font-family="Inter" font-size="{size}" font-weight="{weight}" '
        f'fill="{ink}">{escape(words)}</text>'
    )


def _font() -> Path:
    """The site's font in the form that the drawer reads, made once an installation."""
    made = Path(settings.DATA_DIR) / "fonts" / "inter.ttf"
    if not made.exists():
        made.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = made.with_suffix(f".{os.getpid()}.part")
        font = TTFont(_FONT)
        font.flavor = None
        font.save(part)
        part.replace(made)  # whoever makes it at the same time makes the same
    return made
