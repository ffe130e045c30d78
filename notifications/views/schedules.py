"""Reports by mail: the list, the form, one of them with its history, and 'send me this now'."""

import base64
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts.models import User
from accounts.requests import PageRequest
from accounts.roles import LABELS, SCHEDULE_REPORTS
from common.instants import now
from notifications.models.schedules import ReportReceiver, ReportRun, ReportSchedule
from notifications.schedules.due import next_due
from notifications.schedules.forms import ScheduleForm
from notifications.schedules.mails import language_of, mail_of_schedule
from notifications.schedules.receivers import receivers_of, why_no_mail
from notifications.schedules.sending import add_runs, mail_is_off
from notifications.schedules.subjects import CannotBeReported, subject_of
from notifications.schedules.unsubscribing import address_of
from notifications.tasks import send_report

MOST_RUNS: Final = 50
_may_schedule = permission_required(SCHEDULE_REPORTS, raise_exception=True)


def why_no_mail_to(person: User) -> str:
    """Why the person cannot have anything mailed now; "" where nothing is wrong."""
    return mail_is_off() if not settings.EMAIL_URL else why_no_mail(person)


@never_cache
@require_safe
@_may_schedule
def schedules(request: PageRequest) -> HttpResponse:
    """One's own schedules, those of others that one receives, and what one asked for."""
    mine = ReportSchedule.objects.filter(owner=request.user).select_related("view", "owner")
    asked = ReportRun.objects.filter(schedule=None, person=request.user)
    context = {
        "schedules": _lines(mine),
        "received": _received_by(request.user),
        "asked": list(asked[:MOST_RUNS]),
        "no_mail": why_no_mail_to(request.user),
    }
    return render(request, "notifications/schedules.html", context)


def _lines(schedules: Iterable[ReportSchedule]) -> list[dict[str, Any]]:
    """Each with its receivers and its last run, in as many statements for many as for one."""
    known = list(schedules)
    names: dict[int, list[str]] = {}
    rows = ReportReceiver.objects.filter(schedule__in=known, by_name=True)
    for row in rows.select_related("person"):
        names.setdefault(row.schedule_id, []).append(row.person.display_name)
    newest = ReportRun.objects.filter(schedule=OuterRef("pk")).values("pk")[:1]
    own = ReportSchedule.objects.filter(pk__in=[one.pk for one in known])
    runs = ReportRun.objects.filter(pk__in=own.order_by().values(newest=Subquery(newest)))
    last = {run.schedule_id: run for run in runs}
    return [
        {
            "schedule": one,
            "receivers": [
                *(LABELS[role] for role in one.roles if role in LABELS),
                *sorted(names.get(one.pk, ())),
            ],
            "last": last.get(one.pk),
        }
        for one in known
    ]


def _received_by(person: User) -> list[dict[str, Any]]:
    """The schedules of others that are for this person, as one of them or by a role."""
    rows = ReportReceiver.objects.filter(person=person)
    left_at = dict(rows.values_list("schedule_id", "unsubscribed_at"))
    own_roles = set(person.groups.values_list("name", flat=True))
    others = ReportSchedule.objects.exclude(owner=person).select_related("owner", "view")
    return [
        {
            "schedule": one,
            "leave": address_of(one, person),
            "left": left_at.get(one.pk) is not None,
        }
        for one in others
        if one.pk in left_at or own_roles.intersection(one.roles)
    ]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_may_schedule
def schedule_new(request: PageRequest) -> HttpResponse:
    """The form of one more; `view` in the URL chooses what."""
    return _form(request, ReportSchedule(owner=request.user, next_at=now()))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_may_schedule
def schedule_edit(request: PageRequest, pk: int) -> HttpResponse:
    return _form(request, _own(request, pk))


def _form(request: PageRequest, schedule: ReportSchedule) -> HttpResponse:
    is_new = schedule.pk is None
    name = schedule.name
    initial = {"view": request.GET.get("view"), "every": "week", "at": "08:00"} if is_new else {}
    form = ScheduleForm(
        request.POST if request.method == "POST" else None, instance=schedule, initial=initial
    )
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        messages.success(request, _("“%(name)s” is saved.") % {"name": saved.name})
        return redirect("report_schedule", pk=saved.pk)
    context = {
        "form": form,
        "schedule": None if is_new else schedule,
        "name": name,
        "no_mail": why_no_mail_to(request.user),
        "zone": settings.TIME_ZONE,
    }
    status = 400 if form.is_bound else 200
    return render(request, "notifications/schedule_form.html", context, status=status)


