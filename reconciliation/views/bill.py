"""What the calls of a period cost, beside what the providers bill for them."""

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import roles
from accounts.requests import PageRequest
from calls.models import ProviderAccount
from calls.models.rows import Cells
from common.formats.period_words import period_in_words
from common.periods import MONTH, Period
from metrics.dashboard.tables import cut
from metrics.exports.csv_file import Style
from metrics.exports.document import NUMBER, SECONDS, Document, Head, Sheet, made_by
from metrics.exports.responses import csv_answer
from metrics.views.periods import with_period
from reconciliation.billing.bill import Bill, bill_of
from reconciliation.billing.lines import BillLine, tables_of, totals_of, unpriced_of
from reconciliation.models import PriceList

_may_reconcile = permission_required(roles.RECONCILE, raise_exception=True)


def _bill(request: PageRequest, period: Period) -> Bill:
    return bill_of(request.user, ProviderAccount.objects.order_by("name"), period)


@never_cache
@require_safe
@_may_reconcile
@with_period(MONTH)
def record_bill(request: PageRequest, period: Period) -> HttpResponse:
    """The bill of the period: in all, by account, agent and country, and what has no price."""
    bill = _bill(request, period)
    context: dict[str, Any] = {
        "period": period,
        "has_lists": PriceList.objects.exists(),
        "has_accounts": ProviderAccount.objects.exists(),
        "bill": bill,
        "totals": totals_of(bill),
        "tables": {name: cut(lines, request.GET) for name, lines in tables_of(bill).items()},
        "unpriced": cut(unpriced_of(bill), request.GET),
        "unlisted": sorted(bill.unlisted.items()),
    }
    return render(request, "reconciliation/bill.html", context)


@never_cache
@require_safe
@_may_reconcile
@with_period(MONTH)
def record_bill_csv(request: PageRequest, period: Period) -> Any:
    """One of its tables, `table=accounts` unless the URL says agents or countries."""
    tables = tables_of(_bill(request, period))
    table = request.GET.get("table") or "accounts"
    if table not in tables:
        raise BadRequest
    try:
        style = Style.of(request.GET, for_people=True)
    except ValidationError as error:
        raise BadRequest from error
    sheet = Sheet(_("Bill"), _heads(), lambda: [_columns(tables[table])])
    about = made_by(request.user, period_in_words(period))
    return csv_answer(Document(sheet.title, about, [sheet]), style, f"bill-{table}")


def _heads() -> list[Head]:
    return [
        Head("name", _("Name")),
        Head("currency", _("Currency")),
        Head("calls", _("Calls"), NUMBER),
        Head("billed_seconds", _("Billed time"), SECONDS),
        Head("amount", _("By price list"), NUMBER),
        Head("provider_calls", _("Calls billed by the provider"), NUMBER),
        Head("provider_amount", _("Billed by the provider"), NUMBER),
        Head("difference", _("Difference"), NUMBER),
    ]


def _columns(lines: list[BillLine]) -> list[Cells]:
    rows = [
        (
            *(line.name, line.currency, line.sums.calls, line.sums.seconds, line.sums.amount),
            *(line.sums.told_calls, line.sums.told_amount, line.sums.difference),
        )
        for line in lines
    ]
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _head in _heads()]
