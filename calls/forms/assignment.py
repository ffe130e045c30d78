"""The form that gives a call of a phone system to its agent, where nobody knew who that was."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from calls.errors import CallError
from calls.models import CallLog, ProviderIdentity
from calls.telephony import assignment


class AssignmentForm(forms.Form):
    agent = forms.ModelChoiceField(label=gettext_lazy("Agent"), queryset=User.objects.none())
    remember = forms.BooleanField(required=False, initial=True)

    def __init__(self, data: Any = None, *, call: CallLog, **kwargs: Any):
        super().__init__(data, **kwargs)
        self.call = call
        self.identity = assignment.identity_of(call)
        people = User.objects.filter(is_active=True)
        agent: Any = self.fields["agent"]
        agent.queryset = people.order_by("name_key", "pk")
        if not self.identity or call.account is None:
            del self.fields["remember"]
            return
        waiting = assignment.waiting(call.account, self.identity).count()
        self.fields["remember"].label = _("%(who)s is always this agent") % {"who": self.identity}
        self.fields["remember"].help_text = _(
            "Further calls go there by themselves, and so do the %(n)d that wait now."
        ) % {"n": waiting}

    def save(self, actor: User) -> bool:
        """Assigns the call; False when the intake refuses, with errors."""
        agent = self.cleaned_data["agent"]
        try:
            if self.cleaned_data.get("remember"):
                assert self.call.account is not None
                ProviderIdentity.objects.update_or_create(
                    account=self.call.account,
                    identity=ProviderIdentity(
                        account=self.call.account, identity=self.identity
                    ).compared,
                    defaults={"user": agent},
                )
                assignment.assign_waiting(self.call.account, self.identity, agent, actor)
            else:
                assignment.assign(self.call, agent, actor)
        except CallError as error:
            self.add_error(None, error.message)
            return False
        return True
