"""The API of figures: of a person, of teams, of the organisation."""

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError as Invalid
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import roles
from accounts.authentication import person_of
from accounts.models import Team, User
from accounts.throttling import LimitedView
from api.queries import check_names
from api.schema import (
    PERIOD,
    PERIOD_PARAMETERS,
    PERSON,
    SUMS,
    TEAM,
)
from api.serializers import answers
from calls.history.fields import LocalDayField
from common.instants import today
from common.text import name_key
from metrics.definitions import Sums
from metrics.rollups.daily import own_sums, sums_by, totals_of
from metrics.rollups.shared_calls import SumsBy


def period_of(request: Request) -> tuple[dt.date, dt.date]:
    """The local days `from`..`to` of the query; ValidationError where they make no sense."""
    query = request.query_params
    check_names(query, set(PERIOD))
    days: dict[str, dt.date | None] = {}
    wrong: dict[str, list[str]] = {}
    for name in PERIOD:
        try:
            days[name] = LocalDayField(required=False).clean(query.get(name))
        except Invalid as error:
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


def _by_username(member: tuple[User, Sums]) -> tuple[bytes, int]:
    return name_key(member[0].username), member[0].pk


def team_row(team: Team, sums: SumsBy) -> dict[str, Any]:
    """A team's figures and its members', by name; `sums` by user id."""
    members = {person: sums.get(person.pk, Sums()) for person in team.members.all()}
    return {
        "team_id": team.pk,
        "name": team.name,
        **sums.total_of(person.pk for person in members).as_json(),
        "members": [
            person_row(person) | its_sums.as_json()
            for person, its_sums in sorted(members.items(), key=_by_username)
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
            | own_sums(person_of(request), first, last).as_json()
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
        total = sums.total
        return Response({"from": first, "to": last} | total.as_json() | {"teams": rows})
