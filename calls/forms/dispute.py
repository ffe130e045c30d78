"""The forms of a dispute: the agent's sentence, and the supervisor's decision."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from calls.forms.correction import CorrectionForm
from calls.models import CallDispute, CallLog
from calls.services.disputes import MOST_LETTERS


class DisputeForm(forms.Form):
    reason = forms.CharField(
        label=_("What is wrong with it?"),
        max_length=MOST_LETTERS,
        help_text=_("A sentence for whoever decides. It stays in the ledger, with your name."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class DecisionForm(CorrectionForm):
    """Upholds a dispute, with what of the times changes thereby, or rejects it; a button says
    which. What stands in the other fields is nothing to a rejection."""

    decision = forms.ChoiceField(
        choices=[(CallDispute.UPHELD, ""), (CallDispute.REJECTED, "")], widget=forms.HiddenInput
    )

    def __init__(self, data: Any = None, *, call: CallLog, **kwargs: Any):
        super().__init__(data, call=call, auto_id="decision_%s", **kwargs)
        self.fields["reason"].label = _("Your decision, in a sentence")
        self.fields["reason"].max_length = MOST_LETTERS  # type: ignore[attr-defined]

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and self.data.get("decision") == CallDispute.REJECTED:
            for name in self.errors.keys() - {"reason"}:
                del self.errors[name]

    @property
    def upholds(self) -> bool:
        return bool(self.cleaned_data["decision"] == CallDispute.UPHELD)
