"""The form that corrects an ended call; used by the call's page and by the administration."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from calls import services, timeline
from calls.errors import CallError
from calls.forms.instants import InstantsForm, LocalInstantField
from calls.models import CallLog


class CorrectionForm(InstantsForm):
    """What may be corrected; a field that is left as it was keeps its milliseconds."""

    start = LocalInstantField(label=_("Start"))
    answered = LocalInstantField(label=_("Answered"), required=False)
    end = LocalInstantField(label=_("End"))
    status = forms.ChoiceField(
        label=_("Status"),
        choices=[choice for choice in CallLog.STATUSES if choice[0] in timeline.TERMINAL],
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("Stays in the ledger, with your name."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: Any = None, *, call: CallLog, **kwargs: Any):
        self.call = call
        own = {"start": call.start_time, "answered": call.answered_time, "end": call.end_time}
        super().__init__(data, own=own, initial={"status": call.status}, **kwargs)

    def clean_answered(self) -> dt.datetime | None:
        answered: dt.datetime | None = self.cleaned_data["answered"]
        if answered is None and self.call.answered_time is not None:
            raise forms.ValidationError(_("A known answer cannot be taken back; correct its time."))
        return answered

    @property
    def changes(self) -> dict[str, Any]:
        """What the valid form would change of the call."""
        known = {**self.own, "status": self.call.status}
        return {n: self.cleaned_data[n] for n in known if self.cleaned_data[n] != known[n]}

    def save(self, actor: User) -> bool:
        """Corrects the call by what was changed; False when the services refuse, with errors."""
        reason = self.cleaned_data["reason"]
        try:
            services.correct_call(self.call, actor, reason=reason, **self.changes)
        except CallError as error:
            self.add_error(error.field if error.field in self.fields else None, error.message)
            return False
        return True
