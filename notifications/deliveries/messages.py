"""The words of what is sent: made at the moment of sending, so that none of them is stored."""

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from common.formats.dates import moment
from common.instants import isoformat
from notifications.channels.base import Message
from notifications.models import Alert, Channel, Delivery
from notifications.words import link_of, sentence_of


def message_of(delivery: Delivery) -> Message:
    """What `delivery` says, in the language of its channel."""
    language = language_of(delivery.channel)
    with translation.override(language):
        if delivery.alert is None:
            return _trial(delivery, language)
        return _of_alert(delivery, delivery.alert, language)


def language_of(channel: Channel) -> str:
    """The channel's own, else its person's, else the installation's."""
    of_person = channel.owner.language if channel.owner is not None else ""
    return channel.language or of_person or settings.LANGUAGE_CODE


def absolute(path: str) -> str:
    """`path` as an address for people who are not on the site."""
    return f"{settings.PUBLIC_BASE_URL or 'http://localhost:8000'}{path}"


def _of_alert(delivery: Delivery, alert: Alert, language: str) -> Message:
    facts = [(_("When"), moment(alert.reached_at))]
    if alert.agent is not None:
        facts.insert(0, (_("Agent"), alert.agent.display_name))
    if alert.team is not None:
        facts.append((_("Team"), alert.team.name))
    if alert.subject:
        facts.append((_("About"), alert.subject))
    return Message(
        reference=_reference(delivery),
        language=language,
        title=capfirst(alert.get_kind_display()),
        sentence=sentence_of(alert, delivery.channel.owner),
        link=absolute(link_of(alert)),
        link_label=_("Open the call") if alert.call_id else _("Open"),
        facts=tuple(facts),
        data={
            "type": "alert.fired",
            "kind": alert.kind,
            "fired_at": isoformat(alert.fired_at),
            "agent": alert.agent.username if alert.agent is not None else None,
            "team": alert.team.name if alert.team is not None else None,
            "call_id": str(alert.call.call_id) if alert.call is not None else None,
        },
    )


def _trial(delivery: Delivery, language: str) -> Message:
    return Message(
        reference=_reference(delivery),
        language=language,
        title=_("It works"),
        sentence=_("This is a test: alerts of CallManager will come here."),
        link=absolute(reverse("channels")),
        link_label=_("Open CallManager"),
        data={"type": "test"},
    )


def _reference(delivery: Delivery) -> str:
    return f"callmanager-{delivery.pk}-{int(delivery.created_at.timestamp())}"
