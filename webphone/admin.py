"""Lines of the phone in the page, in the administration. A password is written and never shown."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls.models import ProviderAccount, ProviderIdentity
from calls.models.dial_links import IN_PAGE
from calls.models.provider import comparable
from common.generics import ModelAdmin, ModelForm
from webphone.models import PhoneLine
from webphone.services.lines import hand_out


class PhoneLineForm(ModelForm[PhoneLine]):
    password = forms.CharField(
        label=gettext_lazy("Password at the SIP server"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Kept encrypted and never shown. Empty: the one that is kept."),
    )

    class Meta:
        model = PhoneLine
        fields = ["user", "account", "sip_user", "is_active"]

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        if not password and not self.instance.sealed_password:
            raise forms.ValidationError(_("Enter the password that the SIP server knows."))
        return password

    def clean(self) -> dict[str, Any]:
        """One SIP user is one agent: also where the account's identities say so."""
        cleaned = super().clean() or self.cleaned_data
        account, user, name = (cleaned.get(field) for field in ("account", "user", "sip_user"))
        if account and user and name:
            known_as = comparable(name, account.region)
            others = ProviderIdentity.objects.filter(account=account, identity=known_as)
            if others.exclude(user__in=[user.pk, self.instance.user_id or user.pk]).exists():
                self.add_error("sip_user", _("This identity already means somebody."))
        return cleaned

    def save(self, commit: bool = True) -> PhoneLine:
        if self.cleaned_data["password"]:
            self.instance.password = self.cleaned_data["password"]
        return super().save(commit)


@admin.register(PhoneLine)
class PhoneLineAdmin(ModelAdmin[PhoneLine]):
    form = PhoneLineForm
    fields = ("user", "account", "sip_user", "password", "is_active")
    list_display = ("sip_user", "user", "account", "is_active")
    list_filter = ("account", "is_active")
    list_select_related = ("user", "account")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("sip_user", "user__username", "user__first_name", "user__last_name")
    autocomplete_fields = ("user",)

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "account":
            kwargs["queryset"] = ProviderAccount.objects.filter(kind=IN_PAGE)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: PhoneLine, form: Any, change: bool) -> None:
        hand_out(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[PhoneLine]) -> None:
        """One by one: what each was known as goes with it."""
        for line in queryset:
            line.delete()
