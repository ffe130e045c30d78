"""The timer in the header of every page: one view, one fragment."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.requests import PageRequest
from calls import services


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def timer(request: PageRequest) -> HttpResponse:
    """Shows the timer; POST is also the page's sign of life for the running calls."""
    if request.method == "POST":
        services.heartbeat_all(request.user)
    return render(request, "calls/_timer.html")
