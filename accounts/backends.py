"""Who may sign in with a name and a password."""

from typing import Any, Final

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.models import User

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
