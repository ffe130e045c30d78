"""The addresses of the first system's windows; what they answer is made where the API makes it."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.http import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import roles
from accounts.authentication import person_of
from accounts.models import Team, User
from accounts.throttling import LimitedView, server_time
from api.metrics import period_of
from api.queries import MAX_LIMIT, PageQuery, SearchQuery, check_names, checked, paged
from calls.history.pagination import page_of_contacts
from calls.models import CallLog, Contact
from common.instants import today
from common.text import name_key
from compat.authentication import AUTHENTICATION
from compat.bodies import OF_A_TEAM, contact_body, figures, rows_of_people
from compat.roles import NAMES, roles_of
from metrics.dashboard.selection import of_all_teams
from metrics.definitions import Sums
from metrics.rollups.daily import own_sums, sums_by

_EVER: Final = dt.date(1970, 1, 1)
HEARTBEAT_SECONDS: Final = 30


@extend_schema(exclude=True)  # new programs ask the API, which is described
class DesktopView(LimitedView, APIView):
    """An address of the first system: a key or a session as everywhere in the API, one method."""

    authentication_classes: Sequence[type[BaseAuthentication]] = AUTHENTICATION


def _period(request: Request) -> tuple[dt.date, dt.date]:
    """The local days that `from` and `to` ask for; without them all there are, as the end of a call
    tells the figures, too."""
    return period_of(request) if request.query_params else (_EVER, today())


class PersonalView(DesktopView):
    def get(self, request: Request) -> Response:
        person = person_of(request)
        sums = own_sums(person, *_period(request))
        (row,) = rows_of_people([person], {person.pk: sums})
        return Response(row)


class TeamView(DesktopView):
    def get(self, request: Request) -> Response:
        viewer = person_of(request)
        if not viewer.has_perm(roles.VIEW_TEAM_CALLS):
            raise PermissionDenied(_("Only supervisors may see the figures of a team."))
        return Response(_rows(of_all_teams(viewer).people, *_period(request)))


class AllView(DesktopView):
    def get(self, request: Request) -> Response:
        if not person_of(request).has_perm(roles.VIEW_ALL_CALLS):
            raise PermissionDenied(_("Only administrators may see the organization's figures."))
        first, last = _period(request)
        everybody = User.objects.all()
        by_team = sums_by("user__team", everybody, first, last)
        total = by_team.total.as_json()
        active = everybody.filter(is_active=True)
        agents: Counter[int | None] = Counter(active.values_list("team", flat=True))
        return Response(
            {
                "total_calls": total["calls_made"],
                "total_success": total["calls_success"],
                "total_contacts": Contact.objects.count(),
                "total_users": agents.total(),
                "overall_success_rate": total["success_rate"],
                "by_team": {
                    name: {
                        **figures(by_team.get(pk, Sums()), OF_A_TEAM),
                        "agents": agents[pk],
                    }
                    for pk, name in _team_names().items()
                    if pk is not None or None in by_team or None in agents
                },
                "team_users": _rows(everybody, first, last),
            }
        )


def _rows(people: Any, first: dt.date, last: dt.date) -> list[dict[str, Any]]:
    """The figures of those who still work here, by name."""
    active = people.filter(is_active=True)
    sums = sums_by("user", active, first, last)
    members = active.select_related("team")
    return rows_of_people(sorted(members, key=lambda one: name_key(one.username)), sums)


def _team_names() -> dict[int | None, str]:
    """Each team's name, no two the same; None are the people without a team."""
    names: dict[int | None, str] = dict(Team.objects.values_list("pk", "name"))
    nobodys = _("Without a team")
    names[None] = "" if nobodys in names.values() else nobodys
    return names


class WholeList(PageQuery):
    """The windows take one list for all there is, so a page is as long as pages get."""

    limit = serializers.IntegerField(min_value=1, default=MAX_LIMIT)


class ContactsView(DesktopView):
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A browser means the page, which has a slash at its end."""
        is_program = "X-API-Key" in request.headers or "Authorization" in request.headers
        if not is_program and "text/html" in request.headers.get("Accept", ""):
            return HttpResponseRedirect(reverse("contacts"))
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: Request) -> Response:
        query = request.query_params
        check_names(query, {*SearchQuery().fields, *PageQuery().fields})
        wanted = checked(SearchQuery, query.dict())
        contacts = Contact.objects.visible_to(person_of(request)).search(wanted["search"])
        page_of = partial(page_of_contacts, contacts.prefetch_related("numbers"))
        return paged(request, page_of, lambda found: list(map(contact_body, found)), WholeList)


class HealthView(DesktopView):
    """Asked before anybody has given a key: it says nothing of anybody."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def get(self, request: Request) -> Response:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return Response({"status": "ok", "timestamp": server_time()})


class ConfigView(DesktopView):
    def get(self, request: Request) -> Response:
        person = person_of(request)
        return Response(
            {
                "name": "CallManager",
                "version": settings.VERSION,
                "user_id": str(person.pk),
                "username": person.username,
                "role": roles_of([person])[person.pk],
                "roles": NAMES,
                "call_statuses": [status for status, _label in CallLog.STATUSES],
                "timer_amber_seconds": person.amber_seconds,
                "timer_red_seconds": person.red_seconds,
                "long_call_seconds": settings.LONG_CALL_SECONDS,
                "heartbeat_seconds": HEARTBEAT_SECONDS,
                "stale_call_seconds": settings.STALE_CALL_SECONDS,
                "max_call_seconds": settings.MAX_CALL_SECONDS,
                "rate_limit": settings.API_RATE_LIMIT,
                "time_zone": settings.TIME_ZONE,
                "language": settings.LANGUAGE_CODE,
                "phone_region": settings.DEFAULT_PHONE_REGION,
                "socketio_path": "/socket.io/",
            }
        )
