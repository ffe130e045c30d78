"""The API of figures, and the one route of a call that answers with them: its end."""

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError as InvalidDay
from django.http import StreamingHttpResponse
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
from accounts.models import Team, User
from accounts.throttling import LimitedView
from calls import api as calls_api
from calls import services as calls
from calls.filters import LocalDayField
from calls.instants import today
from calls.queries import LOCAL_DAY, check_names, checked
from calls.serializers import EndBody, answers
from metrics.definitions import Sums
from metrics.exports import call_csv_response
from metrics.services import sums_by, sums_of, totals_after, totals_of

SUMS: dict[str, Any] = {
    name: serializers.FloatField() if isinstance(value, float) else serializers.IntegerField()
    for name, value in Sums().as_json().items()
}
PERIOD: dict[str, Any] = {"from": serializers.DateField(), "to": serializers.DateField()}
PERSON: dict[str, Any] = {
    "user_id": serializers.IntegerField(),
    "username": serializers.CharField(),
}
TEAM: dict[str, Any] = {
    "team_id": serializers.IntegerField(allow_null=True),
    "name": serializers.CharField(allow_null=True),
}
PERIOD_PARAMETERS = [
    OpenApiParameter("from", LOCAL_DAY, description="First local day; today if absent."),
    OpenApiParameter("to", LOCAL_DAY, description="Last local day; today if absent."),
]


class EndedBody(serializers.Serializer):
    """`new_average` and what follows are the agent's figures over all own calls."""

    message = serializers.CharField()
    call_id = serializers.UUIDField()
    duration_seconds = serializers.IntegerField()
    new_average = serializers.IntegerField()
    calls_made = serializers.IntegerField()
    calls_success = serializers.IntegerField()
    total_talk_time = serializers.IntegerField()


class CallViewSet(calls_api.CallViewSet):
    """Calls, with the end that tells the agent's new figures."""

    @extend_schema(
        summary="End a call",
        request=EndBody,
        responses=answers({200: EndedBody}, 400, 403, 404, 409, 413, 415),
    )
    @action(detail=False, methods=["post"])
    def end(self, request: Request) -> Response:
        body = checked(EndBody, request.data)
        call = calls.end_call(
            calls_api.call_id_of(body["call_id"]),
            person_of(request),
            status=body["status"],
            notes=body.get("notes") or "",
            told=calls_api.told_at(body, "ended_at"),
            source=calls_api.source_of(request),
        )
        totals = totals_after(call)
        return Response(
            {
                "message": "Call ended",
                "call_id": str(call.call_id),
                "duration_seconds": call.duration_seconds,
                "new_average": totals.avg_call_duration,
                "calls_made": totals.calls_made,
                "calls_success": totals.calls_success,
                "total_talk_time": totals.total_talk_time,
            }
        )

    @extend_schema(
        summary="Calls as a CSV file, newest first",
        parameters=calls_api.FILTER_PARAMETERS,
        responses=answers({(200, "text/csv"): OpenApiTypes.STR}, 400, 403),
    )
    @action(detail=False, methods=["get"], url_path="export.csv", url_name="export")
    def export(self, request: Request) -> StreamingHttpResponse:
        if not person_of(request).has_perm(roles.EXPORT_CALLS):
            raise PermissionDenied(_("You may not export calls. Ask an administrator."))
        return call_csv_response(self.wanted(request, set()), request._request)


def period_of(request: Request) -> tuple[dt.date, dt.date]:
    """The local days `from`..`to` of the query; ValidationError where they make no sense."""
    query = request.query_params
    check_names(query, set(PERIOD))
    days: dict[str, dt.date | None] = {}
    wrong: dict[str, list[str]] = {}
    for name in PERIOD:
        try:
            days[name] = LocalDayField(required=False).clean(query.get(name))
        except InvalidDay as error:
            wrong[name] = error.messages
    if wrong:
        raise ValidationError(wrong)
    last = days["to"] or today()
    first = days["from"] or min(last, today())
    if first > last:
        raise ValidationError({"from": [_("The first day is after the last day.")]})
    return first, last


