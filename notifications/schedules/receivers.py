"""To whom a schedule's reports go: people and roles, as its owner may send to them today."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import SCHEDULE_REPORTS, VIEW_ALL_CALLS, VIEW_TEAM_CALLS
from common.text import name_key
from notifications.models.schedules import ReportSchedule


def may_choose_people(sender: User) -> bool:
    """Whether `sender` may have reports sent to others at all."""
    return sender.has_perm(VIEW_TEAM_CALLS) or sender.has_perm(VIEW_ALL_CALLS)


def may_choose_roles(sender: User) -> bool:
    return sender.has_perm(VIEW_ALL_CALLS)


def people_for(sender: User) -> list[User]:
    """Whom `sender` may name as receivers, by name."""
    people = User.objects.filter(pk=sender.pk)
    if may_choose_people(sender):
        people = User.objects.visible_to(sender).filter(is_active=True)
    return sorted(people, key=lambda person: (name_key(person.display_name), person.pk))


def receivers_of(schedule: ReportSchedule) -> list[User]:
    """Who is sent the report that is due now: nobody who has unsubscribed, and nobody whom its
    owner may not send to any more. None of an owner who has lost the right."""
    owner = schedule.owner
    if not (owner.is_active and owner.has_perm(SCHEDULE_REPORTS)):
        return []
    rows = list(schedule.receivers.all())
    gone = {row.person_id for row in rows if row.unsubscribed_at is not None}
    named = {row.person_id for row in rows if row.by_name} - gone
    found = {person.pk: person for person in people_for(owner) if person.pk in named}
    if schedule.roles and may_choose_roles(owner):
        found |= {
            person.pk: person for person in _of_roles(schedule.roles) if person.pk not in gone
        }
    return sorted(found.values(), key=lambda person: person.pk)


def _of_roles(roles: Iterable[str]) -> Iterable[User]:
    return User.objects.filter(is_active=True, groups__name__in=list(roles)).distinct()


def why_no_mail(person: User) -> str:
    """Why nothing can be mailed to `person`, in a sentence; "" where it can."""
    if not person.email:
        return _("%(name)s has no e-mail address. An administrator can enter it.") % {
            "name": person.display_name
        }
    if len(person.email.splitlines()) > 1 or person.email != person.email.strip():
        return _("The e-mail address of %(name)s has a line break or a space at its end.") % {
            "name": person.display_name
        }
    return ""
