"""The form that corrects an ended call; used by the call's page and by the administration."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from calls import services, timeline
from calls.errors import CallError
from calls.models import CallLog


class LocalInstantField(forms.DateTimeField):
    """A date and time of the organisation's zone, to the second."""

    widget = forms.DateTimeInput(
        attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"
    )


class CorrectionForm(forms.Form):
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
        initial = {
            "start": _second(call.start_time),
            "answered": _second(call.answered_time),
            "end": _second(call.end_time),
            "status": call.status,
        }
        super().__init__(data, initial=initial, **kwargs)

    def clean_answered(self) -> dt.datetime | None:
        answered: dt.datetime | None = self.cleaned_data["answered"]
        if answered is None and self.call.answered_time is not None:
            raise forms.ValidationError(_("A known answer cannot be taken back; correct its time."))
        return answered

    def save(self, actor: User) -> bool:
        """Corrects the call by what was changed; False when the services refuse, with errors."""
        given = {name: self.cleaned_data[name] for name in self.changed_data}
        try:
            services.correct_call(self.call, actor, **given)
        except CallError as error:
            self.add_error(error.field if error.field in self.fields else None, error.message)
            return False
        return True


def _second(instant: dt.datetime | None) -> dt.datetime | None:
    return instant and timezone.localtime(instant).replace(microsecond=0)
