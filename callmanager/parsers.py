"""The one format of the API: JSON, bounded, and never a crash."""

import json
from typing import Any, NoReturn

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser

_LEVELS = 16  # of nesting; our bodies have one


class BodyTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "body_too_large"

    def __init__(self) -> None:
        limit = settings.API_MAX_BODY_BYTES // 1024
        super().__init__(_("The body is too large: at most %(limit)d KiB.") % {"limit": limit})


class OneFormat(DefaultContentNegotiation):
    """Answers in the view's one format, whatever the program says it accepts."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


def _refuse_constant(name: str) -> NoReturn:
    raise ParseError(_("%(name)s is not a JSON value.") % {"name": name})


_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode


def _is_deep(data: Any) -> bool:
    """Whether `data` is nested deeper than _LEVELS; looks without recursion."""
    layer = [data]
    for _level in range(_LEVELS):
        layer = [
            child
            for value in layer
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
    return bool(layer)


class BoundedJSONParser(JSONParser):
    """Refuses bodies over API_MAX_BODY_BYTES (413) and anything that is not a JSON object (400)."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        body = stream.read(settings.API_MAX_BODY_BYTES + 1)
        if len(body) > settings.API_MAX_BODY_BYTES:
            raise BodyTooLarge
        try:
            data = _decode(body.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise ParseError(_("The body is not valid JSON.")) from error
        if not isinstance(data, dict):
            raise ParseError(_("The body must be a JSON object, such as {}."))
        if _is_deep(data):
            raise ParseError(_("The body is nested too deeply."))
        return data
