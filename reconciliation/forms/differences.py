"""What the inbox of differences is asked for by its URL, and what a decision says."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from accounts.people import people_of
from calls.models import ProviderAccount
from common.text import name_key
from metrics.dashboard.selection import teams_of
from reconciliation.dashboard.differences import DECIDED, KINDS, OPEN

_STATES = [
    (OPEN, pgettext_lazy("differences", "open")),
    (DECIDED, pgettext_lazy("differences", "decided")),
]


class DifferenceFilter(forms.Form):
    """Which differences; what is left out does not narrow them."""

    state = forms.ChoiceField(label=_("State"), choices=_STATES, required=False)
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[("", _("every kind")), *KINDS.items()],
        required=False,
    )
    team = forms.ChoiceField(label=_("Team"), required=False)
    agent = forms.ChoiceField(label=_("Agent"), required=False)
    account = forms.ModelChoiceField(
        label=_("Phone system"),
        queryset=ProviderAccount.objects.all(),
        empty_label=_("all"),
        required=False,
    )

    def __init__(self, data: Any, viewer: User):
        super().__init__(data)
        teams = [(str(team.pk), team.name) for team in teams_of(viewer)]
        self.fields["team"].choices = [("", _("All teams")), *teams]  # type: ignore[attr-defined]
        people = people_of(User.objects.visible_to(viewer))
        names = sorted(people, key=lambda person: name_key(person.display_name))
        agents = [(person.username, person.display_name) for person in names]
        self.fields["agent"].choices = [("", _("anybody")), *agents]  # type: ignore[attr-defined]


class KeepForm(forms.Form):
    """Why our times stay as they are."""

    reason = forms.CharField(
        label=_("Why do our times stay?"), max_length=300, widget=forms.TextInput
    )
