"""Channels: a person's own, and the organisation's for who sets those up."""

from typing import Any, Final

from django.contrib import messages
from django.db.models import Count, Max, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import PageRequest
from accounts.roles import MANAGE_CHANNELS
from common import rate_limits
from common.databases.drivers import cache_errors
from notifications.channels.kinds import KINDS
from notifications.deliveries import outbox
from notifications.models import Channel, Delivery
from notifications.models.channels import ChannelKind
from notifications.models.deliveries import DeliveryState
from notifications.views.channel_form import ChannelForm

_TESTS: Final = "10/m"
_SHOWN: Final = 100
_MINE, _ORGANISATION = "mine", "organisation"
_door = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@require_safe
def channels(request: PageRequest) -> HttpResponse:
    """The channels, each with how its last message went."""
    seen = list(_with_states(request))
    context = {
        "own": [channel for channel in seen if channel.owner_id],
        "shared": [channel for channel in seen if not channel.owner_id],
        "own_kinds": [kind for kind in ChannelKind if KINDS[kind].personal],
        "kinds": list(ChannelKind),
    }
    return render(request, "notifications/channels.html", context)


def _with_states(request: PageRequest) -> list[Channel]:
    dead = Count("deliveries", filter=Q(deliveries__state=DeliveryState.DEAD))
    found: list[Any] = list(
        Channel.objects.visible_to(request.user).annotate(dead=dead, last_pk=Max("deliveries__pk"))
    )
    last = Delivery.objects.in_bulk([channel.last_pk for channel in found if channel.last_pk])
    for channel in found:
        channel.last = last.get(channel.last_pk)
    return found


@never_cache
@_door
def channel_new(request: PageRequest, scope: str, kind: str) -> HttpResponse:
    """One more channel, of one's own or of the organisation. It is tried at once."""
    owner = request.user if scope == _MINE else None
    allowed = (
        (KINDS[kind].personal if scope == _MINE else request.user.has_perm(MANAGE_CHANNELS))
        if kind in KINDS
        else False
    )
    if not allowed:
        raise Http404
    channel = Channel(kind=kind, owner=owner)
    return _edited(request, channel)


@never_cache
@_door
def channel(request: PageRequest, pk: int) -> HttpResponse:
    return _edited(request, _found(request, pk))


def _edited(request: PageRequest, channel: Channel) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    initial = {"name": channel.get_kind_display().capitalize(), "address": request.user.email}
    form = ChannelForm(
        sent, instance=channel, initial=initial if channel.pk is None and channel.owner else None
    )
    if form.is_valid():
        form.save()
        messages.success(request, _("Saved. Send a test to see whether it arrives."))
        return redirect("channels")
    context = {"form": form, "channel": channel, "help": KINDS[channel.kind].help}
    status = 400 if form.errors else 200
    return render(request, "notifications/channel.html", context, status=status)


@require_POST
def channel_test(request: PageRequest, pk: int) -> HttpResponse:
    """Sends a test now, and says how it went."""
    channel = _found(request, pk)
    if not _may_test(request):
        messages.error(request, _("That were many tests. Wait a minute before the next one."))
        return redirect("channels")
    delivery = outbox.send_test(channel)
    if delivery.state == DeliveryState.SENT:
        messages.success(
            request, _("The test was sent to “%(name)s” and taken.") % {"name": channel.name}
        )
    else:
        messages.error(
            request,
            _("The test did not arrive at “%(name)s”: %(error)s")
            % {"name": channel.name, "error": delivery.error},
        )
    return redirect("channels")


def _may_test(request: PageRequest) -> bool:
    try:
        return rate_limits.take(f"channel-test:{request.user.pk}", _TESTS).is_allowed
    except cache_errors():  # not counted, rather than not possible
        return True


@require_POST
def channel_switch(request: PageRequest, pk: int) -> HttpResponse:
    """On, or off: nothing is sent to it then."""
    channel = _found(request, pk)
    channel.enabled = "on" in request.POST
    channel.save(update_fields=["enabled"])
    said = _("“%(name)s” is on.") if channel.enabled else _("“%(name)s” is off.")
    messages.success(request, said % {"name": channel.name})
    return redirect("channels")


@never_cache
@_door
def channel_delete(request: PageRequest, pk: int) -> HttpResponse:
    channel = _found(request, pk)
    if request.method == "POST":
        channel.delete()
        messages.success(request, _("“%(name)s” is deleted.") % {"name": channel.name})
        return redirect("channels")
    context = {"channel": channel, "rules": channel.rules.count()}
    return render(request, "notifications/channel_delete.html", context)


@never_cache
@require_safe
def deliveries(request: PageRequest) -> HttpResponse:
    """What was sent, the newest first; `?state=dead`: what was given up."""
    found = Delivery.objects.visible_to(request.user).select_related("channel", "alert")
    state = request.GET.get("state", "")
    if state in DeliveryState.values:
        found = found.filter(state=state)
    context = {
        "deliveries": found[:_SHOWN],
        "most": _SHOWN,
        "state": state,
        "states": DeliveryState.choices,
        "may_manage_channels": request.user.has_perm(MANAGE_CHANNELS),
    }
    return render(request, "notifications/deliveries.html", context)


@require_POST
def delivery_again(request: PageRequest, pk: int) -> HttpResponse:
    """What was given up is sent once more."""
    delivery = get_object_or_404(Delivery.objects.visible_to(request.user), pk=pk)
    if outbox.send_again(delivery):
        messages.success(request, _("It is on its way again."))
    else:
        messages.info(request, _("It was not given up: nothing was sent twice."))
    return redirect("deliveries")


def _found(request: PageRequest, pk: int) -> Channel:
    return get_object_or_404(Channel.objects.visible_to(request.user), pk=pk)
