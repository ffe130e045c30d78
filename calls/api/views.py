"""The API of calls and contacts. Ending a call, which answers with figures, is in metrics."""

import uuid
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import roles
from accounts.authentication import person_of
from accounts.models import ApiKey, User
from accounts.throttling import LimitedView
from calls import services
from calls.api.queries import LOCAL_DAY, PageQuery, SearchQuery, check_names, checked, paged
from calls.api.serializers import (
    CallBody,
    CallDetailBody,
    ContactBody,
    DispositionBody,
    StartBody,
    StartedBody,
    StepBody,
    SteppedBody,
    answers,
    parse_call_id,
)
from calls.errors import CallNotFound
from calls.history.filters import CallFilter
from calls.history.pagination import page_of_calls, page_of_contacts
from calls.models import CallLog, CallQuerySet, Contact
from calls.services import wrap_up
from common.instants import arrival_of, isoformat
from common.periods import LABELS


def source_of(request: Request) -> str:
    """Who speaks: a program by its key, or the person's page."""
    return services.CLIENT if isinstance(request.auth, ApiKey) else services.AGENT


def told_at(request: Request, body: dict[str, Any], field: str) -> services.ReportedTime:
    """The instant in `field` of the checked `body`, by our clock; if absent, when it came."""
    return services.settle_instant(body.get(field), body.get("sent_at"), field, arrival_of(request))


def call_id_of(text: str) -> uuid.UUID:
    call_id = parse_call_id(text)
    if call_id is None:
        raise CallNotFound(_("There is no such call among yours."))
    return call_id


def step_route(name: str, summary: str) -> Any:
    """The route `POST calls/{call_id}/<name>`: the agent says that this happened."""

    def route(self: "CallViewSet", request: Request, call_id: str) -> Response:
        body = checked(StepBody, request.data)
        call = services.step(
            call_id_of(call_id),
            person_of(request),
            name,
            told=told_at(request, body, "occurred_at"),
            source=source_of(request),
        )
        return Response(stepped("Call updated", call))

    route.__name__ = name
    described = extend_schema(
        summary=summary,
        request=StepBody,
        parameters=[CALL_ID],
        responses=answers({200: SteppedBody}, 400, 403, 404, 409, 413, 415),
    )
    return described(action(detail=True, methods=["post"])(route))


def stepped(message: str, call: CallLog) -> dict[str, Any]:
    return {
        "message": message,
        "call_id": str(call.call_id),
        "status": call.status,
        "activity": call.activity,
        "start_time": isoformat(call.start_time),
        "answered_time": isoformat(call.answered_time),
        "paused_seconds": call.paused_seconds,
        "hold_seconds": call.hold_seconds,
        "disposition": call.disposition,
        "wrap_up_seconds": call.wrap_up_seconds,
    }


CONTACT_ID = OpenApiParameter("id", int, OpenApiParameter.PATH)
CALL_ID = OpenApiParameter("call_id", OpenApiTypes.UUID, OpenApiParameter.PATH)
LENGTH: dict[str, Any] = {"type": "string", "examples": ["90", "1:30"], "maxLength": 9}
# A form sends empty what nobody chose; that is the same as absent.
TEAM: dict[str, Any] = {"oneOf": [{"type": "integer", "minimum": 1}, {"enum": ["", "none"]}]}
FILTER_PARAMETERS: list[Any] = [
    OpenApiParameter("user_id", str, description="A username or an id."),
    OpenApiParameter("agent", str, description="The same as user_id."),
    OpenApiParameter("team", TEAM, description="The id of a team; none: people without a team."),
    OpenApiParameter("start_date", LOCAL_DAY, description="First local day, inclusive."),
    OpenApiParameter("end_date", LOCAL_DAY, description="Last local day, inclusive."),
    OpenApiParameter("status", str, enum=["", *dict(CallLog.STATUSES)]),
    OpenApiParameter(
        "period",
        str,
        enum=["", *LABELS],
        description="Local days by name, or `range` with `from` and `to`.",
    ),
    OpenApiParameter("from", LOCAL_DAY, description="First day of `period=range`."),
    OpenApiParameter("to", LOCAL_DAY, description="Last day of `period=range`."),
    OpenApiParameter(
        "search",
        {"type": "string", "maxLength": 120},
        description="Beginnings of words in contact, number, reference or notes; accents aside.",
    ),
    OpenApiParameter("direction", str, enum=["", *dict(CallLog.DIRECTIONS)]),
    OpenApiParameter("min_duration", LENGTH, description="Seconds, or M:SS, or H:MM:SS."),
    OpenApiParameter("max_duration", LENGTH, description="Likewise."),
    OpenApiParameter("disposition", str, description="The outcome, as it is stored."),
    OpenApiParameter("provider", str, description="The provider, as it is stored."),
    OpenApiParameter("evidence", str, enum=["", *dict(CallLog.EVIDENCE)]),
]


