"""Makes the runs that are due and sends each once, whatever the number of workers.

A schedule's due time is taken by whoever moves `next_at` on, together with a run for each receiver;
a run is taken by whoever moves `try_at` on. What was due several times while no worker ran is made
up once, for the latest of them.
"""

import datetime as dt
import logging
import smtplib
from collections.abc import Collection
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import QueryDict
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import SCHEDULE_REPORTS
from common.databases.faults import is_fault
from common.instants import now
from notifications.mail import Mail
from notifications.models.schedules import ReportRun, ReportSchedule
from notifications.schedules.due import latest_due, next_due
from notifications.schedules.mails import language_of, mail_of_run
from notifications.schedules.receivers import receivers_of, why_no_mail
from notifications.schedules.subjects import CannotBeReported
from notifications.schedules.unsubscribing import has_left
from upkeep.personal_data.texts import Mentions

logger = logging.getLogger(__name__)

# Minutes until each further attempt: for about a day.
BACKOFF: Final = (1, 5, 15, 60, 180, 360, 720)
_LEASE: Final = dt.timedelta(minutes=15)  # a worker that is longer at it is gone
KEPT: Final = dt.timedelta(days=180)


def make_due_runs(present: dt.datetime | None = None) -> None:
    """Makes the runs of every schedule that is due."""
    present = present or now()
    due = ReportSchedule.objects.filter(paused=False, next_at__lte=present)
    for schedule in due.select_related("owner"):
        with transaction.atomic():
            _make_runs(schedule, present)


def _make_runs(schedule: ReportSchedule, present: dt.datetime) -> None:
    mine = ReportSchedule.objects.filter(pk=schedule.pk, next_at=schedule.next_at, paused=False)
    if not mine.update(next_at=next_due(schedule, present)):
        return  # another worker has it
    add_runs(schedule, receivers_of(schedule), latest_due(schedule, schedule.next_at, present))


def add_runs(schedule: ReportSchedule, people: list[User], due: dt.datetime) -> None:
    """A run for each of `people`, but for whom there is one of that due time."""
    ReportRun.objects.bulk_create(
        [ReportRun(schedule=schedule, person=person, due=due, try_at=now()) for person in people],
        ignore_conflicts=True,
    )


def waiting_runs(present: dt.datetime | None = None) -> list[int]:
    """The keys of the runs to be sent now."""
    return list(ReportRun.objects.waiting(present or now()).values_list("pk", flat=True))


def send(pk: int) -> None:
    """Sends a waiting run, unless somebody else does."""
    present = now()
    mine = ReportRun.objects.waiting(present).filter(pk=pk)
    if not mine.update(try_at=present + _LEASE, attempts=F("attempts") + 1):
        return
    run = ReportRun.objects.select_related("person", "schedule__owner", "schedule__view").get(pk=pk)
    with translation.override(_language_of_errors(run)):
        try:
            _refuse(run)
            mail = mail_of_run(run)
        except CannotBeReported as error:
            _give_up(run, str(error))
        except Exception as error:
            if is_fault(error):  # the lease runs out, and it is tried again
                raise
            logger.exception("report %s failed", run.pk)
            _try_again(run, _("Something went wrong on our side."))
        else:
            _hand_over(run, mail)


def _hand_over(run: ReportRun, mail: Mail) -> None:
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        _refused(run, error)
    except (smtplib.SMTPException, OSError) as error:
        _try_again(run, _said_by_server(error))
    else:
        _close(run, sent_at=now(), error="")


def _language_of_errors(run: ReportRun) -> str:
    return language_of(run.person if run.schedule is None else run.schedule.owner)


def _refuse(run: ReportRun) -> None:
    """Raises CannotBeReported for whom there is no report, by the rights of this moment."""
    person = run.person
    if not (person.is_active and person.has_perm(SCHEDULE_REPORTS)):
        raise CannotBeReported(
            _("%(name)s may not receive reports any more.") % {"name": person.display_name}
        )
    if run.schedule is not None and has_left(run.schedule, person):
        raise CannotBeReported(_("%(name)s has unsubscribed.") % {"name": person.display_name})
    if why := why_no_mail(person):
        raise CannotBeReported(why)
    if not settings.EMAIL_URL:
        raise CannotBeReported(mail_is_off())


def mail_is_off() -> str:
    return _("This site sends no mail yet: an administrator has to set EMAIL_URL.")


def _said_by_server(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        said = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
        return _("The mail server answered: %(answer)s") % {"answer": f"{error.smtp_code} {said}"}
    if isinstance(error, smtplib.SMTPException):
        return str(error)
    return _("The mail server cannot be reached: %(error)s") % {"error": error}


def _refused(run: ReportRun, error: smtplib.SMTPRecipientsRefused) -> None:
    code, text = next(iter(error.recipients.values()))
    said = _said_by_server(smtplib.SMTPResponseException(code, text))
    if code < 500:  # grey-listed, or a full mailbox
        _try_again(run, said)
    else:
        _give_up(run, said)


def _try_again(run: ReportRun, error: str) -> None:
    if run.attempts > len(BACKOFF):
        _give_up(run, error)
        return
    run.try_at = now() + dt.timedelta(minutes=BACKOFF[run.attempts - 1])
    run.error = _short(error)
    run.save(update_fields=["try_at", "error"])


def _give_up(run: ReportRun, error: str) -> None:
    _close(run, sent_at=None, error=_short(error))


def _close(run: ReportRun, **fields: object) -> None:
    ReportRun.objects.filter(pk=run.pk).update(try_at=None, query="", **fields)


def _short(error: str) -> str:
    return " ".join(error.split())[:500]


def forget(lines: Collection[str], contacts: Collection[int]) -> None:
    """Drops what somebody asked for and still waits, where its filters name one of these numbers
    or contacts: what was removed is kept nowhere."""
    mentions = Mentions(lines)
    for run in ReportRun.objects.filter(schedule=None).exclude(query=""):
        asked = QueryDict(run.query)
        said = [value for _name, values in asked.lists() for value in values]
        named = {str(pk) for pk in contacts}.intersection(asked.getlist("contact"))
        if named or any(map(mentions.in_text, said)):
            run.delete()


def tidy(present: dt.datetime | None = None) -> int:
    """Removes the history of long ago."""
    old = ReportRun.objects.filter(try_at=None, due__lt=(present or now()) - KEPT)
    removed, _by_model = old.delete()
    return removed
