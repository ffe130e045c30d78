"""The report of a period on screen and as a file, for those who see more than themselves."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.requests import PageRequest
from common.instants import local_now
from common.periods import MONTH, Period, PeriodError, period_of
from metrics.dashboard.figures import figures_from, read_since
from metrics.dashboard.selection import Selection
from metrics.dashboard.tables import cut
from metrics.exports.csv_file import Style
from metrics.exports.period_report import (
    SUM_HEADS,
    PeriodReport,
    document_of,
    report_of,
    report_with_days,
    sheets_of,
)
from metrics.exports.responses import csv_answer, xlsx_answer
from metrics.views.export import pdf_or_reason
from metrics.views.periods import with_period

_may_see = permission_required("calls.view_team_calls", raise_exception=True)


@never_cache
@require_safe
@_may_see
@with_period(MONTH)
def reports(request: PageRequest, period: Period) -> HttpResponse:
    """The report of the URL's period; this month's where it says none."""
    chosen = Selection(User.objects.visible_to(request.user))
    report, by_day = report_with_days(request.user, period, read_since(period))
    tables = {"teams": report.teams, "agents": report.agents, "days": report.days}
    context: dict[str, Any] = {
        "report": report,
        "tables": {name: cut(lines, request.GET) for name, lines in tables.items()},
        "period": period,
        "figures": figures_from(by_day, period, report.before),
        "figures_query": chosen.query(period),
        "heads": SUM_HEADS,
        "everyone": request.user.scope.everyone,
    }
    return render(request, "metrics/reports.html", context)


def _file(view: Callable[[PageRequest, PeriodReport], HttpResponseBase]) -> Callable[..., Any]:
    """The door of a file of the report. BadRequest for a period that cannot be read."""

    def door(request: PageRequest) -> HttpResponseBase:
        try:
            period: Period = period_of(request.GET, local_now(), MONTH)
        except PeriodError as error:
            raise BadRequest from error
        return view(request, report_of(request.user, period))

    return never_cache(require_safe(_may_see(door)))


@_file
def report_csv(request: PageRequest, report: PeriodReport) -> HttpResponseBase:
    """One of its tables, `table=agents` unless the URL says teams, days or summary."""
    table = request.GET.get("table") or "agents"
    if table not in sheets_of(report):
        raise BadRequest
    try:
        style = Style.of(request.GET, for_people=True)
    except ValidationError as error:
        raise BadRequest from error
    return csv_answer(document_of(report, request.user, table), style, f"report-{table}")


@_file
def report_xlsx(request: PageRequest, report: PeriodReport) -> HttpResponseBase:
    return xlsx_answer(document_of(report, request.user), "report")


@_file
def report_pdf(request: PageRequest, report: PeriodReport) -> HttpResponseBase:
    document = document_of(report, request.user)
    return pdf_or_reason(request, document, "report", bars=report.bars, width=report.width)
