"""Who is asking: a program by its key, or a person by the browser's session."""

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from accounts.backends import know_permissions
from accounts.key_usage import key_usage
from accounts.known_keys import KnownKey, known_keys
from accounts.models import ApiKey, User
from common.databases.prepared_sql import A_TEXT, Prepared

_LAST_USED_STEP = dt.timedelta(minutes=1)
# What an API request asks of a key and its owner; anything else is fetched when it is asked for.
_NEEDED = (
    "last_used_at",
    "owner__username",
    "owner__team_id",
    "owner__is_active",
    "owner__is_superuser",
)


def person_of(request: Request) -> User:
    """Who is asking, in a view that lets nobody in without a key or a session."""
    assert isinstance(request.user, User)
    return request.user


def usable_key(key: str) -> ApiKey | None:
    """The row of `key` with its owner, unless it is unknown, revoked or its owner has left."""
    return next(iter(_USABLE.found(ApiKey.digest_of(key))), None)


def _look_up(digest: str) -> KnownKey | None:
    found = _USABLE.values(digest)
    if not found:
        return None
    row = _USABLE.instance(found[0])
    # A superuser may do everything, and nobody asks for the list.
    is_listed = not row.owner.is_superuser
    permissions = frozenset(row.owner.get_all_permissions() if is_listed else ())
    return KnownKey(found[0], permissions, key_usage.noted(row.pk) or row.last_used_at)


_USABLE = Prepared(
    lambda: (
        ApiKey.objects.usable()
        .filter(digest=A_TEXT)
        .select_related("owner")
        .only(*_NEEDED)
        .order_by()
    ),
    A_TEXT,
)


def _note_use(row: ApiKey, known: KnownKey) -> None:
    present = timezone.now()
    if known.used is None or present - known.used > _LAST_USED_STEP:
        known.used = present
        key_usage.note(row.pk, present)


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """`X-API-Key: cm_…`. A key that is revoked stops at once, see `accounts.known_keys`."""

    def key_of(self, request: Request) -> str | None:
        """The key that `request` brings; None where it brings none."""
        key: str | None = request.META.get("HTTP_X_API_KEY")
        return key

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        key = self.key_of(request)
        if key is None:
            return None
        known = known_keys.get(ApiKey.digest_of(key), _look_up)
        if known is None:
            raise exceptions.AuthenticationFailed(
                _("This API key is unknown or was revoked. Ask an administrator for a new one.")
            )
        row: ApiKey = _USABLE.instance(known.columns)
        know_permissions(row.owner, known.permissions)
        _note_use(row, known)
        return row.owner, row

    def authenticate_header(self, request: Request) -> str:
        return "ApiKey"


class SessionAuthentication(authentication.SessionAuthentication):
    """The signed-in browser, with CSRF."""

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied as error:
            raise exceptions.PermissionDenied(
                _("The CSRF token is missing or old. Reload the page, or use an API key.")
            ) from error
