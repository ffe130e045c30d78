"""Django's middleware, less what an API request with a key does not need.

Sessions, messages and the rest cost a program's request a third of its time and mean nothing to it.
"""

from collections.abc import Callable
from typing import Any, cast

from csp.middleware import CSPMiddleware
from django.contrib.auth import middleware as auth
from django.contrib.auth.views import redirect_to_login
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import resolve_url
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxMiddleware

from common.htmx import HtmxRequest


def has_key(request: HttpRequest) -> bool:
    return "HTTP_X_API_KEY" in request.META and request.path_info.startswith("/api/")


class ForPages(MiddlewareMixin):
    """Steps aside for requests that carry an API key."""

    def __call__(self, request: HttpRequest) -> Any:
        if has_key(request):
            return self.get_response(request)
        return super().__call__(request)


class PageSecurityPolicy(ForPages, CSPMiddleware):
    pass


class PageCompression(ForPages, GZipMiddleware):
    """Compresses pages and their parts, not files that are streamed. Django pads the answers by
    chance, so that their length betrays no token."""

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        is_page = response.get("Content-Type", "").startswith("text/html")
        if response.streaming or not is_page:
            return response
        return super().process_response(request, response)


class PageSession(ForPages, sessions.SessionMiddleware):
    pass


class PageAuthentication(ForPages, auth.AuthenticationMiddleware):
    pass


class PageLogin(auth.LoginRequiredMiddleware):
    """Asks first whether the view wants a login: a request with a key has no session to look in."""

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> Any:
        """The sign-in page; HTMX would put it into a fragment, so it is told to go there.

        A form that came too late leads back to the start: its address alone shows no page.
        """
        htmx = cast(HtmxRequest, request).htmx
        if request.method in ("GET", "HEAD") and not htmx:
            return super().handle_no_permission(request, view_func)
        back = htmx.current_url_abs_path or "/"
        login = redirect_to_login(back, resolve_url(self.get_login_url(view_func)))
        return HttpResponseClientRedirect(login.url) if htmx else login


class PageMessages(ForPages, messages.MessageMiddleware):
    pass


class PageHtmx:
    """django-htmx's middleware behind the same gate; it is no MiddlewareMixin."""

    def __init__(self, get_response: Any):
        self._get_response = get_response
        self._htmx = HtmxMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> Any:
        return self._get_response(request) if has_key(request) else self._htmx(request)


class Language:
    """The language the person chose, else the browser's or program's, else LANGUAGE_CODE.

    Set for every request: a thread still has the language of the last one it served.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = "" if has_key(request) else getattr(request.user, "language", "")
        language = chosen or translation.get_language_from_request(request)
        translation.activate(language)
        response = self._get_response(request)
        patch_vary_headers(response, ("Accept-Language",))
        response.headers.setdefault("Content-Language", language)
        return response
