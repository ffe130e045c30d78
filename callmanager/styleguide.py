"""Every component in both themes, for those who build pages. Only with DEBUG=1."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

_THEMES = ("light", "dark")
_COLOURS = (
    *("canvas", "surface", "raised", "line", "line-strong", "text", "muted"),
    *("accent", "accent-strong", "accent-soft", "green", "green-soft", "amber", "amber-soft"),
    *("red", "red-soft", "blue", "blue-soft"),
)
_SIZES = ("xs", "s", "m", "l", "xl", "xxl")


@login_not_required
@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    context = {"themes": _THEMES, "colours": _COLOURS, "sizes": _SIZES, "spaces": range(1, 8)}
    return render(request, "styleguide.html", context)
