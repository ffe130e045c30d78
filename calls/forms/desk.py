"""What the desk sends. A form that is not as the desk makes it is refused in words."""

import datetime as dt
from dataclasses import replace
from typing import TypeVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls import timeline
from calls.errors import BadCallData
from calls.models import CallLog
from calls.services import ReportedTime
from calls.services.lifecycle import settle_instant
from common.instants import from_ms

Form = TypeVar("Form", bound=forms.Form)

_LAST_MS = 253_402_300_799_999  # the end of the year 9999
# A click that arrives sooner than this happened, for us, when it arrived.
_AT_ONCE = dt.timedelta(seconds=2)


class ClickForm(forms.Form):
    """A click, and when the browser's clock says that it was made and sent (ms since 1970).

    `click_id` is the same however often it is sent.
    """

    click_id = forms.UUIDField(required=False)
    clicked_at = forms.IntegerField(required=False, min_value=0, max_value=_LAST_MS)
    sent_at = forms.IntegerField(required=False, min_value=0, max_value=_LAST_MS)

    def reported(self, arrived: dt.datetime) -> ReportedTime:
        """When the click was made, by our clock: when it `arrived`, unless it had to wait.

        A browser clock that was set back in between cannot say: then that is all we know.
        """
        clicked, sent = self.cleaned_data["clicked_at"], self.cleaned_data["sent_at"]
        name = str(self.cleaned_data["click_id"] or "")
        if clicked is None or sent is None or from_ms(sent) - from_ms(clicked) < _AT_ONCE:
            return ReportedTime(arrived, name=name)
        settled = settle_instant(from_ms(clicked), from_ms(sent), "clicked_at", arrived)
        return replace(settled, name=name)


class StartForm(ClickForm):
    contact = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    phone = forms.CharField(required=False, max_length=64)
    call_id = forms.UUIDField(required=False)


class EndForm(ClickForm):
    status = forms.ChoiceField(
        choices=[choice for choice in CallLog.STATUSES if choice[0] in timeline.TERMINAL],
        error_messages={"required": gettext_lazy("Choose how the call ended.")},
    )
    notes = forms.CharField(required=False, max_length=10_000)
    disposition = forms.CharField(required=False, max_length=60)


class DispositionForm(ClickForm):
    disposition = forms.CharField(required=False, max_length=60)


class NoteForm(forms.Form):
    notes = forms.CharField(
        label=gettext_lazy("Notes"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


def checked(form: Form) -> Form:
    """The valid `form`. Raises BadCallData with the first thing that is wrong with it."""
    if form.is_valid():
        return form
    field, errors = next(iter(form.errors.items()))
    raise BadCallData(
        _("The page sent something that cannot be understood: %(what)s") % {"what": errors[0]},
        field,
    )
