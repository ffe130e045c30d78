"""What the pages of webhooks ask for."""

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common import outgoing_http
from common.generics import ModelForm
from notifications.models import EventKind, SendState, WebhookEndpoint

MOST_WEBHOOKS: Final = 20
_LAST_NUMBER: Final = 2**63 - 1


class WebhookForm(ModelForm[WebhookEndpoint]):
    """A webhook: its name, where it leads, and what it is sent."""

    url = forms.URLField(
        label=gettext_lazy("Address"),
        max_length=500,
        assume_scheme="https",
        widget=forms.URLInput(
            attrs={"placeholder": "https://example.com/hooks/calls", "autocomplete": "off"}
        ),
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Events"),
        choices=EventKind.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one event.")},
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("name", "url", "kinds")
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "off"})}

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.initial["kinds"] = self.instance.kinds or EventKind.values

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        outgoing_http.validate_address(url)
        return url

    def clean_kinds(self) -> list[str]:
        """None for all of them: then what is added later is sent, too."""
        kinds: list[str] = self.cleaned_data["kinds"]
        return [] if set(kinds) == set(EventKind.values) else kinds

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.instance.pk is None and WebhookEndpoint.objects.count() >= MOST_WEBHOOKS:
            raise ValidationError(
                _("There are %(number)d webhooks, which is the most. Delete one first.")
                % {"number": MOST_WEBHOOKS}
            )
        return cleaned


class AgainForm(forms.Form):
    """From which event on everything is sent again."""

    number = forms.IntegerField(
        label=gettext_lazy("From event number"), min_value=1, max_value=_LAST_NUMBER
    )


class LogForm(forms.Form):
    """Which deliveries are looked at."""

    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        choices=[("", gettext_lazy("All")), *SendState.choices],
        required=False,
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Event"),
        choices=[("", gettext_lazy("All")), *EventKind.choices],
        required=False,
    )
    before = forms.IntegerField(required=False, max_value=_LAST_NUMBER, widget=forms.HiddenInput)
