"""The API of calls: from start to end, the log, files. An end answers with the agent's figures."""

import uuid
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError as Invalid
from django.http import FileResponse, StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import roles
from accounts.authentication import person_of
from accounts.models import ApiKey, User
from accounts.throttling import LimitedView
from api.call_rows import FIELDS, CallsRenderer, bodies_of
from api.queries import PageQuery, check_names, checked, paged
from api.schema import CALL_ID, COLUMNS_PARAMETER, FILTER_PARAMETERS, STYLE_PARAMETERS
from api.serializers import (
    CallBody,
    CallDetailBody,
    DispositionBody,
    DisputeBody,
    DisputedBody,
    EndBody,
    EndedBody,
    StartBody,
    StartedBody,
    StepBody,
    SteppedBody,
    answers,
    parse_call_id,
)
from calls import services
from calls.errors import CallNotFound
from calls.history.filters import CallFilter
from calls.history.lists import running, visible_rows
from calls.history.pagination import page_of_newest, page_of_rows
from calls.models import CallLog, CallQuerySet
from calls.services import disputes, wrap_up
from common.instants import arrival_of, isoformat
from metrics.exports.csv_file import STYLE_NAMES
from metrics.exports.jobs import AT_ONCE, XLSX, Wanted, is_large
from metrics.exports.responses import csv_answer, xlsx_answer
from metrics.exports.xlsx_file import CONTENT_TYPE
from metrics.rollups.daily import totals_after


def source_of(request: Request) -> str:
    """Who speaks: a program by its key, or the person's page."""
    return services.CLIENT if isinstance(request.auth, ApiKey) else services.AGENT


def reported_at(request: Request, body: dict[str, Any], field: str) -> services.ReportedTime:
    """The instant in `field` of the checked `body`, by our clock; if absent, when it came. And who
    says so."""
    return services.settle_instant(
        body.get(field), body.get("sent_at"), field, arrival_of(request), source_of(request)
    )


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
            reported=reported_at(request, body, "occurred_at"),
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
            reported=reported_at(request, body, "started_at"),
            direction=body["direction"],
            provider=body.get("provider") or "",
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
        summary="End a call",
        request=EndBody,
        responses=answers({200: EndedBody}, 400, 403, 404, 409, 413, 415),
    )
    @action(detail=False, methods=["post"])
    def end(self, request: Request) -> Response:
        body = checked(EndBody, request.data)
        call = services.end_call(
            call_id_of(body["call_id"]),
            person_of(request),
            status=body["status"].status,
            reason=body["status"].reason,
            notes=body.get("notes") or "",
            disposition=body.get("disposition") or "",
            wrap_up=body["wrap_up"],
            reported=reported_at(request, body, "ended_at"),
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
            reported=reported_at(request, body, "occurred_at"),
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
        call = CallLog.objects.own(person).known_as(call_id_of(call_id))
        if call is None:
            raise CallNotFound(_("There is no such call among yours."))
        call.user = person
        call = wrap_up.set_disposition(call, person, code, source_of(request))
        return Response(stepped("Outcome noted", call))

    @extend_schema(
        summary="Dispute what is recorded of an own call",
        description="A supervisor decides; the call's `disputes` tell how that ended.",
        request=DisputeBody,
        parameters=[CALL_ID],
        responses=answers({201: DisputedBody}, 400, 403, 404, 409, 413, 415),
    )
    @action(detail=True, methods=["post"])
    def dispute(self, request: Request, call_id: str) -> Response:
        reason = checked(DisputeBody, request.data)["reason"]
        person = person_of(request)
        call = CallLog.objects.own(person).known_as(call_id_of(call_id))
        if call is None:
            raise CallNotFound(_("There is no such call among yours."))
        opened = disputes.dispute(call, person, reason, source_of(request))
        answer = {"message": "Call disputed", "call_id": str(opened.call.call_id)}
        return Response(answer | {"state": opened.state}, status=201)

    @extend_schema(
        summary="Calls, newest first",
        parameters=[*FILTER_PARAMETERS, PageQuery],
        responses=answers({200: CallBody(many=True)}, 400),
    )
    @action(detail=False, methods=["get"], renderer_classes=[CallsRenderer])
    def log(self, request: Request) -> Response:
        query, viewer = request.query_params, person_of(request)
        check_names(query, {*CallFilter.base_filters, *PageQuery().fields})
        if any(query.get(name) for name in CallFilter.base_filters):
            page_of = partial(page_of_rows, self.filtered(request), FIELDS)
        else:  # as from the form, which takes a millisecond
            page_of = partial(page_of_newest, viewer, FIELDS)
        return paged(request, page_of, bodies_of)

    def filtered(self, request: Request) -> CallQuerySet:
        """The visible calls that the query's filters ask for."""
        viewer = person_of(request)
        wanted = CallFilter(request.query_params, self.visible(viewer), viewer=viewer)
        if not wanted.is_valid():
            raise ValidationError(wanted.errors)
        calls: CallQuerySet = wanted.qs
        return calls

    @extend_schema(
        summary="Calls in progress",
        responses=answers({200: CallBody(many=True)}, 400),
        filters=False,
    )
    @action(detail=False, methods=["get"], renderer_classes=[CallsRenderer])
    def active(self, request: Request) -> Response:
        check_names(request.query_params, set())
        return Response(bodies_of(visible_rows(person_of(request), running, FIELDS)))

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

    @extend_schema(
        summary="Calls as a CSV file, newest first",
        parameters=[*FILTER_PARAMETERS, COLUMNS_PARAMETER, *STYLE_PARAMETERS],
        responses=answers({(200, "text/csv"): OpenApiTypes.STR}, 400, 403),
    )
    @action(detail=False, methods=["get"], url_path="export.csv", url_name="export")
    def export(self, request: Request) -> StreamingHttpResponse:
        wanted = wanted_file(request, *STYLE_NAMES)
        return csv_answer(wanted.document(figures=False), wanted.style)

    @extend_schema(
        summary="Calls as an Excel workbook, newest first",
        parameters=[*FILTER_PARAMETERS, COLUMNS_PARAMETER],
        responses=answers({(200, CONTENT_TYPE): OpenApiTypes.BINARY}, 400, 403),
    )
    @action(detail=False, methods=["get"], url_path="export.xlsx", url_name="export-xlsx")
    def export_xlsx(self, request: Request) -> FileResponse:
        wanted = wanted_file(request)
        if is_large(wanted, XLSX):
            raise ValidationError(
                _("More than %(rows)d calls: choose fewer, or take the CSV file.")
                % {"rows": AT_ONCE[XLSX]}
            )
        return xlsx_answer(wanted.document())


def wanted_file(request: Request, *others: str) -> Wanted:
    """The file of calls that the query asks for; it may also have `others`."""
    if not person_of(request).has_perm(roles.EXPORT_CALLS):
        raise PermissionDenied(_("You may not export calls. Ask an administrator."))
    query = request.query_params
    check_names(query, {*CallFilter.base_filters, "columns", *others})
    try:
        return Wanted.of(person_of(request), query, for_people=False)
    except Invalid as error:
        raise ValidationError(error.message_dict) from error