class CallViewSet(LimitedView, viewsets.ViewSet):
    """Own calls are written; the calls one may see are read."""

    lookup_field = "call_id"
    lookup_value_regex = "[^/]+"

    def visible(self, viewer: User) -> CallQuerySet:
        return CallLog.objects.visible_to(viewer).select_related("user", "contact")

    @extend_schema(
        summary="Start a call",
        request=StartBody,
        responses=answers({201: StartedBody, 200: StartedBody}, 400, 403, 404, 413, 415),
    )
    @action(detail=False, methods=["post"])
    def start(self, request: Request) -> Response:
        if not person_of(request).has_perm(roles.TRACK_CALLS):
            raise PermissionDenied(_("You may not make calls here. Ask an administrator."))
        body = checked(StartBody, request.data)
        call, made = services.start_call(
            person_of(request),
            contact_ref=body.get("contact_id") or "",
            contact_phone=body.get("contact_phone") or "",
            call_id=body.get("call_id"),
            told=told_at(request, body, "started_at"),
            direction=body["direction"],
            provider=body.get("provider") or "",
            source=source_of(request),
        )
        answer = {
            "message": "Call started",
            "call_id": str(call.call_id),
            "start_time": isoformat(call.start_time),
        }
        return Response(answer, status=201 if made else 200)

    answer = step_route("answer", "The other side answered")
    hold = step_route("hold", "Put the call on hold")
    resume = step_route("resume", "Take the call off hold")
    pause = step_route("pause", "Stop the timer")
    unpause = step_route("unpause", "Let the timer go on")

    @extend_schema(
        summary="The call is alive",
        request=None,
        parameters=[CALL_ID],
        responses=answers({200: SteppedBody}, 403, 404, 409),
    )
    @action(detail=True, methods=["post"])
    def heartbeat(self, request: Request, call_id: str) -> Response:
        call = services.heartbeat(call_id_of(call_id), person_of(request))
        return Response(stepped("Call is alive", call))

    @extend_schema(
        summary="Ready: the work after the call is done",
        request=StepBody,
        parameters=[CALL_ID],
        responses=answers({200: SteppedBody}, 400, 403, 404, 409, 413, 415),
    )
    @action(detail=True, methods=["post"])
    def ready(self, request: Request, call_id: str) -> Response:
        body = checked(StepBody, request.data)
        call = wrap_up.ready(
            call_id_of(call_id),
            person_of(request),
            told=told_at(request, body, "occurred_at"),
            source=source_of(request),
        )
        return Response(stepped("Ready", call))

    @extend_schema(
        summary="What came of the call",
        request=DispositionBody,
        parameters=[CALL_ID],
        responses=answers({200: SteppedBody}, 400, 403, 404, 413, 415),
    )
    @action(detail=True, methods=["post"])
    def disposition(self, request: Request, call_id: str) -> Response:
        code = checked(DispositionBody, request.data)["disposition"]
        person = person_of(request)
        call = CallLog.objects.own(person).filter(call_id=call_id_of(call_id)).first()
        if call is None:
            raise CallNotFound(_("There is no such call among yours."))
        call.user = person
        call = wrap_up.set_disposition(call, person, code, source_of(request))
        return Response(stepped("Outcome noted", call))

    @extend_schema(
        summary="Calls, newest first",
        parameters=[*FILTER_PARAMETERS, PageQuery],
        responses=answers({200: CallBody(many=True)}, 400),
    )
    @action(detail=False, methods=["get"])
    def log(self, request: Request) -> Response:
        return paged(
            request, page_of_calls, self.wanted(request, set(PageQuery().fields)), CallBody
        )

    def wanted(self, request: Request, others: set[str]) -> CallQuerySet:
        """The visible calls that the query's filters ask for; it may also have `others`."""
        query, viewer = request.query_params, person_of(request)
        wanted = CallFilter(query, self.visible(viewer), viewer=viewer)
        check_names(query, {*wanted.filters, *others})
        if not wanted.is_valid():
            raise ValidationError(wanted.errors)
        return wanted.qs

    @extend_schema(
        summary="Calls in progress",
        responses=answers({200: CallBody(many=True)}, 400),
        filters=False,
    )
    @action(detail=False, methods=["get"])
    def active(self, request: Request) -> Response:
        check_names(request.query_params, set())
        return Response(CallBody(self.visible(person_of(request)).active(), many=True).data)

    @extend_schema(
        summary="One call and its events",
        parameters=[CALL_ID],
        responses=answers({200: CallDetailBody}, 404),
    )
    def retrieve(self, request: Request, call_id: str) -> Response:
        call = self.visible(person_of(request)).known_as(call_id_of(call_id))
        if call is None:
            raise CallNotFound(_("There is no such call among those you may see."))
        return Response(CallDetailBody(call).data)


