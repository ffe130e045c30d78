"""One URL, two sizes: the whole page for a browser, only the partial for HTMX."""

from typing import Any, Final, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

# What a page's script does with the click that it keeps, once it is answered (static/js/clicks.js):
# it is recorded, will never be, or is to be sent again.
DONE: Final = "done"
REFUSED: Final = "refused"
LATER: Final = "later"


class HtmxRequest(HttpRequest):
    """A request that django-htmx's middleware has seen, for those who read the types."""

    htmx: HtmxDetails


def wants_part(request: HttpRequest) -> bool:
    """HTMX asks, and not for the whole page, as it does when the reader goes back."""
    htmx = cast(HtmxRequest, request).htmx
    return bool(htmx) and not htmx.history_restore_request


def render_page(
    request: HttpRequest, page: str, partial: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Renders `partial` for an HTMX request, else `page`, which includes the same partial."""
    template = partial if wants_part(request) else page
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ("HX-Request",))
    return response


def say_of_click(response: HttpResponse, what: str) -> HttpResponse:
    """Tells the script that sent a click what becomes of it, whatever the status of `response`.

    An answer without this is none of ours, and the click is sent again.
    """
    response.headers["X-Click"] = what
    return response
