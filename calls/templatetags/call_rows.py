"""The history's rows and its choices of people: hundreds of cells and of options a page, which a
template takes ten times as long to write."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from html import escape
from typing import Any, Final
from uuid import UUID

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator, capfirst
from django.utils.translation import get_language

from accounts.models import User
from calls.history.columns import SECONDS, Column
from calls.models import CallDispute, CallLog
from calls.models.evidence import BY_LETTER
from calls.templatetags.calls_format import NOTHING, clock
from common.formats.dates import exact_moment, exact_time

register = template.Library()

NOTES_SHOWN: Final = 160  # letters
_ANY_CALL: Final = UUID(int=0)
_DISPUTED: Final = dict(CallDispute.STATES)[CallDispute.OPEN]


@register.simple_tag(takes_context=True)
def call_rows(context: Any, calls: Iterable[CallLog], columns: list[Column]) -> SafeString:
    """A line a call, with the cells of `columns`, as the reader in `context` may see them."""
    table = _Table(columns, context["user"])
    return mark_safe("\n".join(map(table.row, calls)))


@register.simple_tag
def options(choices: Iterable[tuple[str, str]], chosen: str | None) -> SafeString:
    """The options of a select: (value, words) each."""
    return mark_safe(
        "\n".join(
            f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>'
            f"{escape(words)}</option>"
            for value, words in choices
        )
    )


class _Table:
    """What the rows of a table have in common."""

    def __init__(self, columns: list[Column], viewer: User):
        names = {column.name for column in columns}
        self.shows_team, self.shows_phone = "team" in names, "phone" in names
        self.language, self._viewer = get_language(), viewer
        self._url = reverse("call", args=[_ANY_CALL])
        self._columns = [
            (_CELLS.get(column.name, _plain), column, escape(str(column.label)))
            for column in columns
        ]

    def row(self, call: CallLog) -> str:
        cells = [write(self, call, column, label) for write, column, label in self._columns]
        return f"<tr>{''.join(cells)}</tr>"

    def link(self, call: CallLog, words: str) -> str:
        url = self._url.replace(str(_ANY_CALL), str(call.call_id))
        return f'<a href="{escape(url)}">{words}</a>'

    def who(self, call: CallLog) -> str:
        """The other side, with the way to its page where the reader may see that."""
        words = escape(call.who) or NOTHING
        if call.contact is None or not call.contact.is_visible_to(self._viewer):
            return words
        return f'<a href="{reverse("contact", args=[call.contact.pk])}">{words}</a>'

    def badge(self, call: CallLog) -> str:
        return _badge(call.status, self.language)


@lru_cache
def _badge(status: str, language: str | None) -> str:
    return render_to_string("calls/_status.html", {"call": CallLog(status=status)})


def _start(table: _Table, call: CallLog, column: Column, label: str) -> str:
    link = table.link(call, exact_moment(call.start_time))
    return f'<th scope="row" class="calls-start">{link}</th>'


def _agent(table: _Table, call: CallLog, column: Column, label: str) -> str:
    name = escape(call.user.display_name) if call.user else NOTHING
    has_more = call.user and call.user.team and not table.shows_team
    more = _more(call.user.team.name) if has_more else ""  # type: ignore[union-attr]
    return f'<td class="calls-agent">{name}{more}</td>'


def _contact(table: _Table, call: CallLog, column: Column, label: str) -> str:
    has_more = call.contact and call.phone_e164 and not table.shows_phone
    more = _more(call.pretty_phone) if has_more else ""
    return f'<td class="calls-who">{table.who(call)}{more}</td>'


def _more(words: str) -> str:
    return f'<span class="calls-more">{escape(words)}</span>'


def _phone(table: _Table, call: CallLog, column: Column, label: str) -> str:
    words = escape(call.pretty_phone) or NOTHING
    return f'<td class="calls-phone" data-label="{label}">{words}</td>'


def _status(table: _Table, call: CallLog, column: Column, label: str) -> str:
    disputed = _disputed() if getattr(call, "is_disputed", False) else ""
    return f'<td class="calls-status">{table.badge(call)}{disputed}</td>'


def _disputed() -> str:
    return f'<span class="badge badge-warn">{escape(capfirst(str(_DISPUTED)))}</span>'


def _evidence(table: _Table, call: CallLog, column: Column, label: str) -> str:
    return f'<td class="calls-evidence">{_grade(call.evidence, table.language)}</td>'


@lru_cache
def _grade(letter: str, language: str | None) -> str:
    """The badge, and what it means where there is room for that."""
    return render_to_string("calls/_grade.html", {"grade": BY_LETTER[letter], "with_words": True})


def _notes(table: _Table, call: CallLog, column: Column, label: str) -> str:
    words = escape(Truncator(call.notes).chars(NOTES_SHOWN)) or NOTHING
    return f'<td class="calls-notes" data-label="{label}">{words}</td>'


def _call_id(table: _Table, call: CallLog, column: Column, label: str) -> str:
    link = table.link(call, str(call.call_id))
    return f'<td class="calls-id" data-label="{label}">{link}</td>'


def _time(table: _Table, call: CallLog, column: Column, label: str) -> str:
    instant = getattr(call, column.fields[0])
    words = NOTHING if instant is None else exact_time(instant)
    return f'<td class="number" data-label="{label}">{words}</td>'


def _team(table: _Table, call: CallLog, column: Column, label: str) -> str:
    team = call.user.team if call.user else None
    return f'<td data-label="{label}">{escape(team.name) if team else NOTHING}</td>'


def _direction(table: _Table, call: CallLog, column: Column, label: str) -> str:
    words = escape(capfirst(column.in_words(call.direction)))
    return f'<td data-label="{label}">{words}</td>'


def _plain(table: _Table, call: CallLog, column: Column, label: str) -> str:
    value = getattr(call, column.fields[0])
    if column.kind == SECONDS:
        return f'<td class="number" data-label="{label}">{clock(value)}</td>'
    return f'<td data-label="{label}">{escape(column.in_words(value)) or NOTHING}</td>'


_CELLS: Final[Mapping[str, Callable[[_Table, CallLog, Column, str], str]]] = {
    "start": _start,
    "agent": _agent,
    "team": _team,
    "contact": _contact,
    "phone": _phone,
    "direction": _direction,
    "status": _status,
    "answered": _time,
    "end": _time,
    "evidence": _evidence,
    "notes": _notes,
    "call_id": _call_id,
}
