"""Statements of a call, or of the calls of a period, for somebody who was not there."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.requests import PageRequest
from calls.views.history import visible_call
from common.periods import MONTH, Period
from metrics.charts.cards import value_of, working_of
from metrics.dashboard.selection import Selection, selection_of
from metrics.definitions import ON_CARDS, Sums
from metrics.exports.pdf_file import PdfUnavailable, pages_of, written
from metrics.exports.responses import pdf_answer
from metrics.exports.statement import (
    Statement,
    TooManyCalls,
    statement_of_call,
    statement_of_period,
)
from metrics.rollups.daily import own_sums, sums_of
from metrics.views.periods import with_period

_may_export = permission_required("calls.export_calls", raise_exception=True)


def _door(view: Callable[..., HttpResponse]) -> Callable[..., Any]:
    return never_cache(require_safe(_may_export(view)))


@_door
def call_statement(request: PageRequest, call_id: uuid.UUID) -> HttpResponse:
    stated = statement_of_call(visible_call(request, call_id), request.user)
    return _page(request, stated, reverse("call_statement_pdf", args=[call_id]))


@_door
def call_statement_pdf(request: PageRequest, call_id: uuid.UUID) -> HttpResponse:
    return _pdf(request, statement_of_call(visible_call(request, call_id), request.user))


@_door
@with_period(MONTH)
def statement(request: PageRequest, period: Period) -> HttpResponse:
    """Of the agent, team or everybody that the URL says; of this month where it says no period."""
    chosen = selection_of(request.user, request.GET)
    try:
        stated = _of_period(chosen, period, request.user)
    except TooManyCalls as error:
        return _refused(request, period, error)
    address = f"{reverse('statement_pdf')}?{chosen.query(period)}"
    return _page(request, stated, address, period=period)


@_door
@with_period(MONTH)
def statement_pdf(request: PageRequest, period: Period) -> HttpResponse:
    chosen = selection_of(request.user, request.GET)
    try:
        return _pdf(request, _of_period(chosen, period, request.user))
    except TooManyCalls as error:
        return _refused(request, period, error)


def _refused(request: PageRequest, period: Period, error: TooManyCalls) -> HttpResponse:
    """The page without a statement, where another period can be chosen."""
    context = {"refused": str(error), "period": period}
    return render(request, "metrics/statement.html", context, status=400)


def _of_period(chosen: Selection, period: Period, viewer: User) -> Statement:
    days = (period.first, period.last)
    agent = chosen.agent
    sums = sums_of(chosen.people, *days) if agent is None else own_sums(agent, *days)
    return statement_of_period(chosen.people, chosen.name, sums, period, viewer)


def _context(stated: Statement) -> dict[str, Any]:
    return {"statement": stated, "figures": [] if stated.sums is None else _figures(stated.sums)}


def _figures(sums: Sums) -> list[dict[str, Any]]:
    """Each figure, its formula with the period's numbers, and what it means."""
    return [
        {
            "label": figure.label,
            "value": value_of(figure, sums),
            "working": working_of(figure, sums),
            "sentence": figure.sentence,
        }
        for figure in ON_CARDS
    ]


def _page(request: PageRequest, stated: Statement, pdf: str, **more: Any) -> HttpResponse:
    return render(request, "metrics/statement.html", _context(stated) | {"pdf": pdf} | more)


def _pdf(request: PageRequest, stated: Statement) -> HttpResponse:
    context = _context(stated) | {"language": get_language()}
    html = render_to_string("metrics/statement_pdf.html", context)
    try:
        pages = pages_of(html, "document_pdf", "statement_pdf")
    except PdfUnavailable as error:
        words = {"status": 503, "title": _("There is no PDF."), "advice": str(error)}
        return render(request, "error.html", words, status=503)
    return pdf_answer(written(pages), "statement")
