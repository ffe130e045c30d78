"""What people enter about themselves, and administrators about people and teams."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _

from accounts.backends import is_refused_demo
from accounts.models import ApiKey, Team, User
from accounts.roles import LABELS
from common.generics import (
    AdminUserCreationForm,
    ModelForm,
    ModelMultipleChoiceField,
    UserChangeForm,
)
from common.text import without_invisible


class SignInForm(AuthenticationForm):
    def clean(self) -> dict[str, Any]:
        if is_refused_demo(self.cleaned_data.get("password")):
            raise forms.ValidationError(
                _("Demo passwords are only accepted in demo mode."), code="demo"
            )
        return super().clean()


class LanguageForm(ModelForm[User]):
    class Meta:
        model = User
        fields = ["language"]

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["language"] = forms.ChoiceField(
            label=_("Language"),
            required=False,
            choices=[("", _("As the browser says")), *settings.LANGUAGES],
        )


class PreferencesForm(ModelForm[User]):
    """How the pages behave for one person."""

    class Meta:
        model = User
        fields = ["keyboard_shortcuts", "notifications"]

    keyboard_shortcuts = forms.BooleanField(
        label=_("Keyboard shortcuts"),
        required=False,
        help_text=_("Single keys such as / and ?; they rest while you type in a field."),
    )
    notifications = forms.BooleanField(
        label=_("Notifications of the browser"),
        required=False,
        help_text=_(
            "What appears in your bell, such as a call of yours that gets long; and when the phone "
            "system ends one."
        ),
    )


class KeyForm(ModelForm[ApiKey]):
    """A key for one's own program."""

    class Meta:
        model = ApiKey
        fields = ["name"]

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_("Which program will use it, and on which computer."),
    )


class RoleField(ModelMultipleChoiceField[Group]):
    """Groups under the names that people know them by."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Group) -> str:
        return str(LABELS.get(obj.name, obj.name))


class _ExtensionOnce(ModelForm[User]):
    def clean_extension(self) -> str:
        extension = without_invisible(self.cleaned_data["extension"]).strip()
        others = User.objects.filter(extension=extension).exclude(pk=self.instance.pk)
        if extension and (other := others.first()):
            raise forms.ValidationError(
                _("This extension belongs to %(person)s."), params={"person": other.username}
            )
        return extension


class PersonForm(_ExtensionOnce, UserChangeForm[User]):
    class Meta:
        model = User
        # All that PersonAdmin.get_fieldsets may show; what it leaves out is left out here, too.
        fields = [
            *("username", "password", "first_name", "last_name", "email", "language", "team"),
            *("extension", "is_active", "groups", "is_superuser"),
        ]


class NewPersonForm(_ExtensionOnce, AdminUserCreationForm[User]):
    class Meta:
        model = User
        fields = ["username", "first_name", "last_name", "team", "extension", "language", "groups"]

    def clean_username(self) -> str:
        """Django's own look at capitals knows ASCII only; User.clean knows all letters."""
        username: str = self.cleaned_data["username"]
        return username


class TeamForm(ModelForm[Team]):
    amber_seconds = forms.IntegerField(
        label=_("Amber after (seconds)"),
        required=False,
        min_value=1,
        max_value=86_400,
        help_text=_("Empty: the site's setting."),
    )
    red_seconds = forms.IntegerField(
        label=_("Red after (seconds)"),
        required=False,
        min_value=1,
        max_value=86_400,
        help_text=_("Empty: the site's setting."),
    )

    class Meta:
        model = Team
        fields = ["name", "supervisors", "amber_seconds", "red_seconds"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        amber = cleaned.get("amber_seconds") or settings.TIMER_AMBER_SECONDS
        red = cleaned.get("red_seconds") or settings.TIMER_RED_SECONDS
        if not self.errors and red <= amber:
            raise forms.ValidationError(
                _("Red (%(red)d s) must come after amber (%(amber)d s)."),
                params={"red": red, "amber": amber},
            )
        return cleaned
