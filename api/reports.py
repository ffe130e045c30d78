"""The API of reports: the figures of a period as JSON, CSV and Excel."""

from typing import Any

from django.core.exceptions import ValidationError as Invalid
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import roles
from accounts.authentication import person_of
from accounts.throttling import LimitedView
from api.queries import check_names
from api.schema import PERIOD, STYLE_PARAMETERS, SUMS
from api.serializers import answers
from api.shapes import LOCAL_DAY
from common.instants import at_local, isoformat, local_now
from common.periods import LABELS, MONTH, PARAMETERS, period_of
from metrics.exports.csv_file import STYLE_NAMES, Style
from metrics.exports.period_report import PeriodReport, ReportLine, document_of, report_of
from metrics.exports.responses import csv_answer, xlsx_answer
from metrics.exports.xlsx_file import CONTENT_TYPE

REPORT_PARAMETERS: list[Any] = [
    OpenApiParameter("from", LOCAL_DAY, description="First local day; with `to`."),
    OpenApiParameter("to", LOCAL_DAY, description="Last local day; with `from`."),
    OpenApiParameter(
        "period",
        str,
        enum=["", *LABELS],
        description="A period by name; `month` if all are absent.",
    ),
]
_UNTIL = serializers.DateTimeField(
    allow_null=True,
    help_text="Where the period is not over: calls that had ended by then are in these figures.",
)
_KEYS: dict[str, dict[str, Any]] = {
    "teams": {
        "team_id": serializers.IntegerField(allow_null=True),
        "name": serializers.CharField(allow_null=True),
    },
    "agents": {
        "user_id": serializers.IntegerField(),
        "username": serializers.CharField(),
        "name": serializers.CharField(),
        "team": serializers.CharField(allow_null=True),
    },
    "days": {"day": serializers.DateField()},
}


def report_for(request: Request, *others: str) -> PeriodReport:
    """The report of the period in the query. Refuses who sees only themselves."""
    if not person_of(request).has_perm(roles.VIEW_TEAM_CALLS):
        raise PermissionDenied(_("Only supervisors and administrators may see reports."))
    check_names(request.query_params, {*PARAMETERS, *others})
    return report_of(person_of(request), period_of(request.query_params, local_now(), MONTH))


def summary_json(report: PeriodReport) -> dict[str, Any]:
    period = report.period
    until = period.until and isoformat(at_local(period.previous_last, period.until))
    before = {"from": period.previous_first, "to": period.previous_last, "until": until}
    return {
        "from": period.first,
        "to": period.last,
        **report.sums.as_json(),
        "before": before | report.before.as_json(),
    }


def lines_json(report: PeriodReport, table: str) -> dict[str, Any]:
    lines: list[ReportLine] = getattr(report, table)
    return {
        "from": report.period.first,
        "to": report.period.last,
        table: [line.as_json() for line in lines],
    }


def _shape_of(table: str) -> Any:
    if table == "summary":
        before = inline_serializer("ReportBefore", PERIOD | {"until": _UNTIL} | SUMS)
        return inline_serializer("ReportSummary", PERIOD | SUMS | {"before": before})
    line = inline_serializer(f"ReportOf{table.title()}", _KEYS[table] | SUMS, many=True)
    return inline_serializer(f"Report{table.title()}", PERIOD | {table: line})


def json_route(table: str, summary: str) -> Any:
    """The route `GET reports/<table>`."""

    def route(self: "ReportViewSet", request: Request) -> Response:
        report = report_for(request)
        known = summary_json(report) if table == "summary" else lines_json(report, table)
        return Response(known)

    route.__name__ = table
    described = extend_schema(
        summary=summary,
        parameters=REPORT_PARAMETERS,
        responses=answers({200: _shape_of(table)}, 400, 403),
    )
    return described(action(detail=False, methods=["get"], url_path=table)(route))


def csv_route(table: str, summary: str) -> Any:
    """The route `GET reports/<table>.csv`."""

    def route(self: "ReportViewSet", request: Request) -> HttpResponseBase:
        report = report_for(request, *STYLE_NAMES)
        try:
            style = Style.of(request.query_params)
        except Invalid as error:
            raise ValidationError(error.message_dict) from error
        return csv_answer(document_of(report, person_of(request), table), style, f"report-{table}")

    route.__name__ = f"{table}_csv"
    described = extend_schema(
        summary=f"{summary}, as CSV",
        parameters=[*REPORT_PARAMETERS, *STYLE_PARAMETERS],
        responses=answers({(200, "text/csv"): OpenApiTypes.STR}, 400, 403),
    )
    return described(action(detail=False, methods=["get"], url_path=f"{table}.csv")(route))


def xlsx_route(table: str, summary: str) -> Any:
    """The route `GET reports/<table>.xlsx`."""

    def route(self: "ReportViewSet", request: Request) -> HttpResponseBase:
        document = document_of(report_for(request), person_of(request), table)
        return xlsx_answer(document, f"report-{table}")

    route.__name__ = f"{table}_xlsx"
    described = extend_schema(
        summary=f"{summary}, as an Excel workbook",
        parameters=REPORT_PARAMETERS,
        responses=answers({(200, CONTENT_TYPE): OpenApiTypes.BINARY}, 400, 403),
    )
    return described(action(detail=False, methods=["get"], url_path=f"{table}.xlsx")(route))


class ReportViewSet(LimitedView, viewsets.ViewSet):
    """What the people one may see did in a period."""

    summary = json_route("summary", "A period, and the one before")
    teams = json_route("teams", "A period, team by team")
    agents = json_route("agents", "A period, agent by agent")
    days = json_route("days", "A period, day by day")
    summary_csv = csv_route("summary", "A period, and the one before")
    teams_csv = csv_route("teams", "A period, team by team")
    agents_csv = csv_route("agents", "A period, agent by agent")
    days_csv = csv_route("days", "A period, day by day")
    summary_xlsx = xlsx_route("summary", "A period, and the one before")
    teams_xlsx = xlsx_route("teams", "A period, team by team")
    agents_xlsx = xlsx_route("agents", "A period, agent by agent")
    days_xlsx = xlsx_route("days", "A period, day by day")
