"""How pages write what the phone systems' records say."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts import roles
from calls.models import CallLog
from calls.templatetags.calls_format import NOTHING, clock, decimal, percent, whole
from common.formats.dates import exact_time, short_day
from common.instants import from_ms
from reconciliation.dashboard.confirmed import Share
from reconciliation.matching import reasons
from reconciliation.models import ProviderRecord, RecordImport

register = template.Library()

_BADGES: Final = {
    RecordImport.DONE: "badge-good",
    RecordImport.FAILED: "badge-bad",
    RecordImport.WAITING: "badge-live",
    RecordImport.RUNNING: "badge-live",
    RecordImport.UNDOING: "badge-live",
}
_GOING_ON: Final = (RecordImport.WAITING, RecordImport.RUNNING, RecordImport.UNDOING)
# What came of records, in the order in which pages count it.
_COUNTS: Final[Mapping[str, Any]] = {
    "records": gettext_lazy("records"),
    "confirmed": pgettext_lazy("records", "confirmed"),
    "completed": pgettext_lazy("records", "completed"),
    "different": pgettext_lazy("records", "different"),
    "created": gettext_lazy("new calls"),
    "repeated": pgettext_lazy("records", "known already"),
    "left_out": pgettext_lazy("records", "left out"),
    "unreadable": pgettext_lazy("records", "not readable"),
}
_AGREE_MS: Final = 50  # clocks that are no further apart show the same tenth of a second
_FARTHEST_ZONES: Final = 26  # hours between any two clocks of the world
_STATUSES: Final = dict(CallLog.STATUSES)
_OUTCOMES: Final = dict(ProviderRecord.OUTCOMES)
_EXAMPLES: Final = (
    *(ProviderRecord.DIFFERENT, ProviderRecord.LEFT_OUT, ProviderRecord.CREATED),
    *(ProviderRecord.COMPLETED, ProviderRecord.CONFIRMED),
)
_FIELDS: Final[Mapping[str, Any]] = {
    "start": gettext_lazy("Start"),
    "answered": gettext_lazy("Answered"),
    "end": gettext_lazy("End"),
    "status": gettext_lazy("Status"),
    "duration": gettext_lazy("Duration"),
    "talk": gettext_lazy("Talk"),
}


# --- Imports --------------------------------------------------------------------------------------
@register.filter
def state_badge(what: RecordImport) -> str:
    """The look of the import's state."""
    return _BADGES.get(what.state, "")


@register.filter
def is_going_on(what: RecordImport) -> bool:
    """Whether the worker has something to do with the import."""
    return what.state in _GOING_ON


@register.filter
def is_looked_at(what: RecordImport) -> bool:
    """Whether the worker is still looking at the draft."""
    return what.state == RecordImport.DRAFT and what.plan.get("state") == "running"


