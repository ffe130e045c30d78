"""One URL, two sizes: the whole page for a browser, only the partial for HTMX."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def render_page(
    request: HttpRequest, page: str, partial: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Renders `partial` for an HTMX request, else `page`, which includes the same partial."""
    # A browser going back asks through HTMX, too, but for the page.
    part = request.htmx and not request.htmx.history_restore_request
    response = render(request, partial if part else page, context, status=status)
    patch_vary_headers(response, ("HX-Request",))
    return response
