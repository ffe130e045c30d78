"""The API's description of itself (OpenAPI 3.1) and its browsable pages."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer2
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.throttling import LimitedView
from api.shapes import NO_NUL, NOT_BLANK, NOT_EMPTY


class KeyScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "X-API-Key"}


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.authentication.SessionAuthentication"
    name = "Session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class TextLimits(OpenApiSerializerFieldExtension):
    """What a text may not hold; its length is described without us."""

    target_class = "api.serializers.Text"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: str) -> Any:
        if direction == "response":
            return {"type": "string"}
        if self.target.allow_blank:  # the empty one is described beside it
            return {"type": "string", "pattern": NOT_EMPTY}
        return {"type": "string", "pattern": NOT_BLANK if self.target.trim_whitespace else NO_NUL}


class PhoneNumber(TextLimits):
    target_class = "api.contact_bodies.Number"
    priority = 1

    def map_serializer_field(self, auto_schema: Any, direction: str) -> Any:
        schema = super().map_serializer_field(auto_schema, direction)
        return {**schema, "format": "phone", "examples": ["+506 5123 4567"]}


class ContactLimits(OpenApiSerializerExtension):
    """How many numbers; and that a new contact needs one."""

    target_class = "api.contact_bodies.ContactBody"

    def map_serializer(self, auto_schema: Any, direction: str) -> Any:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        if direction == "response":
            return schema
        numbers = self.target.fields["numbers"]
        schema["properties"]["numbers"] |= {"minItems": 1, "maxItems": numbers.max_length}
        if not self.target.partial:
            schema["anyOf"] = [{"required": ["phone"]}, {"required": ["numbers"]}]
        return schema


def paths_without_slash(endpoints: list[Any], **kwargs: Any) -> list[Any]:
    """Every route answers with and without a slash at its end; the description has one spelling."""
    return [(path.rstrip("/"), regex, method, view) for path, regex, method, view in endpoints]


class SchemaView(LimitedView, APIView):
    renderer_classes = [OpenApiJsonRenderer2]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        return Response(SchemaGenerator().get_schema(request=request, public=True))


class DocsView(LimitedView, SpectacularSwaggerSplitView):
    """Swagger UI from our own static files; page and script are separate answers."""

    permission_classes = [IsAuthenticated]
    url_name = "api-schema"

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(response, "exception", False):  # an error is JSON here too
            request.accepted_renderer = JSONRenderer()
            request.accepted_media_type = JSONRenderer.media_type
        return super().finalize_response(request, response, *args, **kwargs)