@register.filter
def percent_done(what: RecordImport) -> int:
    """How much of the file is dealt with; 0 while nobody knows how much there is."""
    known = what.rows or what.records
    return min(100, what.done * 100 // known) if known else 0


@register.filter
def came_of(what: RecordImport, name: str) -> int | None:
    """How many of its records came to `name`; None where nothing was taken in."""
    count: int = getattr(what, name)
    return None if what.state in (RecordImport.DRAFT, RecordImport.WAITING) else count


@register.filter
def run_counts(what: RecordImport) -> list[tuple[Any, int]]:
    """What came of the records, (what, how many)."""
    return [(label, getattr(what, name)) for name, label in _COUNTS.items()]


@register.filter
def plan_counts(what: RecordImport) -> list[tuple[Any, int]]:
    """What would come of them."""
    return [(label, what.plan.get(name) or 0) for name, label in _COUNTS.items()]


@register.filter
def plan_examples(what: RecordImport) -> list[dict[str, Any]]:
    """Some of the records by what would come of them, the first kinds those to look at."""
    examples = what.plan.get("examples") or {}
    return [
        {"name": _OUTCOMES[outcome], "rows": [_example(one) for one in examples[outcome]]}
        for outcome in _EXAMPLES
        if examples.get(outcome)
    ]


def _example(one: Mapping[str, Any]) -> dict[str, Any]:
    why = (
        [one["note"]] if one["note"] else [str(reasons.SENTENCES[code]) for code in one["reasons"]]
    )
    instants = {name: from_ms(one[name]) if one[name] else None for name in ("start", "end")}
    return {**one, **instants, "why": " ".join(why)}


@register.filter
def clock_sentence(what: RecordImport) -> str:
    """How the phone system's clock goes, as the records of an import show it."""
    return _of_clock(what.skew_ms, what.skew_spread_ms, what.records, what.file_name)


@register.filter
def plan_clock(what: RecordImport) -> str:
    """The same, as the last look at a draft shows it."""
    plan = what.plan
    return _of_clock(
        plan.get("skew_ms"), plan.get("skew_spread_ms"), plan.get("records", 0), what.file_name
    )


@register.filter
def plan_zone(what: RecordImport) -> str:
    """A question, where the times lie so far off that they seem to be of another time zone."""
    hours = what.plan.get("zone_hours") or 0
    if not 0 < abs(hours) <= _FARTHEST_ZONES:
        return ""
    question = _("Is the time zone of the file right?")
    later = _("The records lie %(hours)s h after the calls they seem to be of.")
    earlier = _("The records lie %(hours)s h before the calls they seem to be of.")
    said = (later if hours > 0 else earlier) % {"hours": f"{abs(hours):g}"}
    return f"{said} {question}"


def _of_clock(skew_ms: int | None, spread_ms: int | None, count: int, file_name: str) -> str:
    if skew_ms is None:
        return ""
    if abs(skew_ms) < _AGREE_MS:
        sentence = _(
            "The phone system’s clock agrees with ours (± %(spread)s s), "
            "estimated over %(count)s records of %(file)s."
        )
    elif skew_ms < 0:
        sentence = _(
            "The phone system’s clock is %(seconds)s s behind ours (± %(spread)s s), "
            "estimated over %(count)s records of %(file)s."
        )
    else:
        sentence = _(
            "The phone system’s clock is %(seconds)s s ahead of ours (± %(spread)s s), "
            "estimated over %(count)s records of %(file)s."
        )
    return sentence % {
        "seconds": decimal(abs(skew_ms) / 1000),
        "spread": decimal((spread_ms or 0) / 1000),
        "count": whole(count),
        "file": file_name,
    }


# --- Records --------------------------------------------------------------------------------------
@register.inclusion_tag("reconciliation/_call_records.html", takes_context=True)
def records_of_call(context: dict[str, Any], call: CallLog) -> dict[str, Any]:
    """What the records say of a call that the reader may see. A call that has one is of its
    account, so that nothing is asked about the others."""
    viewer = context["request"].user
    records = call.records.filter(is_withdrawn=False).select_related("brought_by")
    return {
        "records": list(records.order_by("start_time", "pk")) if call.account_id else [],
        "may_see": viewer.has_perm(roles.VIEW_TEAM_CALLS),
        "may_reconcile": viewer.has_perm(roles.RECONCILE),
    }


@register.filter
def status_words(record: ProviderRecord) -> Any:
    return _STATUSES.get(record.status, record.status)


@register.filter
def length_of_ms(milliseconds: int | None) -> str:
    """A length as a clock shows it."""
    return NOTHING if milliseconds is None else clock(milliseconds // 1000)


@register.filter
def field_name(field: str) -> Any:
    """What a field of a call that two sides may tell differently is called."""
    return _FIELDS[field]


@register.filter
def side_value(value: Any) -> str:
    """What one side says of such a field: an instant, a length in ms, a status, or nothing."""
    if isinstance(value, dt.datetime):
        return exact_time(value)
    if isinstance(value, int):
        return _("%(seconds)s s") % {"seconds": decimal(value / 1000)}
    return str(_STATUSES.get(value, value)) if value else NOTHING


@register.filter
def apart(one: reasons.Difference) -> str:
    """By how much the phone system's instant or length is off ours: `+65.0 s`."""
    ours, theirs = one.ours, one.theirs
    if isinstance(ours, dt.datetime) and isinstance(theirs, dt.datetime):
        seconds = (theirs - ours).total_seconds()
    elif isinstance(ours, int) and isinstance(theirs, int):
        seconds = (theirs - ours) / 1000
    else:
        return ""
    sign = "+" if seconds > 0 else "\N{MINUS SIGN}"
    return _("%(sign)s%(seconds)s s") % {"sign": sign, "seconds": decimal(abs(seconds))}


@register.filter
def why_words(codes: Iterable[str]) -> str:
    """Why the two sides may differ, as sentences."""
    return " ".join(str(reasons.SENTENCES[code]) for code in codes)


# --- Shares ---------------------------------------------------------------------------------------
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
def day_strip(days: Sequence[tuple[dt.date, Share]]) -> SafeString:
    """The share of each day as a cell: the darker, the more of it is confirmed."""
    cells = format_html_join(
        "",
        '<rect class="share-{}" x="{}" width="9" height="10"><title>{}: {}</title></rect>',
        (
            (str(share.level), str(place * 10), short_day(day), percent(share.percent))
            for place, (day, share) in enumerate(days)
        ),
    )
    return format_html(
        '<svg viewBox="0 0 {} 10" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        str(len(days) * 10 - 1),
        ", ".join(f"{short_day(day)}: {percent(share.percent)}" for day, share in days),
        cells,
    )
