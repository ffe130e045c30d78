"""Has a provider's records fetched now, and not only at night."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import roles
from accounts.requests import PageRequest
from reconciliation.forms.fetching import FetchForm
from reconciliation.tasks import fetch_now


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(roles.RECONCILE, raise_exception=True)
def record_fetch(request: PageRequest) -> HttpResponse:
    """The worker asks the provider, which may take minutes; what came of it is an import."""
    form = FetchForm(request.POST or None)
    if not form.is_valid():
        status = 400 if request.method == "POST" else 200
        return render(request, "reconciliation/fetch.html", {"fetch_form": form}, status=status)
    account = form.accounts[form.cleaned_data["account"]]
    since, until = form.period
    fetch_now(account.pk, request.user.pk, since.isoformat(), until.isoformat())
    messages.success(
        request,
        _("The records of %(account)s are being fetched. They will stand in the list of imports.")
        % {"account": account.name},
    )
    return redirect("record_imports")
