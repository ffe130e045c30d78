"""What is sent to have a provider's records fetched now."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.instants import day_range, now, today
from reconciliation.fetching import ready_accounts

_FIRST_DAYS = dt.timedelta(days=1)
LONGEST = dt.timedelta(days=93)
_DAY = {"type": "date"}


class FetchForm(forms.Form):
    """An account that has the credentials, and the local days whose calls are wanted."""

    account = forms.ChoiceField(label=_("Phone system"))
    since = forms.DateField(label=_("From"), widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"))
    until = forms.DateField(label=_("To"), widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"))

    def __init__(self, data: Any = None):
        super().__init__(data, initial={"since": today() - _FIRST_DAYS, "until": today()})
        self.accounts = {account.name: account for account in ready_accounts()}
        self.fields["account"].choices = [(name, name) for name in self.accounts]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        since, until = found.get("since"), found.get("until")
        if since is None or until is None:
            return found
        if since > until:
            self.add_error("since", _("The first day is after the last day."))
        elif since > today():
            self.add_error("since", _("This day has not come yet."))
        elif until - since > LONGEST:
            self.add_error("since", _("Three months at most at a time."))
        return found

    @property
    def period(self) -> tuple[dt.datetime, dt.datetime]:
        """The instants of these local days, until now at most."""
        begin, end = day_range(self.cleaned_data["since"], self.cleaned_data["until"])
        return begin, min(end, now())
