"""The columns of a list of calls: on the page and in every file, chosen and ordered by the URL."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import User
from calls.models import CallLog, Disposition
from calls.models.evidence import IN_WORDS
from calls.models.rows import Cells, Rows

TEXT, INSTANT, SECONDS = "text", "instant", "seconds"


class People:
    """Names and teams of those in a list, each asked for once; nobody has neither."""

    def __init__(self) -> None:
        self.names: dict[int | None, str] = {None: ""}
        self.teams: dict[int | None, str] = {None: ""}

    def learn(self, user_ids: Iterable[int | None]) -> None:
        """Looks up those of `user_ids` that are new."""
        new = {pk for pk in user_ids if pk is not None and pk not in self.names}
        for user in User.objects.filter(pk__in=new).select_related("team") if new else ():
            self.names[user.pk] = user.display_name
            self.teams[user.pk] = user.team.name if user.team else ""


@dataclass(frozen=True)
class Column:
    """`fields` are read from the database; `read` makes the cells of such rows: text ("" for none),
    instants as the API writes them, whole seconds, or None.
    `words` are what people read instead of a code."""

    name: str
    label: str | Promise
    kind: str
    fields: tuple[str, ...]
    read: Callable[[Rows, People], Cells]
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
    return Column(name, label, kind, (field,), lambda rows, people: rows[field], words)


def _first_of(name: str, label: str | Promise, *fields: str) -> Column:
    """Of each call the first of two fields, where it says anything, else the other."""
    first, other = fields
    return Column(
        name,
        label,
        TEXT,
        fields,
        lambda rows, people: [a or b for a, b in zip(rows[first], rows[other], strict=True)],
    )


_ALL: Final = (
    _plain("start", gettext_lazy("Start"), INSTANT, "start_time"),
    Column(
        "agent",
        gettext_lazy("Agent"),
        TEXT,
        ("user_id",),
        lambda rows, people: list(map(people.names.__getitem__, rows["user_id"])),
    ),
    Column(
        "team",
        gettext_lazy("Team"),
        TEXT,
        ("user_id",),
        lambda rows, people: list(map(people.teams.__getitem__, rows["user_id"])),
    ),
    _first_of("contact", gettext_lazy("Contact"), "contact__name", "contact_ref"),
    _first_of("phone", gettext_lazy("Phone"), "phone_e164", "contact_phone"),
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
    _plain("evidence", gettext_lazy("Evidence"), words=IN_WORDS),
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
