"""The form of a channel: its name and language, and what its kind needs. What is secret is asked
for and never shown again; left empty, it stays."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from common.encryption import Sealed
from common.generics import ModelForm
from notifications.channels.base import Entry
from notifications.channels.kinds import KINDS
from notifications.models import Channel

MOST_CHANNELS = 50  # of the organisation, or of a person
_LENGTH = 1000


class ChannelForm(ModelForm[Channel]):
    class Meta:
        model = Channel
        fields = ("name", "language")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept = _secrets_of(self.instance)
        self.fields["language"].label = _("Language of the messages")
        for entry in KINDS[self.instance.kind].entries:
            self.fields[entry.name] = self._field(entry)

    def _field(self, entry: Entry) -> forms.CharField:
        kept = self._kept.get(entry.name, "")
        help_text = entry.help
        if kept and entry.secret:
            help_text = _("It is set, and is not shown. Leave this empty to keep it.")
        return forms.CharField(
            label=entry.label,
            help_text=help_text,
            max_length=_LENGTH,
            required=entry.required and not kept,
            initial="" if entry.secret else kept or self.initial.get(entry.name, ""),
            strip=False,  # a line break is said, not swallowed
            widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for entry in KINDS[self.instance.kind].entries:
            if cleaned.get(entry.name):
                try:
                    cleaned[entry.name] = entry.clean(cleaned[entry.name].strip(" \t"))
                except ValidationError as error:
                    self.add_error(entry.name, error)
        siblings = Channel.objects.filter(owner=self.instance.owner)
        if self.instance.pk is None and siblings.count() >= MOST_CHANNELS:
            raise ValidationError(
                _("There are %(number)d channels, which is the most. Delete one first.")
                % {"number": MOST_CHANNELS}
            )
        return cleaned

    def save(self, commit: bool = True) -> Channel:
        typed = {
            entry.name: self.cleaned_data[entry.name]
            for entry in KINDS[self.instance.kind].entries
            if self.cleaned_data.get(entry.name)
        }
        self.instance.secrets = {**self._kept, **typed}
        channel: Channel = super().save(commit)
        return channel


def _secrets_of(channel: Channel) -> dict[str, Any]:
    """None where they were encrypted with another key: then they are asked for anew."""
    try:
        return channel.secrets
    except Sealed:
        return {}
