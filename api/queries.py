"""What the API reads from bodies and query strings, checked; and lists, cut into pages."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError as InvalidCursor
from django.http import QueryDict
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from api.shapes import CURSOR, text

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000


@extend_schema_field(CURSOR)
class Cursor(serializers.CharField):
    """Where a page began; whether it is ours is asked of its signature."""


@extend_schema_field(text(120))
class Words(serializers.CharField):
    """What is searched."""


class PageQuery(serializers.Serializer[None]):
    """How much of a list, and from where on."""

    limit = serializers.IntegerField(
        min_value=1, default=DEFAULT_LIMIT, help_text=f"More than {MAX_LIMIT} is cut to it."
    )
    cursor = Cursor(default="", allow_blank=True, help_text="From the Link header of a page.")


class SearchQuery(serializers.Serializer[None]):
    search = Words(
        default="", allow_blank=True, max_length=120, help_text="In name, company or number."
    )


def checked(shape: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """`data` as `shape` has it; ValidationError says which fields are wrong.

    `shape` knows nothing but what it is given: no context, no row, so one of it serves all.
    """
    values: dict[str, Any] = _one(shape).run_validation(data)
    return values


@cache
def _one(shape: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """Making its fields costs ten times what they do with a body."""
    return shape()


def check_names(query: QueryDict, known: set[str]) -> None:
    """ValidationError for a query parameter that we do not know, or that is given twice.

    A filter that is ignored would answer a question that nobody asked.
    """
    wrong: dict[str, list[str]] = {}
    for name, values in query.lists():
        if name not in known:
            wrong[name] = [_("There is no such filter.")]
        elif len(values) > 1:
            wrong[name] = [_("Give this filter once.")]
    if wrong:
        raise ValidationError(wrong)


def paged(
    request: Request,
    page_of: Callable[[str, int], tuple[Any, str]],
    bodies_of: Callable[[Any], list[Any]],
) -> Response:
    """The page that `limit` and `cursor` ask for, and the link to the next (RFC 8288).

    `page_of` gives the page from a cursor on and the next one's cursor, as in
    calls.history.pagination; `bodies_of` what programs get of such a page.
    ValidationError where limit or cursor make no sense.
    """
    query = request.query_params
    page = checked(PageQuery, {name: value for name, value in query.items() if value})
    try:
        found, following = page_of(page["cursor"], min(page["limit"], MAX_LIMIT))
    except InvalidCursor as error:
        raise ValidationError({"cursor": error.messages}) from error
    headers = {"Link": _next_link(request, following)} if following else None
    return Response(bodies_of(found), headers=headers)


def _next_link(request: Request, cursor: str) -> str:
    query = request.query_params.copy()
    query["cursor"] = cursor
    url = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
    return f'<{url}>; rel="next"'
