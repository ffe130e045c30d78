"""What happens to a request before and after its view: little for programs, Django's for pages."""

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.auth.views import redirect_to_login
from django.core.handlers.exception import convert_exception_to_response
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import resolve_url
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

from common.databases.faults import is_fault
from common.htmx import HtmxRequest

logger = logging.getLogger(__name__)


class Programs:
    """A request with an API key goes straight to its view, and so does a phone system's message.

    Sessions, messages and all else that only pages need cost it a third of its time and mean
    nothing to it. What leads nowhere goes on to where every address is answered; so does a message
    that failed, and is told a second time.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        self._get_response = get_response
        self._answer = convert_exception_to_response(_answer)
        self._policy = CSPMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_message = request.method == "POST" and request.path_info.startswith("/hooks/")
        has_key = "HTTP_X_API_KEY" in request.META and request.path_info.startswith("/api/")
        if not (has_key or is_message):
            return self._get_response(request)
        try:
            request.resolver_match = _resolve(request.path_info)
        except Resolver404:
            return self._get_response(request)
        language = translation.get_language_from_request(request)
        translation.activate(language)
        answer = self._answer_message if is_message else self._answer
        response = cast(HttpResponseBase, answer(request))
        headers = response.headers
        headers.setdefault("Content-Language", language)
        headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
        if isinstance(response, HttpResponse):
            headers["Content-Length"] = str(len(response.content))
        patch_vary_headers(response, ("Accept-Language",))
        return response

    def _answer_message(self, request: HttpRequest) -> HttpResponseBase:
        try:
            answer: HttpResponseBase = self._policy.process_response(request, _answer(request))
        except Http404:
            return self._get_response(request)
        except Exception as error:  # the long way meets it again, and has a page for it
            if is_fault(error):  # and would wait for the database once more
                raise
            logger.exception("A phone system's message failed; it is taken once more")
            return self._get_response(request)
        return answer


# Programs ask for few addresses.
_resolve = lru_cache(maxsize=512)(resolve)


def _answer(request: HttpRequest) -> HttpResponseBase:
    request.get_host()  # refuses a name that is not ours
    match = cast(ResolverMatch, request.resolver_match)
    response: Any = match.func(request, *match.args, **match.kwargs)
    return cast(HttpResponseBase, response.render() if hasattr(response, "render") else response)


class PageCompression(GZipMiddleware):
    """Compresses pages and their parts, not files that are streamed. Django pads the answers by
    chance, so that their length betrays no token."""

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        is_page = response.get("Content-Type", "").startswith("text/html")
        if response.streaming or not is_page:
            return response
        return super().process_response(request, response)


class PageLogin(auth.LoginRequiredMiddleware):
    """Asks first whether the view wants a login: only then the session is looked at."""

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
            back = request.get_full_path()
            if back == "/":  # just the site: where one starts depends on the role
                back = ""
        else:
            back = htmx.current_url_abs_path or "/"
        login = redirect_to_login(back, resolve_url(self.get_login_url(view_func)))
        return HttpResponseClientRedirect(login.url) if htmx else login


class Language:
    """The language the person chose, else the browser's or program's, else LANGUAGE_CODE.

    Set for every request: a thread still has the language of the last one it served.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = getattr(request.user, "language", "")
        language = chosen or translation.get_language_from_request(request)
        translation.activate(language)
        response = self._get_response(request)
        patch_vary_headers(response, ("Accept-Language",))
        response.headers.setdefault("Content-Language", language)
        return response
