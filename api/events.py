"""The feed of events: what happened, in the order of its commits, from a cursor on."""

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import person_of
from accounts.throttling import LimitedView
from api.queries import DEFAULT_LIMIT, check_names, checked
from api.serializers import CallBody, EventBody, Instant, answers
from api.shapes import FEED_CURSOR
from notifications.models import EventKind
from notifications.webhooks.feed import WINDOW, Page, page_after, page_at_end

_LATEST: Final = "latest"
_LAST: Final = 2**63 - 1


@extend_schema_field(FEED_CURSOR)
class FeedCursor(serializers.IntegerField):
    """The number of an event, or _LATEST."""

    default_error_messages = {"invalid": _("Give the `next` of an earlier answer, 0 or latest.")}

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return _LATEST if data == _LATEST else super().run_validation(data)


class FeedQuery(serializers.Serializer[None]):
    after = FeedCursor(
        default=0,
        min_value=0,
        max_value=_LAST,
        help_text="`next` of the last answer; 0, or none: from the beginning; `latest`: what comes "
        "from now on.",
    )
    limit = serializers.IntegerField(
        min_value=1, default=DEFAULT_LIMIT, help_text=f"More than {WINDOW} is cut to it."
    )


class FiredBody(serializers.Serializer[None]):
    """A rule that fired, in words."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    sentence = serializers.CharField()
    link = serializers.CharField(help_text="The path of the page that shows what it is about.")
    agent = serializers.CharField(allow_null=True, help_text="A username.")
    team = serializers.CharField(allow_null=True)
    subject = serializers.CharField(allow_blank=True)
    reached_at = Instant()
    fired_at = Instant()
    over_at = Instant(allow_null=True)


class FeedDataBody(serializers.Serializer[None]):
    """`event` for what happened to a call, `alert` for a rule that fired."""

    call = CallBody(allow_null=True, help_text="As it stands now.")
    aliases = serializers.ListField(
        child=serializers.UUIDField(), help_text="Other ids that the call was known by."
    )
    event = EventBody(required=False, help_text="What was said of it, by whom.")
    alert = FiredBody(required=False)


class FeedEventBody(serializers.Serializer[None]):
    number = serializers.IntegerField(help_text="Its place in the feed.")
    id = serializers.CharField(help_text="The same in a webhook’s `webhook-id`.")
    type = serializers.ChoiceField(choices=EventKind.values)
    timestamp = Instant(help_text="When it happened.")
    data = FeedDataBody()  # type: ignore[assignment]  # a key of the body


class FeedBody(serializers.Serializer[None]):
    events = FeedEventBody(many=True)
    next = serializers.IntegerField(help_text="The cursor for what follows.")
    more = serializers.BooleanField(help_text="Whether something follows already.")


class EventsView(LimitedView, APIView):
    """The feed: see docs/webhooks.md."""

    @extend_schema(
        operation_id="events_list",
        summary="What happened, in order, from a cursor on",
        parameters=[FeedQuery],
        responses=answers({200: FeedBody}, 400),
    )
    def get(self, request: Request) -> Response:
        query = request.query_params
        check_names(query, set(FeedQuery().fields))
        wanted = checked(FeedQuery, {name: value for name, value in query.items() if value})
        if wanted["after"] == _LATEST:
            return Response(_body_of(page_at_end()))
        limit = min(wanted["limit"], WINDOW)
        return Response(_body_of(page_after(wanted["after"], limit, person_of(request))))


def _body_of(page: Page) -> dict[str, Any]:
    return {
        "events": [
            {"number": message.number, "id": message.id, **message.body()}
            for message in page.messages
        ],
        "next": page.next,
        "more": page.more,
    }
