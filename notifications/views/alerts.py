"""The history of what rules fired: what, who, when, and who was told."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import roles
from accounts.models import User
from accounts.people import people_of
from accounts.requests import PageRequest
from calls.history.filters import sees_only_self
from common.htmx import render_page
from common.instants import now
from common.text import name_key
from notifications.models import Alert, Delivery, Notification, Rule
from notifications.models.alerts import AlertQuerySet, Happening
from notifications.models.rules import Kind

ALERTS_A_PAGE: Final = 50
_STATES: Final = [
    ("", gettext_lazy("all")),
    ("open", pgettext_lazy("alerts", "going on")),
    ("unseen", pgettext_lazy("alerts", "not acknowledged")),
]


class AlertFilter(forms.Form):
    """What the list is asked for by its URL."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What"),
        required=False,
        choices=[("", gettext_lazy("everything")), *Kind.choices, *Happening.choices],
    )
    agent = forms.ChoiceField(label=gettext_lazy("Agent"), required=False)
    state = forms.ChoiceField(label=gettext_lazy("State"), required=False, choices=_STATES)
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)

    def __init__(self, data: Any, viewer: User):
        super().__init__(data)
        if sees_only_self(viewer):
            del self.fields["agent"]
            return
        people = people_of(User.objects.visible_to(viewer))
        names = sorted(people, key=lambda person: name_key(person.display_name))
        agents = [(person.username, person.display_name) for person in names]
        self.fields["agent"].choices = [("", _("anybody")), *agents]  # type: ignore[attr-defined]

    @property
    def shown(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name != "before"]

    def of(self, alerts: AlertQuerySet) -> AlertQuerySet:
        """Those of `alerts` that pass; none while the form is not valid."""
        if not self.is_valid():
            return alerts.none()
        asked = self.cleaned_data
        if asked["kind"]:
            alerts = alerts.filter(kind=asked["kind"])
        if asked.get("agent"):
            alerts = alerts.filter(agent__username=asked["agent"])
        if asked["state"] == "open":
            alerts = alerts.open()
        if asked["state"] == "unseen":
            alerts = alerts.filter(acknowledged_at__isnull=True)
        return alerts if asked["before"] is None else alerts.filter(pk__lt=asked["before"])


@never_cache
@require_safe
def alerts(request: PageRequest) -> HttpResponse:
    """The alerts one may see that pass the filters of the URL, newest first, a page at a time."""
    asked = AlertFilter(request.GET, request.user)
    visible = Alert.objects.visible_to(request.user).with_words()
    told = Notification.objects.select_related("person").order_by("pk")
    posted = Delivery.objects.select_related("channel").order_by("pk")
    rows = (
        asked.of(visible)
        .order_by("-pk")
        .prefetch_related(Prefetch("notifications", told), Prefetch("deliveries", posted))
    )
    found = list(rows[: ALERTS_A_PAGE + 1])
    query = request.GET.copy()
    query.pop("before", None)
    context = {
        "filter": asked,
        "alerts": found[:ALERTS_A_PAGE],
        "older": found[ALERTS_A_PAGE - 1].pk if len(found) > ALERTS_A_PAGE else None,
        "query": query.urlencode(),
        "filtered": any(query.values()),
        "managed": set(Rule.objects.managed_by(request.user).values_list("pk", flat=True)),
        "sees_who": request.user.has_perm(roles.MANAGE_RULES),
    }
    status = 400 if asked.errors and not request.htmx else 200
    return render_page(
        request, "notifications/alerts.html", "notifications/_alerts.html", context, status=status
    )


@never_cache
@require_POST
def alert_acknowledge(request: PageRequest, pk: int) -> HttpResponse:
    """Says that somebody looks after it; who was first stays."""
    alert = get_object_or_404(Alert.objects.visible_to(request.user), pk=pk)
    first = Alert.objects.filter(pk=alert.pk, acknowledged_at__isnull=True)
    if first.update(acknowledged_at=now(), acknowledged_by=request.user):
        messages.success(request, _("Acknowledged."))
    else:
        messages.info(request, _("Somebody has acknowledged it before."))
    return redirect("alerts")
