"""Webhooks: where they lead, how sending goes, their secrets, and sending again."""

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import roles
from accounts.requests import PageRequest
from notifications.models import EventKind, SendState, WebhookDelivery, WebhookEndpoint
from notifications.views.webhook_forms import AgainForm, LogForm, WebhookForm
from notifications.webhooks import endpoints, sending, sequencer

LOG_LINES: Final = 50
_may_manage = permission_required(roles.MANAGE_CHANNELS, raise_exception=True)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_may_manage
def webhooks(request: PageRequest) -> HttpResponse:
    """The list; by POST, one more webhook, whose secret is in this answer and nowhere else."""
    if request.method != "POST":
        return _list(request, WebhookForm())
    form = WebhookForm(request.POST)
    if not form.is_valid():
        return _list(request, form, status=400)
    try:
        secret = endpoints.add(form.save(commit=False))
    except endpoints.FeedBehind:
        form.add_error(
            None, _("The calls there are already are still being numbered. Try again in a minute.")
        )
        return _list(request, form, status=503)
    return _one(request, form.instance, secret=secret)


def _list(request: PageRequest, form: WebhookForm, status: int = 200) -> HttpResponse:
    context = {"webhooks": WebhookEndpoint.objects.all(), "form": form}
    return render(request, "notifications/webhooks.html", context, status=status)


def _one(
    request: PageRequest, endpoint: WebhookEndpoint, status: int = 200, **more: Any
) -> HttpResponse:
    endpoint.refresh_from_db()
    log_form = LogForm(request.GET)
    log_form.is_valid()
    log = _log(endpoint, **log_form.cleaned_data)
    context = {
        "webhook": endpoint,
        "form": WebhookForm(instance=endpoint),
        "again_form": AgainForm(),
        "kinds": [EventKind(kind).label for kind in endpoint.kinds if kind in EventKind.values],
        "last": sequencer.last_number(),
        "waiting": endpoint.deliveries.filter(state=SendState.WAITING).count(),
        "old_secret_until": endpoints.old_secret_until(endpoint),
        "is_sealed": not endpoints.readable_secrets(endpoint),
        "log_form": log_form,
        "log": log[:LOG_LINES],
        "older": log[LOG_LINES - 1].pk if len(log) > LOG_LINES else None,
    }
    return render(request, "notifications/webhook.html", context | more, status=status)


def _log(
    endpoint: WebhookEndpoint, state: str = "", kind: str = "", before: int | None = None
) -> list[WebhookDelivery]:
    """The newest deliveries, and one more than a page has."""
    found = endpoint.deliveries.select_related("entry__event__call").order_by("-pk")
    wanted = {"state": state, "kind": kind, "pk__lt": before}
    return list(found.filter(**{name: one for name, one in wanted.items() if one})[: LOG_LINES + 1])


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_may_manage
def webhook(request: PageRequest, pk: int) -> HttpResponse:
    """One webhook and its log; by POST, its name, address and events are changed."""
    endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
    if request.method != "POST":
        return _one(request, endpoint)
    form = WebhookForm(request.POST, instance=endpoint)
    if not form.is_valid():
        return _one(request, WebhookEndpoint.objects.get(pk=pk), 400, form=form)
    WebhookEndpoint.objects.filter(pk=pk).update(
        **{name: form.cleaned_data[name] for name in form.fields}
    )
    messages.success(request, _("Saved."))
    return redirect("webhook", pk)


@never_cache
@require_POST
@_may_manage
def test(request: PageRequest, pk: int) -> HttpResponse:
    """Sends an event that means nothing, now, and says what was answered."""
    line = sending.send_test(get_object_or_404(WebhookEndpoint, pk=pk))
    if line.state == SendState.SENT:
        answered = _("The test was taken: HTTP %(status)d.") % {"status": line.status_code}
        messages.success(request, answered)
    else:
        messages.error(request, _("The test was not taken: %(error)s") % {"error": line.error})
    return redirect("webhook", pk)


@never_cache
@require_POST
@_may_manage
def switch(request: PageRequest, pk: int) -> HttpResponse:
    """Switches on (`on=1`) or off."""
    endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
    on = request.POST.get("on") == "1"
    endpoints.switch(endpoint, on)
    name = {"name": endpoint.name}
    if on:
        said = _("“%(name)s” is on again and goes on where it had stopped.") % name
    else:
        said = _("“%(name)s” is off. What happens meanwhile is sent when it is on again.") % name
    messages.success(request, said)
    return redirect("webhook", pk)


@never_cache
@require_POST
@_may_manage
def new_secret(request: PageRequest, pk: int) -> HttpResponse:
    """Another secret, which is in this answer and nowhere else."""
    endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
    return _one(request, endpoint, secret=endpoints.rotate(endpoint))


@never_cache
@require_POST
@_may_manage
def end_old_secret(request: PageRequest, pk: int) -> HttpResponse:
    endpoints.end_old_secret(get_object_or_404(WebhookEndpoint, pk=pk))
    messages.success(request, _("Only the newest secret is valid now."))
    return redirect("webhook", pk)


@never_cache
@require_POST
@_may_manage
def send_again(request: PageRequest, pk: int) -> HttpResponse:
    """Sends everything from the event `number` on once more; with `delivery`, that alone."""
    endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
    if key := request.POST.get("delivery", ""):
        is_key = key.isascii() and key.isdigit() and len(key) < 19
        sent = endpoint.deliveries.filter(entry__isnull=False)
        endpoints.send_again(get_object_or_404(sent, pk=int(key) if is_key else None))
        messages.success(request, _("It is sent again."))
        return redirect("webhook", pk)
    form = AgainForm(request.POST)
    if not form.is_valid():
        return _one(request, endpoint, 400, again_form=form)
    number = form.cleaned_data["number"]
    endpoints.send_again_after(endpoint, number - 1)
    messages.success(
        request, _("Everything from event %(number)d on is sent again.") % {"number": number}
    )
    return redirect("webhook", pk)


@never_cache
@require_POST
@_may_manage
def delete(request: PageRequest, pk: int) -> HttpResponse:
    endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
    endpoint.delete()
    messages.success(request, _("“%(name)s” is deleted.") % {"name": endpoint.name})
    return redirect("webhooks")
