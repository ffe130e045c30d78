"""How pages write what the phone systems' records say."""

import datetime as dt
from typing import Final

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from calls.templatetags.calls_format import decimal, percent, whole
from common.formats.dates import short_day
from reconciliation.dashboard.confirmed import Share
from reconciliation.models import RecordImport

register = template.Library()

_BADGES: Final = {
    RecordImport.DONE: "badge-good",
    RecordImport.FAILED: "badge-bad",
    RecordImport.WAITING: "badge-live",
    RecordImport.RUNNING: "badge-live",
    RecordImport.UNDOING: "badge-live",
}


@register.filter
def state_badge(what: RecordImport) -> str:
    """The look of the import's state."""
    return _BADGES.get(what.state, "")


@register.filter
def clock_sentence(what: RecordImport) -> str:
    """How the phone system's clock goes, as the records of an import show it."""
    assert what.skew_ms is not None
    seconds = decimal(abs(what.skew_ms) / 1000)
    values = {
        "seconds": seconds,
        "spread": decimal((what.skew_spread_ms or 0) / 1000),
        "count": whole(what.records),
        "file": what.file_name,
    }
    if abs(what.skew_ms) < 50:
        sentence = _(
            "The phone system’s clock agrees with ours (± %(spread)s s), "
            "estimated over %(count)s records of %(file)s."
        )
    elif what.skew_ms < 0:
        sentence = _(
            "The phone system’s clock is %(seconds)s s behind ours (± %(spread)s s), "
            "estimated over %(count)s records of %(file)s."
        )
    else:
        sentence = _(
            "The phone system’s clock is %(seconds)s s ahead of ours (± %(spread)s s), "
            "estimated over %(count)s records of %(file)s."
        )
    return sentence % values


@register.simple_tag
def share_meter(share: Share) -> SafeString:
    """The share as a line; the number stands beside it."""
    filled = 0 if share.percent is None else round(share.percent * 10)
    return format_html(
        '<svg class="record-meter" viewBox="0 0 1000 10" preserveAspectRatio="none" '
        'aria-hidden="true" focusable="false"><rect class="bar-open" width="1000" height="10" />'
        '<rect class="bar-good" width="{}" height="10" /></svg>',
        str(filled),
    )


@register.simple_tag
def day_strip(days: list[tuple[dt.date, Share]]) -> SafeString:
    """The share of each day as a cell: the darker, the more of it is confirmed."""
    cells = format_html_join(
        "",
        '<rect class="share-{}" x="{}" width="9" height="10"><title>{}: {}</title></rect>',
        (
            (share.level, str(place * 10), short_day(day), percent(share.percent))
            for place, (day, share) in enumerate(days)
        ),
    )
    return format_html(
        '<svg viewBox="0 0 {} 10" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        str(len(days) * 10 - 1),
        ", ".join(f"{short_day(day)}: {percent(share.percent)}" for day, share in days),
        cells,
    )
