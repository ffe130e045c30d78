"""Rules as plain sentences: the list, one rule with its preview, the form."""

import datetime as dt
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import roles
from accounts.requests import PageRequest
from common.htmx import wants_part
from common.instants import day_start, now, today
from notifications.models import Rule
from notifications.models.rules import OF_INSTALLATION, Kind, RuleQuerySet
from notifications.rules.forms import RuleForm
from notifications.rules.kinds import OF_CALLS
from notifications.rules.preview import preview_of

_may_manage = permission_required(roles.MANAGE_RULES, raise_exception=True)
_HOUR: Final = dt.timedelta(hours=1)


def _with_all(rules: RuleQuerySet) -> RuleQuerySet:
    return rules.with_scope().prefetch_related("people", "channels")


def _kinds_for(request: PageRequest) -> list[Kind]:
    """The kinds of which the person may make rules."""
    scope = request.user.scope
    if not scope.everyone and not scope.team_ids:
        return []
    own = list(OF_CALLS)
    if scope.everyone and request.user.has_perm(roles.USE_ADMIN):
        own += OF_INSTALLATION
    return own


@never_cache
@require_safe
@_may_manage
def rules(request: PageRequest) -> HttpResponse:
    """The rules one may read; those about the installation apart."""
    visible = list(_with_all(Rule.objects.visible_to(request.user)).order_by("kind", "pk"))
    order = list(Kind)
    visible.sort(key=lambda rule: (order.index(Kind(rule.kind)), rule.pk))
    managed = set(Rule.objects.managed_by(request.user).values_list("pk", flat=True))
    kinds = _kinds_for(request)
    context = {
        "of_calls": [rule for rule in visible if not rule.is_of_installation],
        "of_installation": [rule for rule in visible if rule.is_of_installation],
        "managed": managed,
        "kinds": [kind for kind in kinds if kind not in OF_INSTALLATION],
        "installation_kinds": [kind for kind in kinds if kind in OF_INSTALLATION],
        "now": now(),
    }
    return render(request, "notifications/rules.html", context)


@never_cache
@require_safe
@_may_manage
def rule(request: PageRequest, pk: int) -> HttpResponse:
    """One rule: its sentence, when it would have fired, what it fired."""
    shown = get_object_or_404(_with_all(Rule.objects.visible_to(request.user)), pk=pk)
    fired = shown.alerts.visible_to(request.user).with_words()[:10]
    context = {
        "rule": shown,
        "managed": Rule.objects.managed_by(request.user).filter(pk=pk).exists(),
        "preview": preview_of(shown, request.user),
        "alerts": fired,
        "now": now(),
    }
    return render(request, "notifications/rule.html", context)


def _managed(request: PageRequest, pk: int) -> Rule:
    return get_object_or_404(_with_all(Rule.objects.managed_by(request.user)), pk=pk)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_may_manage
def rule_new(request: PageRequest, kind: str) -> HttpResponse:
    return _edit(request, _new(request, kind))


def _new(request: PageRequest, kind: str) -> Rule:
    if kind not in _kinds_for(request):
        raise Http404
    of_calls = kind not in OF_INSTALLATION
    made = Rule(kind=kind, created_by=request.user)
    made.tell_supervisors = of_calls
    made.tell_administrators = not of_calls
    return made


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_may_manage
def rule_edit(request: PageRequest, pk: int) -> HttpResponse:
    return _edit(request, _managed(request, pk))


def _edit(request: PageRequest, edited: Rule) -> HttpResponse:
    """The form; by POST, the rule saved or, by the button `preview`, only looked at."""
    if request.method != "POST":
        return _form(request, RuleForm(instance=edited, viewer=request.user))
    form = RuleForm(request.POST, instance=edited, viewer=request.user)
    if not form.is_valid():
        return _form(request, form, status=400)
    if "preview" in request.POST:
        return _form(request, form, preview=preview_of(form.build(), request.user))
    saved = form.save()
    messages.success(request, _("The rule is saved."))
    return redirect("rule", pk=saved.pk)


def _form(
    request: PageRequest, form: RuleForm, preview: Any = None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "rule": form.instance, "preview": preview}
    return render(request, "notifications/rule_form.html", context, status=status)


@never_cache
@require_safe
@_may_manage
def rule_preview(request: PageRequest, kind: str) -> HttpResponse:
    """What a rule with the fields of the query would have found; a part of the form's page."""
    made = _new(request, kind)
    if not wants_part(request):
        return redirect("rule_new", kind=kind)
    form = RuleForm(request.GET, instance=made, viewer=request.user)
    valid = form.is_valid()
    context = {
        "preview": preview_of(form.build(), request.user) if valid else None,
        "faults": form.faults,
    }
    return render(request, "notifications/_rule_preview.html", context)


@never_cache
@require_POST
@_may_manage
def rule_switch(request: PageRequest, pk: int) -> HttpResponse:
    """On or off, as `on` says."""
    switched = _managed(request, pk)
    switched.enabled = bool(request.POST.get("on"))
    switched.watching_since = now()
    switched.save(update_fields=["enabled", "watching_since"])
    messages.success(request, _("The rule is on.") if switched.enabled else _("The rule is off."))
    return redirect("rules")


@never_cache
@require_POST
@_may_manage
def rule_snooze(request: PageRequest, pk: int) -> HttpResponse:
    """Nobody is told for an hour, until tomorrow, or no longer not: `until`."""
    snoozed = _managed(request, pk)
    ends = {
        "hour": now() + _HOUR,
        "tomorrow": day_start(today() + dt.timedelta(days=1)),
        "": None,
    }
    until = request.POST.get("until", "")
    if until not in ends:
        messages.error(request, _("Choose an hour, or until tomorrow."))
        return redirect("rule", pk=pk)
    snoozed.snoozed_until = ends[until]
    snoozed.save(update_fields=["snoozed_until"])
    messages.success(
        request,
        _("Until then nobody is told; what fires stays in the history.")
        if until
        else _("The rule tells again."),
    )
    return redirect("rule", pk=pk)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@_may_manage
def rule_delete(request: PageRequest, pk: int) -> HttpResponse:
    """Asks, and by POST deletes. What it fired stays in the history."""
    deleted = _managed(request, pk)
    if deleted.standard:
        messages.error(
            request, _("This rule belongs to every installation: switch it off instead.")
        )
        return redirect("rule", pk=pk)
    if request.method != "POST":
        return render(request, "notifications/rule_delete.html", {"rule": deleted})
    deleted.delete()
    messages.success(request, _("The rule is deleted. What it fired stays in the history."))
    return redirect("rules")
