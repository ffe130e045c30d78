"""The address that phone systems send their events to."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from calls.models import ProviderAccount
from calls.providers import adapters
from calls.providers.base import Forged, HookRequest
from calls.telephony import hooks
from common.instants import arrival_of, to_ms

_LARGEST_BODY = 1024 * 1024


@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def hook(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """Takes a phone system's message: 2xx once it is stored, 403 if it proves nothing.

    An account that there is not answers as one whose secret nobody knows: names cannot be guessed.
    """
    adapter = adapters().get(kind)
    if adapter is None or not adapter.has_hook:
        raise Http404
    account = ProviderAccount.active(kind, name) or hooks.nobody(kind, name)
    if int(request.META.get("CONTENT_LENGTH") or 0) > _LARGEST_BODY:
        return JsonResponse({"error": _("The body is too large: at most 1024 KiB.")}, status=413)
    try:
        reply = hooks.receive(account, _as_came(request))
    except Forged:
        return JsonResponse({"error": _("The signature is missing or wrong.")}, status=403)
    return HttpResponse(
        reply.body,
        status=reply.status,
        content_type=reply.content_type if reply.body else None,
        headers=dict(reply.headers),
    )


def _as_came(request: HttpRequest) -> HookRequest:
    """The request with the address that the provider called, however many proxies lie between."""
    base = settings.PUBLIC_BASE_URL or request.build_absolute_uri("/").rstrip("/")
    return HookRequest(
        method=request.method or "GET",
        url=base + request.get_full_path(),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.body,
        received=to_ms(arrival_of(request)),
    )
