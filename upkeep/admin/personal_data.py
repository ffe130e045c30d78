"""Removals of personal data: which there were, the form that makes one, and all that is held."""

import datetime as dt
import logging
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import roles
from accounts.requests import person_of
from common.formats.dates import moment, short_day
from upkeep.admin.jobs import UpkeepAdmin
from upkeep.models import Removal
from upkeep.personal_data import removal
from upkeep.personal_data.export import held_about
from upkeep.personal_data.people import NobodyMeant, Person
from upkeep.tasks import forget_calls_before

logger = logging.getLogger(__name__)


class WhomForm(forms.Form):
    """One person, or all calls of a time."""

    phone = forms.CharField(
        label=gettext_lazy("Phone number"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("However it is written; contacts that have it go, too."),
    )
    contact = forms.CharField(
        label=gettext_lazy("Contact"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("Its number here, or its reference in another system."),
    )
    older_than = forms.IntegerField(
        label=gettext_lazy("Calls older than (days)"),
        required=False,
        min_value=1,
        max_value=36_499,
        help_text=gettext_lazy("Of everybody. Contacts stay."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Kept with who asked and when: write no name or number here."),
    )

    person: Person | None = None

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        given = [name for name in ("phone", "contact", "older_than") if said.get(name)]
        if len(given) != 1 and not self.errors:
            raise forms.ValidationError(_("Fill in one: a phone number, a contact, or days."))
        for name, meant in (("phone", Person.of_phone), ("contact", Person.of_contact)):
            if said.get(name):
                try:
                    self.person = meant(said[name])
                except NobodyMeant as error:
                    self.add_error(name, str(error))
        return said

    @property
    def day(self) -> dt.date:
        return removal.cutoff_of(self.cleaned_data["older_than"])

    def preview(self) -> dict[str, int]:
        if self.person is not None:
            return removal.preview_of(self.person)
        return removal.preview_before(self.day)


@admin.register(Removal)
class RemovalAdmin(UpkeepAdmin):
    list_display = ("asked", "asked_by", "what", "counted", "reason", "done")
    list_display_links = None
    list_select_related = ("asked_by",)
    show_full_result_count = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(roles.FORGET_PEOPLE)

    @admin.display(description=gettext_lazy("asked"), ordering="asked_at")
    def asked(self, row: Removal) -> str:
        return moment(row.asked_at)

    @admin.display(description=gettext_lazy("of whom"))
    def what(self, row: Removal) -> str:
        if row.before is None:
            return _("one person")
        return _("calls before %(day)s") % {"day": short_day(row.before)}

    @admin.display(description=gettext_lazy("what was removed"))
    def counted(self, row: Removal) -> str:
        return ", ".join(removal.words_of(row.counts)) or _("nothing was left")

    @admin.display(description=gettext_lazy("done"), boolean=True)
    def done(self, row: Removal) -> bool:
        return row.ended_at is not None

    def get_urls(self) -> list[Any]:
        forget = self.admin_site.admin_view(self.forget_view)
        return [path("forget/", forget, name="upkeep_removal_forget"), *super().get_urls()]

    def forget_view(self, request: HttpRequest) -> HttpResponse:
        """Shows what is held, gives it as a file, and removes it after another look."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = WhomForm(request.POST if request.method == "POST" else None)
        context: dict[str, Any] = {"form": form, "opts": self.opts}
        if form.is_valid():
            wish = request.POST.get("wish", "look")
            if wish == "take" and form.person is not None:
                logger.info("%s took out what is held about somebody", request.user.get_username())
                name = {"Content-Disposition": 'attachment; filename="person.json"'}
                style = {"ensure_ascii": False, "indent": 2}
                return JsonResponse(held_about(form.person), json_dumps_params=style, headers=name)
            if wish == "remove" and self._removed(request, form):
                return redirect("admin:upkeep_removal_changelist")
            counts = form.preview()
            context |= {
                "counts": removal.words_of(counts),
                "running": counts["running"],
                "one_person": form.person is not None,
            }
        context |= self.admin_site.each_context(request)
        context["title"] = _("Remove personal data")
        return TemplateResponse(request, "admin/upkeep/removal/forget.html", context)

    def _removed(self, request: HttpRequest, form: WhomForm) -> bool:
        """Whether it is removed, or a worker will do so."""
        who, reason = person_of(request), form.cleaned_data["reason"]
        if form.person is None:
            forget_calls_before(form.day.isoformat(), who.pk, reason)
            sentence = _("A worker removes it now; you see here how far it is.")
            self.message_user(request, sentence, messages.SUCCESS)
            return True
        try:
            removal.forget_person(form.person, asked_by=who, reason=reason)
        except removal.StillRunning as error:
            self.message_user(request, str(error), messages.ERROR)
            return False
        sentence = _("Removed. Backups that were made before keep it until they rotate away.")
        self.message_user(request, sentence, messages.SUCCESS)
        return True
