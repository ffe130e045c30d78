"""Calls in the administration. Their times change only by a correction."""

import uuid
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import roles
from accounts.models import User
from accounts.requests import person_of
from calls import services
from calls.admin.pages import EditableList, RoughPaginator
from calls.forms.assignment import AssignmentForm
from calls.forms.correction import CorrectionForm
from calls.forms.desk import NoteForm
from calls.history import ledger_lines
from calls.models import (
    CallAlias,
    CallEvent,
    CallLog,
    CallQuerySet,
    Contact,
    Disposition,
    Reader,
)
from calls.templatetags.calls_format import NOTHING, clock
from common.formats.dates import moment_ms
from common.generics import ModelAdmin, ModelForm, TabularInline
from common.phones import typed_digits


@admin.register(Disposition)
class DispositionAdmin(EditableList[Disposition]):
    fields = ("code", "label_es", "label_en", "order", "team", "active")
    list_display = ("code", "label_es", "label_en", "order", "team", "active")
    list_editable = ("order", "active")
    list_filter = ("active", "team")
    list_select_related = ("team",)
    search_fields = ("code", "label_es", "label_en")
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("code",)  # calls keep it


class LedgerInline(TabularInline[CallEvent, CallLog]):
    """Who said what about the call, in the order in which it happened."""

    model = CallEvent
    verbose_name_plural = gettext_lazy("Ledger")
    fields = ("kind", "happened", "heard", "precision_ms", "said_by", "actor", "details")
    readonly_fields = fields
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[CallEvent]:
        lines = CallEvent.objects.read_by(Reader(person_of(request)))
        return lines.select_related("actor")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("happened"))
    def happened(self, event: CallEvent) -> str:
        return moment_ms(event.occurred_at)

    @admin.display(description=gettext_lazy("received"))
    def heard(self, event: CallEvent) -> str:
        return moment_ms(event.received_at)

    @admin.display(description=gettext_lazy("source"))
    def said_by(self, event: CallEvent) -> str:
        return ledger_lines.source_words(event.source)

    @admin.display(description=gettext_lazy("details"))
    def details(self, event: CallEvent) -> str:
        (line,) = ledger_lines.lines([event])
        return "\n".join(f"{label}: {value}" for label, value in line.details)


class CallForm(ModelForm[CallLog]):
    """Of a call, only the notes are written here."""

    notes = NoteForm.base_fields["notes"]

    class Meta:
        model = CallLog
        fields = ["notes"]


_WHO = ("call_id", "user", "contact", "contact_ref", "contact_phone")
_TIMES = (
    *("started", "answered", "ended", "status", "why_ended", "who_ended"),
    *("duration_seconds", "talk_seconds", "ring_seconds", "hold_seconds", "paused_seconds"),
    *("wrap_up_seconds", "disposition", "evidence", "direction", "provider"),
)


