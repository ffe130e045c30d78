"""Who may sign in with a name and a password."""

from typing import Any, Final

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from common.databases.prepared_sql import A_NUMBER, Prepared

DEMO_PASSWORD: Final = "demo"


def is_refused_demo(password: str | None) -> bool:
    """The password of every demo person, where there is no demo to try out."""
    return password == DEMO_PASSWORD and not settings.DEMO


class PasswordBackend(ModelBackend):
    """Names and passwords; the demo's password opens nothing outside demo mode."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        if is_refused_demo(password):
            return None
        return super().authenticate(request, username, password, **kwargs)

    def get_user(self, user_id: int) -> User | None:
        """With the team at once: every page that shows a clock asks for its thresholds."""
        user = User.objects.select_related("team").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Their own and their groups' in one statement, where Django asks twice; all pages do."""
        if not user_obj.is_active or user_obj.is_anonymous or user_obj.is_superuser or obj:
            return super().get_all_permissions(user_obj, obj)
        if not hasattr(user_obj, "_perm_cache"):
            rows = _PERMISSIONS.rows(user_obj.pk)
            user_obj._perm_cache = {f"{app}.{codename}" for app, codename in rows}
        permissions: set[str] = user_obj._perm_cache
        return permissions


def know_permissions(user: User, permissions: frozenset[str]) -> None:
    """Spares the statement that asks for them; of a superuser nobody asks."""
    if not user.is_superuser:
        user._perm_cache = permissions  # type: ignore[attr-defined]


def _permissions() -> QuerySet[Any]:
    fields = ("content_type__app_label", "codename")
    own = Permission.objects.filter(user=A_NUMBER).order_by().values_list(*fields)
    of_groups = Permission.objects.filter(group__user=A_NUMBER).order_by()
    return own.union(of_groups.values_list(*fields))


_PERMISSIONS = Prepared(_permissions, A_NUMBER)
