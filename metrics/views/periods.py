"""Gives a page the period that its URL asks for."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from accounts.requests import PageRequest
from common.instants import local_now
from common.periods import TODAY, PeriodError, period_of

View = Callable[..., HttpResponse]


def with_period(default: str = TODAY) -> Callable[[View], View]:
    """The view gets the period behind the request; one that cannot be read is said, with 400."""

    def decorate(view: View) -> View:
        @wraps(view)
        def inner(request: PageRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                period = period_of(request.GET, local_now(), default)
            except PeriodError as error:
                return render(request, "metrics/period_error.html", {"error": error}, status=400)
            return view(request, period, *args, **kwargs)

        return inner

    return decorate
