"""Signed addresses by which a receiver leaves a schedule with one click, without signing in.

RFC 8058: the mail's headers name the address, and a mail program that posts to it is obeyed.
"""

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from accounts.models import User
from common.instants import now
from notifications.models.schedules import ReportReceiver, ReportSchedule

_signer = Signer(salt="notifications.schedules.unsubscribe")


def address_of(schedule: ReportSchedule, person: User) -> str:
    """The path of the page; the same for as long as both exist."""
    token = _signer.sign_object([schedule.pk, person.pk])
    return reverse("report_unsubscribe", args=[token])


def headers_for(schedule: ReportSchedule, person: User) -> dict[str, str]:
    """None where the site does not know its own address: programs could not find it."""
    if not settings.PUBLIC_BASE_URL:
        return {}
    return {
        "List-Unsubscribe": f"<{settings.PUBLIC_BASE_URL}{address_of(schedule, person)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def read_token(token: str) -> tuple[ReportSchedule | None, User | None]:
    """The schedule and the person, None for what is there no more. Raises BadSignature."""
    try:
        schedule, person = _signer.unsign_object(token)
    except (ValueError, TypeError) as error:
        raise BadSignature from error
    return (
        ReportSchedule.objects.filter(pk=schedule).first(),
        User.objects.filter(pk=person).first(),
    )


def unsubscribe(schedule: ReportSchedule, person: User) -> None:
    """Nothing of the schedule is sent to the person any more. Doing so twice changes nothing."""
    row, _made = ReportReceiver.objects.get_or_create(
        schedule=schedule, person=person, defaults={"by_name": False}
    )
    if row.unsubscribed_at is None:
        row.unsubscribed_at = now()
        row.save(update_fields=["unsubscribed_at"])


def subscribe(schedule: ReportSchedule, person: User) -> None:
    """The person receives it again, if it is for them. Doing so twice changes nothing."""
    ReportReceiver.objects.filter(schedule=schedule, person=person, by_name=False).delete()
    ReportReceiver.objects.filter(schedule=schedule, person=person).update(unsubscribed_at=None)


def has_left(schedule: ReportSchedule, person: User) -> bool:
    rows = ReportReceiver.objects.filter(schedule=schedule, person=person)
    return rows.filter(unsubscribed_at__isnull=False).exists()
