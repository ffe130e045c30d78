"""Price lists: what the calls of an account cost from a day on."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import roles
from accounts.requests import PageRequest
from calls.models import ProviderAccount
from reconciliation.forms.prices import PriceListForm, RatesFormSet, as_typed
from reconciliation.models import PriceList

_may_reconcile = permission_required(roles.RECONCILE, raise_exception=True)
_door = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@require_safe
@_may_reconcile
def record_prices(request: PageRequest) -> HttpResponse:
    """All price lists, the latest of each account first."""
    lists = PriceList.objects.select_related("account").order_by("account__name", "-valid_from")
    context = {"lists": lists, "has_accounts": ProviderAccount.objects.exists()}
    return render(request, "reconciliation/prices.html", context)


@never_cache
@_door
@_may_reconcile
def record_price_new(request: PageRequest) -> HttpResponse:
    """A new list; `from` in the URL names one whose prices it begins with."""
    if not ProviderAccount.objects.exists():
        return redirect("record_prices")  # which says that there must be one first
    like = request.GET.get("from", "")
    earlier = PriceList.objects.filter(pk=int(like)).first() if like.isdecimal() else None
    fresh = PriceList(account=earlier.account, currency=earlier.currency) if earlier else None
    return _edit(request, fresh or PriceList(), earlier.rates if earlier else [])


@never_cache
@_door
@_may_reconcile
def record_price(request: PageRequest, pk: int) -> HttpResponse:
    """One list, to be changed."""
    what = get_object_or_404(PriceList, pk=pk)
    return _edit(request, what, what.rates)


def _edit(request: PageRequest, what: PriceList, rates: list[dict[str, Any]]) -> HttpResponse:
    if request.method != "POST":
        return _show(
            request, what, PriceListForm(instance=what), RatesFormSet(initial=as_typed(rates))
        )
    rows: Any = RatesFormSet(request.POST)
    if "more" in request.POST:
        typed = PriceListForm(instance=what, initial=request.POST.dict())
        return _show(request, what, typed, _longer(rows))
    form = PriceListForm(request.POST, instance=what)
    if not (form.is_valid() & rows.is_valid()):
        return _show(request, what, form, rows, status=400)
    what = form.save(commit=False)
    what.rates = rows.kept
    what.save()
    messages.success(request, _("The price list was saved."))
    return redirect("record_prices")


def _longer(rows: Any) -> Any:
    """The same rows as they were typed, and some more that are empty."""
    typed = [{name: row[name].value() for name in row.fields} for row in rows]
    return RatesFormSet(initial=[row for row in typed if row["digits"] or row["per_minute"]])


def _show(
    request: PageRequest, what: PriceList, form: PriceListForm, rows: Any, status: int = 200
) -> HttpResponse:
    context = {"what": what, "form": form, "rows": rows}
    return render(request, "reconciliation/price_list.html", context, status=status)


@never_cache
@require_POST
@_may_reconcile
def record_price_delete(request: PageRequest, pk: int) -> HttpResponse:
    """Removes a list; the one before it holds on."""
    get_object_or_404(PriceList, pk=pk).delete()
    messages.success(request, _("The price list was deleted."))
    return redirect("record_prices")
