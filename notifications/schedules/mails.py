"""A report as a mail to one person: what that person may see, in that person's language."""

import datetime as dt

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from common.periods import Period
from notifications.mail import Mail, compose, message_id
from notifications.models.schedules import ReportRun, ReportSchedule
from notifications.schedules.contents import Report, report_on
from notifications.schedules.due import period_at
from notifications.schedules.files import files_of
from notifications.schedules.subjects import EXECUTIVE, Subject, subject_of
from notifications.schedules.unsubscribing import address_of, headers_for


def language_of(person: User) -> str:
    return person.language or settings.LANGUAGE_CODE


def mail_of_run(run: ReportRun) -> Mail:
    """The mail of a run. Raises CannotBeReported."""
    language = run.language or language_of(run.person)
    identity = {"Message-ID": message_id(f"report-{run.pk}")}
    if run.schedule is not None:
        return mail_of_schedule(run.schedule, run.person, run.due, language, identity)
    with translation.override(language):
        report = report_on(subject_of(run.person, run.path, run.query), run.person)
        return _mail(report, run.person, language, headers=identity)


def mail_of_schedule(
    schedule: ReportSchedule,
    person: User,
    due: dt.datetime,
    language: str,
    headers: dict[str, str] | None = None,
    *,
    files: bool = True,
) -> Mail:
    """What `person` is sent of the schedule for the due time. Raises as mail_of_run does.

    `files`: False for a mail that is only looked at.
    """
    with translation.override(language):
        report = report_on(_subject(schedule, person, period_at(schedule, due)), person)
        return _mail(
            report,
            person,
            language,
            name=schedule.name,
            pdf=schedule.pdf and files,
            excel=schedule.excel and files,
            leave=address_of(schedule, person),
            sender=schedule.owner.display_name,
            headers={**headers_for(schedule, person), **(headers or {})},
        )


def _subject(schedule: ReportSchedule, person: User, period: Period) -> Subject:
    if schedule.view is None:
        return subject_of(person, EXECUTIVE, "", period)
    return subject_of(person, schedule.view.path, schedule.view.query, period)


def _mail(
    report: Report,
    person: User,
    language: str,
    *,
    name: str = "",
    pdf: bool = True,
    excel: bool = True,
    leave: str = "",
    sender: str = "",
    headers: dict[str, str],
) -> Mail:
    files, notes = files_of(report, person, pdf=pdf, excel=excel)
    base = settings.PUBLIC_BASE_URL
    context = {
        "report": report,
        "title": name or report.subject.title,
        "notes": notes,
        "files": [file[0] for file in files],
        "link": f"{base}{report.subject.address}" if base else "",
        "leave": f"{base}{leave}" if base and leave else "",
        "scheduled": bool(leave),
        "sender": sender,
        "zone": settings.TIME_ZONE,
    }
    subject = _("%(name)s · %(when)s") % {
        "name": context["title"],
        "when": report.when if report.subject.wanted is None else report.whose,
    }
    return compose(
        to=person.email,
        subject=" ".join(subject.split()),
        template="mail/report",
        context=context,
        language=language,
        attachments=files,
        pictures=report.pictures,
        headers=headers,
    )
