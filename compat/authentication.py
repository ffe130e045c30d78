"""How the first system's windows bring their key: most in X-API-Key, some as a bearer's token."""

from typing import Final

from rest_framework.request import Request

from accounts.authentication import ApiKeyAuthentication, SessionAuthentication

_SCHEME: Final = "bearer"  # in letters of either case, as in all of HTTP


def key_in(own_header: str | None, authorization: str) -> str | None:
    """The key of `X-API-Key: cm_…`, else of `Authorization: Bearer cm_…`; None for neither."""
    scheme, _space, key = authorization.partition(" ")
    if own_header is None and scheme.lower() == _SCHEME:
        return key.strip()
    return own_header


class DesktopKeyAuthentication(ApiKeyAuthentication):
    """A key in either header."""

    def key_of(self, request: Request) -> str | None:
        return key_in(super().key_of(request), request.META.get("HTTP_AUTHORIZATION", ""))


AUTHENTICATION: Final = (DesktopKeyAuthentication, SessionAuthentication)
