"""The columns of a list of calls: on the page and in every file, chosen and ordered by the URL."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import User
from calls.models import CallLog, Disposition

TEXT, INSTANT, SECONDS = "text", "instant", "seconds"


class People:
    """Names and teams of those in a list, each asked for once; nobody has neither."""

    def __init__(self) -> None:
        self._known: dict[int | None, tuple[str, str]] = {None: ("", "")}

    def learn(self, user_ids: Iterable[int | None]) -> None:
        """Looks up those of `user_ids` that are new."""
        new = {pk for pk in user_ids if pk is not None and pk not in self._known}
        for user in User.objects.filter(pk__in=new).select_related("team") if new else ():
            self._known[user.pk] = (user.display_name, user.team.name if user.team else "")

    def __getitem__(self, user_id: int | None) -> tuple[str, str]:
        return self._known[user_id]


@dataclass(frozen=True)
class Column:
    """`fields` are read from the database, as a row with these attributes; `read` makes the value
    of that row: text ("" for none), an aware instant, whole seconds, or None.
    `words` are what people read instead of a code."""

    name: str
    label: str | Promise
    kind: str
    fields: tuple[str, ...]
    read: Callable[[Any, People], Any]
    words: Mapping[str, str | Promise] | None = None

    def in_words(self, code: str) -> str:
        """What people read in place of `code`."""
        return str((self.words or {}).get(code, code))


def _plain(
    name: str,
    label: str | Promise,
    kind: str = TEXT,
    field: str = "",
    words: Mapping[str, str | Promise] | None = None,
) -> Column:
    field = field or name
    return Column(name, label, kind, (field,), lambda row, people: getattr(row, field), words)


_ALL: Final = (
    _plain("start", gettext_lazy("Start"), INSTANT, "start_time"),
    Column("agent", gettext_lazy("Agent"), TEXT, ("user_id",), lambda r, p: p[r.user_id][0]),
    Column("team", gettext_lazy("Team"), TEXT, ("user_id",), lambda r, p: p[r.user_id][1]),
    Column(
        "contact",
        gettext_lazy("Contact"),
        TEXT,
        ("contact__name", "contact_ref"),
        lambda r, p: r.contact__name or r.contact_ref,
    ),
    Column(
        "phone",
        gettext_lazy("Phone"),
        TEXT,
        ("phone_e164", "contact_phone"),
        lambda r, p: r.phone_e164 or r.contact_phone,
    ),
    _plain("direction", gettext_lazy("Direction"), words=dict(CallLog.DIRECTIONS)),
    _plain("status", gettext_lazy("Status"), words=dict(CallLog.STATUSES)),
    _plain("answered", gettext_lazy("Answered"), INSTANT, "answered_time"),
    _plain("end", gettext_lazy("End"), INSTANT, "end_time"),
    _plain("duration_seconds", gettext_lazy("Duration"), SECONDS),
    _plain("talk_seconds", gettext_lazy("Talk"), SECONDS),
    _plain("ring_seconds", gettext_lazy("Ring"), SECONDS),
    _plain("hold_seconds", gettext_lazy("On hold"), SECONDS),
    _plain("paused_seconds", gettext_lazy("Paused"), SECONDS),
    _plain("wrap_up_seconds", gettext_lazy("Wrap-up"), SECONDS),
    _plain("disposition", pgettext_lazy("of a call", "Outcome")),
    _plain("provider", gettext_lazy("Provider")),
    _plain("evidence", gettext_lazy("Evidence"), words=dict(CallLog.EVIDENCE)),
    _plain("end_reason", gettext_lazy("Reason of the end")),
    _plain("notes", gettext_lazy("Notes")),
    _plain("call_id", gettext_lazy("Call")),
)
COLUMNS: Final[Mapping[str, Column]] = {column.name: column for column in _ALL}
# What a page shows where the URL does not say; an agent alone needs no name of an agent.
ON_PAGES: Final = (
    *("start", "agent", "contact", "status", "duration_seconds", "talk_seconds", "evidence"),
)
# What a file has where the URL does not say: programs depend on these names and their order.
IN_FILES: Final = (
    *("call_id", "agent", "team", "contact", "phone", "direction", "status", "start", "answered"),
    *("end", "duration_seconds", "talk_seconds", "ring_seconds", "hold_seconds"),
    *("paused_seconds", "evidence", "notes"),
)


def columns_of(names: Iterable[str], default: Iterable[str]) -> list[Column]:
    """The columns that the values of `columns=` name, each once and in that order.

    A value may be one name or several with commas. ValidationError for a name that is none.
    """
    wanted = [name for value in names for name in value.split(",") if name] or list(default)
    unknown = [name for name in wanted if name not in COLUMNS]
    if unknown:
        raise ValidationError(
            _("There is no such column. Choose from: %(names)s.") % {"names": ", ".join(COLUMNS)}
        )
    return [_worded(COLUMNS[name]) for name in dict.fromkeys(wanted)]


def _worded(column: Column) -> Column:
    """With the organisation's own words, which no module can know beforehand."""
    return replace(column, words=outcome_labels()) if column.name == "disposition" else column


def outcome_labels() -> dict[str, str]:
    """The outcomes by their codes, in the reader's language."""
    return {outcome.code: outcome.label for outcome in Disposition.objects.all()}


def default_on_pages(alone: bool) -> tuple[str, ...]:
    """`alone`: whoever sees only own calls."""
    return tuple(name for name in ON_PAGES if not (alone and name == "agent"))