def _own(request: PageRequest, pk: int) -> ReportSchedule:
    own = ReportSchedule.objects.select_related("owner", "view")
    return get_object_or_404(own, pk=pk, owner=request.user)


@never_cache
@require_safe
@_may_schedule
def schedule(request: PageRequest, pk: int) -> HttpResponse:
    """One of them: what, when, to whom, and what was sent."""
    shown = _own(request, pk)
    context = {
        **_lines([shown])[0],
        "runs": list(shown.runs.select_related("person")[:MOST_RUNS]),
        "left": [
            row.person
            for row in shown.receivers.filter(unsubscribed_at__isnull=False).select_related(
                "person"
            )
        ],
        "no_mail": why_no_mail_to(request.user),
        "zone": settings.TIME_ZONE,
    }
    return render(request, "notifications/schedule.html", context)


# The mail's own styles; nothing in it runs, and it fetches nothing.
_AS_MAIL: Final = {"style-src": ["'unsafe-inline'"], "sandbox": []}


@never_cache
@require_safe
@_may_schedule
def schedule_mail(request: PageRequest, pk: int) -> HttpResponse:
    """The very mail that oneself would be sent now, in a page of its own."""
    shown = _own(request, pk)
    language = language_of(request.user)
    try:
        mail = mail_of_schedule(shown, request.user, now(), language, files=False)
    except CannotBeReported as error:
        context = {"status": 404, "title": _("There is nothing to show."), "advice": str(error)}
        return render(request, "error.html", context, status=404)
    html = str(mail.alternatives[0][0])
    for name, png in mail.pictures.items():
        data = base64.b64encode(png).decode()
        html = html.replace(f"cid:{name}", f"data:image/png;base64,{data}")
    response = HttpResponse(html)
    response._csp_update = _AS_MAIL  # type: ignore[attr-defined]
    return response


@never_cache
@require_POST
@_may_schedule
def schedule_pause(request: PageRequest, pk: int) -> HttpResponse:
    """Pauses it, or lets it go on from its next time: what fell into the pause is not sent."""
    shown = _own(request, pk)
    shown.paused = request.POST.get("paused") == "1"
    shown.next_at = next_due(shown, now())
    shown.save(update_fields=["paused", "next_at"])
    sentence = _("“%(name)s” is paused.") if shown.paused else _("“%(name)s” goes on.")
    messages.success(request, sentence % {"name": shown.name})
    return redirect("report_schedule", pk=pk)


@never_cache
@require_POST
@_may_schedule
def schedule_send(request: PageRequest, pk: int) -> HttpResponse:
    """Sends it now: to oneself, or with `to=all` to all its receivers."""
    shown = _own(request, pk)
    if not settings.EMAIL_URL:
        messages.error(request, mail_is_off())
        return redirect("report_schedule", pk=pk)
    people = receivers_of(shown) if request.POST.get("to") == "all" else [request.user]
    due = now()
    add_runs(shown, people, due)
    for run in shown.runs.filter(due=due):
        send_report(run.pk)
    messages.success(request, _("It is being sent. The history below says when it is."))
    return redirect("report_schedule", pk=pk)


@never_cache
@require_POST
@_may_schedule
def schedule_delete(request: PageRequest, pk: int) -> HttpResponse:
    shown = _own(request, pk)
    shown.delete()
    messages.success(request, _("“%(name)s” is deleted.") % {"name": shown.name})
    return redirect("report_schedules")


@never_cache
@require_POST
@_may_schedule
def send_page(request: PageRequest) -> HttpResponse:
    """'Send me this now': the page at `path` with the filters `query`, for oneself."""
    path, query = request.POST.get("path", "")[:200], request.POST.get("query", "")[:2000]
    why = why_no_mail_to(request.user)
    try:
        is_text = "\0" not in unquote(path + query)  # which PostgreSQL does not keep
        if not path or not is_text or len(request.POST.get("query", "")) > 2000:
            raise CannotBeReported(_("This page cannot be sent as a report."))
        subject_of(request.user, path, query)
    except CannotBeReported as error:
        messages.error(request, str(error))
        return redirect("report_schedules")
    back = f"{path}?{query}" if query else path
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = path = "/"
    if why:
        messages.error(request, why)
        return redirect(back)
    run = ReportRun.objects.create(
        person=request.user,
        due=now(),
        try_at=now(),
        path=path,
        query=query,
        language=get_language() or "",
    )
    send_report(run.pk)
    words = _("This page is being sent to %(address)s.") % {"address": request.user.email}
    messages.success(request, words)
    return redirect(back)