class ContactViewSet(LimitedView, viewsets.ViewSet):
    """The contacts one may see. A new contact is one's own, unless it is given to a team."""

    lookup_value_regex = "[0-9]{1,18}"

    def find(self, request: Request, pk: str) -> Contact:
        return get_object_or_404(Contact.objects.visible_to(person_of(request)), pk=int(pk))

    def find_to_change(self, request: Request, pk: str) -> Contact:
        contact = self.find(request, pk)
        if not Contact.objects.editable_by(person_of(request)).filter(pk=contact.pk).exists():
            raise PermissionDenied(
                _("This contact is shared. Ask your supervisor or an administrator to change it.")
            )
        return contact

    @extend_schema(
        summary="Contacts, oldest first",
        parameters=[SearchQuery, PageQuery],
        responses=answers({200: ContactBody(many=True)}, 400),
    )
    def list(self, request: Request) -> Response:
        query = request.query_params
        check_names(query, {*SearchQuery().fields, *PageQuery().fields})
        wanted = checked(SearchQuery, query.dict())
        contacts = Contact.objects.visible_to(person_of(request)).search(wanted["search"])
        return paged(request, page_of_contacts, contacts, ContactBody)

    @extend_schema(
        summary="New contact",
        request=ContactBody,
        responses=answers({201: ContactBody}, 400, 403, 413, 415),
    )
    def create(self, request: Request) -> Response:
        body = self._checked(request)
        shared = body.validated_data.get("team_id") is not None
        body.save(owner=None if shared else person_of(request))
        return Response(body.data, status=201)

    @extend_schema(
        summary="One contact", parameters=[CONTACT_ID], responses=answers({200: ContactBody}, 404)
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(ContactBody(self.find(request, pk)).data)

    @extend_schema(
        summary="Replace a contact",
        parameters=[CONTACT_ID],
        request=ContactBody,
        responses=answers({200: ContactBody}, 400, 403, 404, 413, 415),
    )
    def update(self, request: Request, pk: str) -> Response:
        return self._change(request, pk, partial=False)

    @extend_schema(
        summary="Change a contact",
        parameters=[CONTACT_ID],
        request=ContactBody(partial=True),
        responses=answers({200: ContactBody}, 400, 403, 404, 413, 415),
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        return self._change(request, pk, partial=True)

    @extend_schema(
        summary="Delete a contact",
        parameters=[CONTACT_ID],
        responses=answers({204: None}, 403, 404),
    )
    def destroy(self, request: Request, pk: str) -> Response:
        self.find_to_change(request, pk).delete()
        return Response(status=204)

    def _change(self, request: Request, pk: str, partial: bool) -> Response:
        body = self._checked(request, self.find_to_change(request, pk), partial)
        body.save()
        return Response(body.data)

    def _checked(
        self, request: Request, contact: Contact | None = None, partial: bool = False
    ) -> ContactBody:
        context = {"viewer": person_of(request)}
        body = ContactBody(contact, data=request.data, partial=partial, context=context)
        body.is_valid(raise_exception=True)
        return body
