"""What periodic jobs and ticks are called, and what they do, for people.

Rooms below know nothing of upkeep, so theirs stand here. Those above, and upkeep itself, say it
where the job is: `@titled(...)` over the decorator that makes it one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.utils.translation import gettext_lazy as _

from upkeep.jobs.runs import name_of

_Job = TypeVar("_Job")


@dataclass(frozen=True)
class Title:
    """Both are translated when they are shown."""

    title: Any
    what: Any  # a sentence


TITLES: Final[dict[str, Title]] = {
    "calls.tasks.close_stale_calls": Title(
        _("Stale calls"),
        _("Closes calls that have shown no sign of life for too long; people confirm them."),
    ),
    "calls.tasks.look_after_phone_systems": Title(
        _("Phone systems"),
        _("Reads again what could not be recorded, and notices when a phone system falls silent."),
    ),
    "calls.tasks.close_wrap_ups": Title(
        _("Wrap-up"), _("Ends the work after a call once its time is over.")
    ),
    "metrics.tasks.check_sums": Title(
        _("Sums"), _("Compares every stored sum with the calls that it is made of.")
    ),
    "metrics.tasks.tidy_exports": Title(_("Old files"), _("Removes exports that have expired.")),
    "reconciliation.tasks.take_up_imports": Title(
        _("Records of phone systems"),
        _("Takes up imports of records that wait, or that the end of a worker cut off."),
    ),
    "reconciliation.tasks.tidy_imports": Title(
        _("Old drafts of imports"),
        _("Removes files of records that nobody has taken in for a week."),
    ),
}


def titled(title: Any, what: Any) -> Callable[[_Job], _Job]:
    """Names a periodic job or a tick, and says in a sentence what it does."""

    def add(job: _Job) -> _Job:
        task_class = getattr(job, "task_class", None)
        name = f"{job.__module__}.{job.__qualname__}" if task_class is None else name_of(task_class)  # type: ignore[attr-defined]
        TITLES[name] = Title(title, what)
        return job

    return add


def title_of(name: str) -> Title:
    return TITLES.get(name) or Title(name, "")