class AgentFilter(admin.SimpleListFilter):
    """Calls of phone systems whose agent nobody knows yet."""

    title = gettext_lazy("agent")
    parameter_name = "agent"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("unknown", _("not known"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.unassigned() if self.value() == "unknown" else queryset


@admin.register(CallLog)
class CallLogAdmin(ModelAdmin[CallLog]):
    form = CallForm
    list_display = ("started", "user", "with_whom", "length", "status", "evidence")
    list_filter = (AgentFilter, "status", "evidence", "direction", "user__team", "start_time")
    sortable_by = ("started",)  # what an index can sort, however many there are
    paginator = RoughPaginator
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("contact_phone",)  # draws the box; get_search_results knows more
    search_help_text = gettext_lazy("Phone number, contact, agent, or the id of a call.")
    inlines = (LedgerInline,)
    actions = ("confirm",)
    fieldsets = (
        (None, {"fields": (*_WHO, "notes")}),
        (gettext_lazy("Times"), {"fields": _TIMES}),
    )
    readonly_fields = (*_WHO, *_TIMES)

    def action_checkbox(self, call: CallLog) -> SafeString:
        """As Django's, which renders a template a row: a fifth of the page."""
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="{}">',
            ACTION_CHECKBOX_NAME,
            call.pk,
            _("Choose the call %(call)s") % {"call": call},
        )

    @admin.display(description=gettext_lazy("start"), ordering="start_time")
    def started(self, call: CallLog) -> str:
        return moment_ms(call.start_time)

    @admin.display(description=gettext_lazy("answered"))
    def answered(self, call: CallLog) -> str:
        return moment_ms(call.answered_time) if call.answered_time else NOTHING

    @admin.display(description=gettext_lazy("end"))
    def ended(self, call: CallLog) -> str:
        return moment_ms(call.end_time) if call.end_time else NOTHING

    @admin.display(description=gettext_lazy("reason of the end"))
    def why_ended(self, call: CallLog) -> str:
        return ledger_lines.reason_words(call.end_reason) or NOTHING

    @admin.display(description=gettext_lazy("ended by"))
    def who_ended(self, call: CallLog) -> str:
        return ledger_lines.source_words(call.ended_by) or NOTHING

    @admin.display(description=gettext_lazy("contact"), empty_value="—")
    def with_whom(self, call: CallLog) -> str:
        return call.who

    @admin.display(description=gettext_lazy("duration"))
    def length(self, call: CallLog) -> str:
        return clock(call.duration_seconds)

    def get_queryset(self, request: HttpRequest) -> CallQuerySet:
        calls = CallLog.objects.visible_to(person_of(request)).with_people()
        return calls.order_by("-start_time", "-pk")

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        return queryset.filter(_matching(search_term.strip())), False

    def get_urls(self) -> list[Any]:
        correct = self.admin_site.admin_view(self.correct_view)
        assign = self.admin_site.admin_view(self.assign_view)
        return [
            path("<path:object_id>/correct/", correct, name="calls_calllog_correct"),
            path("<path:object_id>/assign/", assign, name="calls_calllog_assign"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_correct_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.CORRECT_CALLS)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(roles.EXPORT_CALLS)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Whoever may not read the notes would write them away."""
        return (*self.readonly_fields, *(obj.hidden if obj else ()))

    def save_model(self, request: HttpRequest, obj: CallLog, form: Any, change: bool) -> None:
        if "notes" in form.cleaned_data:
            services.add_note(obj, person_of(request), form.cleaned_data["notes"])

    def delete_model(self, request: HttpRequest, obj: CallLog) -> None:
        obj.delete(actor=person_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        queryset.delete(actor=person_of(request))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = {"may_correct": self.has_correct_permission(request)}
        return super().change_view(request, object_id, form_url, context)

    def correct_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Corrects an ended call, with a reason that stays in the ledger."""
        call = self.get_object(request, unquote(object_id))
        if not (self.has_change_permission(request, call) and self.has_correct_permission(request)):
            raise PermissionDenied
        if call is None:
            raise Http404
        form = CorrectionForm(request.POST if request.method == "POST" else None, call=call)
        if form.is_valid() and form.save(person_of(request)):
            self.log_change(request, call, form.cleaned_data["reason"])
            sentence = _("Corrected. The figures follow; the ledger keeps what was there.")
            self.message_user(request, sentence, messages.SUCCESS)
            return redirect("admin:calls_calllog_change", call.pk)
        words = {
            "title": _("Correct this call"),
            "advice": _(
                "Only what you change is corrected; the lengths and all figures follow. "
                "What was there stays in the ledger."
            ),
            "button": _("Correct"),
        }
        return self._form_page(request, call, form, words)

    def assign_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Gives a call that nobody's phone was known for to its agent."""
        call = self.get_object(request, unquote(object_id))
        if not (self.has_change_permission(request, call) and self.has_correct_permission(request)):
            raise PermissionDenied
        if call is None or call.user_id is not None:
            raise Http404
        form = AssignmentForm(request.POST if request.method == "POST" else None, call=call)
        if form.is_valid() and form.save(person_of(request)):
            agent = form.cleaned_data["agent"]
            self.log_change(request, call, _("Assigned to %(who)s") % {"who": agent.username})
            sentence = _("The call is %(who)s’s now, and counts.") % {"who": agent.display_name}
            self.message_user(request, sentence, messages.SUCCESS)
            return redirect("admin:calls_calllog_changelist")
        words = {
            "title": _("Whose call is it?"),
            "advice": _("The phone system named an agent whom nobody here is known to be."),
            "button": _("Assign"),
        }
        return self._form_page(request, call, form, words)

    def _form_page(
        self, request: HttpRequest, call: CallLog, form: forms.Form, words: dict[str, str]
    ) -> HttpResponse:
        context = self.admin_site.each_context(request) | words
        context |= {"subtitle": str(call), "opts": self.opts, "original": call, "form": form}
        return TemplateResponse(request, "admin/calls/calllog/form.html", context)

    @admin.action(description=gettext_lazy("Confirm as it stands"), permissions=["correct"])
    def confirm(self, request: HttpRequest, queryset: Any) -> None:
        """Confirms estimated calls, so that they count; others need no confirmation."""
        calls = list(queryset.unconfirmed())
        for call in calls:
            services.correct_call(call, person_of(request), reason=_("Confirmed as it stands."))
            self.log_change(request, call, _("Confirmed as it stands."))
        sentence = ngettext(
            "%(n)d call confirmed; it counts now.",
            "%(n)d calls confirmed; they count now.",
            len(calls),
        )
        self.message_user(request, sentence % {"n": len(calls)}, messages.SUCCESS)


def _matching(text: str) -> Q:
    """Calls with this id, number, contact or agent."""
    if not text:
        return Q()
    try:
        call_id = uuid.UUID(text)
    except ValueError:
        pass
    else:
        earlier = CallAlias.objects.filter(alias=call_id)
        return Q(call_id=call_id) | Q(pk__in=earlier.values("call"))
    rule = Q(contact_ref=text) | Q(contact__in=Contact.objects.search(text).values("pk"))
    for digits in typed_digits(text):
        rule |= Q(phone_line__contains=digits)
    return rule | Q(user__in=_named(text).values("pk"))


def _named(text: str) -> QuerySet[User]:
    people: QuerySet[User] = User.objects.all()
    for word in text.split():
        people = people.filter(
            Q(username__icontains=word)
            | Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
        )
    return people
