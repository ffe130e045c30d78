"""The calls of the history page, with the same filters, as a file."""

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import BadRequest
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.requests import PageRequest
from calls.filters import CallFilter
from calls.models import CallLog
from metrics.exports import call_csv_response


@never_cache
@require_GET
@permission_required("calls.export_calls", raise_exception=True)
def call_export(request: PageRequest) -> HttpResponseBase:
    """Raises BadRequest for a filter that cannot be read; the history page says which."""
    calls = CallLog.objects.visible_to(request.user)
    found = CallFilter(request.GET, queryset=calls, viewer=request.user)
    if not found.is_valid():
        raise BadRequest
    return call_csv_response(found.qs, request)
