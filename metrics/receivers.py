"""Receivers of the metrics app; listed in docs/architecture.md.

Sums follow the data: any saved or deleted ended call. What people see follows the event.
"""

import datetime as dt
from typing import Any, Final

from django.apps import AppConfig
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.models import Session
from django.db.models.signals import m2m_changed, post_delete, post_migrate, post_save, pre_delete

from accounts.models import ApiKey, Team, User
from accounts.sockets import opener_of_session
from calls.models import CallLog
from calls.signals import call_changed, call_ended, call_moved, call_started, calls_rewritten
from common.instants import local_day, now
from metrics.live import publisher
from metrics.models import UserMetrics
from metrics.rollups.daily import recompute
from metrics.rollups.stored_rows import columns_of


def connect() -> None:
    """Connects every receiver, once."""
    post_save.connect(sum_saved_call, sender=CallLog, dispatch_uid="metrics.sum_saved_call")
    post_delete.connect(sum_deleted_call, sender=CallLog, dispatch_uid="metrics.sum_deleted_call")
    call_moved.connect(sum_moved_call, dispatch_uid="metrics.sum_moved_call")
    calls_rewritten.connect(
        sum_rewritten_calls, sender=CallLog, dispatch_uid="metrics.sum_rewritten_calls"
    )
    call_started.connect(announce_start, dispatch_uid="metrics.announce_start")
    call_changed.connect(announce_change, dispatch_uid="metrics.announce_change")
    call_ended.connect(announce_end, dispatch_uid="metrics.announce_end")
    post_save.connect(rights_saved, sender=User, dispatch_uid="metrics.rights_saved")
    post_save.connect(key_changed, sender=ApiKey, dispatch_uid="metrics.key_saved")
    post_delete.connect(key_changed, sender=ApiKey, dispatch_uid="metrics.key_deleted")
    post_delete.connect(person_deleted, sender=User, dispatch_uid="metrics.person_deleted")
    post_delete.connect(session_ended, sender=Session, dispatch_uid="metrics.session_ended")
    pre_delete.connect(group_leaves, sender=Group, dispatch_uid="metrics.group_leaves")
    post_migrate.connect(emptied, dispatch_uid="metrics.emptied")
    user_logged_out.connect(signed_out, dispatch_uid="metrics.signed_out")
    for through in (User.groups.through, User.user_permissions.through, Group.permissions.through):
        m2m_changed.connect(
            rights_changed, sender=through, dispatch_uid=f"metrics.rights.{through.__name__}"
        )
    m2m_changed.connect(
        supervisors_changed,
        sender=Team.supervisors.through,
        dispatch_uid="metrics.supervisors_changed",
    )


def sum_saved_call(instance: CallLog, **kwargs: Any) -> None:
    if instance.end_time is not None and instance.user_id is not None:
        _sum(instance, instance.user_id, instance.start_time)


def sum_deleted_call(instance: CallLog, **kwargs: Any) -> None:
    if instance.user_id is not None:
        _sum(instance, instance.user_id, instance.start_time)


def sum_moved_call(call: CallLog, user_id: int | None, start_time: dt.datetime, **_: Any) -> None:
    if user_id is not None:
        _sum(call, user_id, start_time)


def sum_rewritten_calls(lain: set[tuple[int, dt.datetime]], **kwargs: Any) -> None:
    days: dict[int, set[dt.date]] = {}
    for user_id, start_time in lain:
        days.setdefault(user_id, set()).add(local_day(start_time))
    for user_id in sorted(days):  # each locks its person's total
        recompute(user_id, days[user_id])


def _sum(call: CallLog, user_id: int, start_time: dt.datetime) -> None:
    totals = recompute(user_id, {local_day(start_time)})
    if call.user is not None and call.user.pk == user_id:
        call.user.metrics = UserMetrics(**columns_of(totals))  # spares totals_after a query


def announce_start(call: CallLog, **kwargs: Any) -> None:
    publisher.announce("call_started", call)


def announce_change(call: CallLog, **kwargs: Any) -> None:
    publisher.announce("call_changed", call)


def announce_end(call: CallLog, **kwargs: Any) -> None:
    publisher.announce("call_ended", call)


# A session is good for as long as the password is the same.
_OPENING: Final = frozenset({"team", "is_active", "password"})


def rights_saved(instance: User, created: bool, update_fields: Any, **kwargs: Any) -> None:
    touched = _OPENING if update_fields is None else _OPENING & set(update_fields)
    if touched and not created:
        publisher.close_sockets_of(instance.pk)


def rights_changed(instance: Any, action: str, model: type, pk_set: Any, **kwargs: Any) -> None:
    """A person's groups or permissions, or a group's permissions, were changed: from any side."""
    if action not in _CHANGES:
        return
    touched = _people_of(instance, model, pk_set)
    if touched is None:
        publisher.everything_changed()
    for user_id in touched or ():
        publisher.close_sockets_of(user_id)


# All are gone after a clearing, so it is heard of before; what is told is told after the commit.
_CHANGES: Final = frozenset({"post_add", "post_remove", "pre_clear"})


def _people_of(instance: Any, model: type, pk_set: set[int] | None) -> set[int] | None:
    """Whom a change concerns; None where a permission is taken from all groups or people."""
    if isinstance(instance, User):
        return {instance.pk}
    if model is User and pk_set is not None:
        return pk_set
    if isinstance(instance, Group):
        return set(instance.user_set.values_list("pk", flat=True))
    return None


def supervisors_changed(instance: Any, action: str, pk_set: set[int] | None, **kwargs: Any) -> None:
    if action not in _CHANGES:
        return
    if isinstance(instance, User):
        touched = {instance.pk}
    elif pk_set is None:
        touched = set(instance.supervisors.values_list("pk", flat=True))
    else:
        touched = pk_set
    for user_id in touched:
        publisher.close_sockets_of(user_id)


def key_changed(instance: ApiKey, created: bool = False, **kwargs: Any) -> None:
    """A key was revoked or deleted (last use is noted without a signal): its program must go."""
    if not created:
        publisher.close_sockets_of(instance.owner_id)


def person_deleted(instance: User, **kwargs: Any) -> None:
    publisher.close_sockets_of(instance.pk)


def session_ended(instance: Session, **kwargs: Any) -> None:
    """Somebody's session was ended before its time; lines look by themselves when it runs out."""
    if instance.expire_date > now() and SESSION_KEY in instance.get_decoded():
        publisher.close_sockets_opened_by(opener_of_session(instance.session_key))


def group_leaves(instance: Group, **kwargs: Any) -> None:
    """A group is about to be deleted: afterwards nobody knows whose rights it held."""
    for person in instance.user_set.all():
        publisher.close_sockets_of(person.pk)


def emptied(app_config: AppConfig, **kwargs: Any) -> None:
    """Migrations have run, or `flush`: what it empties sends no signals of its own."""
    if app_config.label == "metrics":
        publisher.everything_changed()


def signed_out(user: User | None, **kwargs: Any) -> None:
    if user is not None:
        publisher.close_sockets_of(user.pk)
