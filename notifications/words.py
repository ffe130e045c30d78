"""What an alert says, in the language that is active."""

from django.urls import reverse

from accounts.models import User
from notifications.models import Alert


def sentence_of(alert: Alert, reader: User | None = None) -> str:
    """One plain sentence, without a phone number or a contact's name. To a `reader` who is the
    agent it is about, it speaks of their own call."""
    return str(alert.get_kind_display())


def link_of(alert: Alert) -> str:
    """The path of the page that shows what it is about: the call, the figure, the job."""
    if alert.call is not None:
        return reverse("call", args=[alert.call.call_id])
    return reverse("desk")
