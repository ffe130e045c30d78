"""Marks what a person has read, and says so to the other pages that the person has open."""

from django.db.models import QuerySet

from accounts.models import User
from common.instants import now
from notifications.bell.telling import READ, announce
from notifications.models import Notification


def mark_read(user: User, notifications: QuerySet[Notification]) -> None:
    """Marks those of `notifications` that `user` was told; again is the same."""
    unread = notifications.filter(person=user, read_at__isnull=True)
    if unread.update(read_at=now()):
        announce([user.pk], {"type": READ})
