"""Receivers of the metrics app; listed in docs/architecture.md.

Sums follow the data: any saved or deleted ended call. What people see follows the event.
"""

import datetime as dt
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import m2m_changed, post_delete, post_save

from accounts.models import ApiKey, Team, User
from calls.models import CallLog
from calls.signals import call_changed, call_ended, call_moved, call_started
from common.instants import local_day
from metrics.live import hub
from metrics.models import UserMetrics
from metrics.rollups.daily import recompute
from metrics.rollups.stored_rows import columns_of


def connect() -> None:
    """Connects every receiver, once."""
    post_save.connect(sum_saved_call, sender=CallLog, dispatch_uid="metrics.sum_saved_call")
    post_delete.connect(sum_deleted_call, sender=CallLog, dispatch_uid="metrics.sum_deleted_call")
    call_moved.connect(sum_moved_call, dispatch_uid="metrics.sum_moved_call")
    call_started.connect(announce_start, dispatch_uid="metrics.announce_start")
    call_changed.connect(announce_change, dispatch_uid="metrics.announce_change")
    call_ended.connect(announce_end, dispatch_uid="metrics.announce_end")
    post_save.connect(rights_saved, sender=User, dispatch_uid="metrics.rights_saved")
    post_save.connect(key_changed, sender=ApiKey, dispatch_uid="metrics.key_saved")
    post_delete.connect(key_changed, sender=ApiKey, dispatch_uid="metrics.key_deleted")
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


def _sum(call: CallLog, user_id: int, start_time: dt.datetime) -> None:
    totals = recompute(user_id, {local_day(start_time)})
    if call.user is not None and call.user.pk == user_id:
        call.user.metrics = UserMetrics(**columns_of(totals))  # spares totals_after a query


def announce_start(call: CallLog, **kwargs: Any) -> None:
    hub.announce("call_started", call)


def announce_change(call: CallLog, **kwargs: Any) -> None:
    hub.announce("call_changed", call)


def announce_end(call: CallLog, **kwargs: Any) -> None:
    hub.announce("call_ended", call)


def rights_saved(instance: User, created: bool, update_fields: Any, **kwargs: Any) -> None:
    if not created and (update_fields is None or {"team", "is_active"} & set(update_fields)):
        hub.close_sockets_of(instance.pk)


def rights_changed(instance: Any, action: str, **kwargs: Any) -> None:
    """A person's groups or permissions, or a group's permissions, were changed."""
    if action.startswith("post_"):
        people = [instance] if isinstance(instance, User) else instance.user_set.all()
        for person in people:
            hub.close_sockets_of(person.pk)


def supervisors_changed(instance: Any, action: str, pk_set: Any, **kwargs: Any) -> None:
    if action.startswith("post_"):
        touched = {instance.pk} if isinstance(instance, User) else (pk_set or set())
        for user_id in touched:
            hub.close_sockets_of(user_id)


def key_changed(instance: ApiKey, created: bool = False, **kwargs: Any) -> None:
    """A key was revoked or deleted (last use is noted without a signal): its program must go."""
    if not created:
        hub.close_sockets_of(instance.owner_id)


def signed_out(user: User | None, **kwargs: Any) -> None:
    if user is not None:
        hub.close_sockets_of(user.pk)
