"""Ways to call in the administration: what people may choose, and what teams are given."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from calls.admin.pages import EditableList
from calls.models import DialChoice, DialLink, ProviderAccount
from calls.models.dial_links import IN_PAGE
from calls.providers import adapters
from common.generics import ModelForm


class DialLinkForm(ModelForm[DialLink]):
    teams = forms.ModelMultipleChoiceField(
        label=_("Teams that call this way"),
        queryset=Team.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Unless one of their people has chosen another."),
    )

    class Meta:
        model = DialLink
        fields = [
            *("kind", "name", "template", "effect", "account"),
            *("is_offered", "is_default", "position"),
        ]

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["teams"] = Team.objects.filter(dial_choice__link=self.instance)


@admin.register(DialLink)
class DialLinkAdmin(EditableList[DialLink]):
    form = DialLinkForm
    list_display = ("shown", "does_what", "is_offered", "is_default", "chosen_by")
    list_display_links = ("shown",)
    list_editable = ("is_offered",)
    list_select_related = ("account",)
    show_full_result_count = False
    fieldsets = (
        (None, {"fields": ("kind", "name", "template", "effect", "account")}),
        (_("Who uses it"), {"fields": ("is_offered", "is_default", "teams", "position")}),
    )

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "account":
            dialling = [
                kind for kind, adapter in adapters().items() if adapter.can_dial or kind == IN_PAGE
            ]
            kwargs["queryset"] = ProviderAccount.objects.filter(kind__in=dialling)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DialLink]:
        people = Count("choices", filter=Q(choices__user__isnull=False))
        return super().get_queryset(request).annotate(people=people)

    @admin.display(description=_("name"))
    def shown(self, link: DialLink) -> str:
        return link.title

    @admin.display(description=_("what it does"))
    def does_what(self, link: DialLink) -> str:
        return link.says

    @admin.display(description=_("chosen by (people)"))
    def chosen_by(self, link: Any) -> int:
        return int(link.people)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if "teams" in form.cleaned_data:  # not in the list, where only ticks are changed
            DialChoice.of_teams(form.instance, form.cleaned_data["teams"])