def person_row(user: User) -> dict[str, Any]:
    return {"user_id": user.pk, "username": user.username}


def team_row(team: Team, sums: dict[int, Sums]) -> dict[str, Any]:
    """A team's figures and its members', by name; `sums` by user id."""
    members = {person: sums.get(person.pk, Sums()) for person in team.members.all()}
    return {
        "team_id": team.pk,
        "name": team.name,
        **sum(members.values(), Sums()).as_json(),
        "members": [
            person_row(person) | its_sums.as_json()
            for person, its_sums in sorted(members.items(), key=lambda item: item[0].username)
        ],
    }


class MetricsViewSet(LimitedView, viewsets.ViewSet):
    """Figures of a person, of teams, of the organisation, over local days."""

    @extend_schema(
        summary="Own figures",
        parameters=PERIOD_PARAMETERS,
        responses=answers(
            {
                200: inline_serializer(
                    "OwnFigures",
                    PERSON | PERIOD | SUMS | {"all_time": inline_serializer("Figures", SUMS)},
                )
            },
            400,
        ),
    )
    @action(detail=False, methods=["get"])
    def me(self, request: Request) -> Response:
        first, last = period_of(request)
        return Response(
            person_row(person_of(request))
            | {"from": first, "to": last}
            | sums_of([person_of(request).pk], first, last).as_json()
            | {"all_time": totals_of(person_of(request).pk).as_json()}
        )

    @extend_schema(
        summary="Figures of the teams one may see, and of their members",
        parameters=PERIOD_PARAMETERS,
        responses=answers(
            {
                200: inline_serializer(
                    "TeamFigures",
                    PERIOD
                    | {
                        "teams": inline_serializer(
                            "FiguresOfTeam",
                            TEAM
                            | SUMS
                            | {
                                "members": inline_serializer(
                                    "FiguresOfMember", PERSON | SUMS, many=True
                                )
                            },
                            many=True,
                        )
                    },
                )
            },
            400,
            403,
        ),
    )
    @action(detail=False, methods=["get"])
    def team(self, request: Request) -> Response:
        if not person_of(request).has_perm(roles.VIEW_TEAM_CALLS):
            raise PermissionDenied(_("Only supervisors may see the figures of a team."))
        first, last = period_of(request)
        scope = person_of(request).scope
        teams = Team.objects.all() if scope.everyone else Team.objects.filter(pk__in=scope.team_ids)
        sums = sums_by("user", User.objects.filter(team__in=teams), first, last)
        rows = [team_row(team, sums) for team in teams.prefetch_related("members")]
        return Response({"from": first, "to": last, "teams": rows})

    @extend_schema(
        summary="Figures of the organisation and of each team",
        parameters=PERIOD_PARAMETERS,
        responses=answers(
            {
                200: inline_serializer(
                    "OrganizationFigures",
                    PERIOD
                    | SUMS
                    | {"teams": inline_serializer("TeamTotals", TEAM | SUMS, many=True)},
                )
            },
            400,
            403,
        ),
    )
    @action(detail=False, methods=["get"])
    def organization(self, request: Request) -> Response:
        if not person_of(request).has_perm(roles.VIEW_ALL_CALLS):
            raise PermissionDenied(_("Only administrators may see the organization's figures."))
        first, last = period_of(request)
        sums = sums_by("user__team", User.objects.all(), first, last)
        names: dict[int | None, str | None] = dict(Team.objects.values_list("pk", "name"))
        if None in sums:  # people without a team: the rows must add up
            names[None] = None
        rows = [
            {"team_id": pk, "name": name} | sums.get(pk, Sums()).as_json()
            for pk, name in names.items()
        ]
        total = sum(sums.values(), Sums())
        return Response({"from": first, "to": last} | total.as_json() | {"teams": rows})
