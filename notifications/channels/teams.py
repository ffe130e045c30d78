"""Microsoft Teams: a webhook of Workflows, which replaced the connectors, told as Adaptive Card."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from notifications.channels.addresses import clean_web_address
from notifications.channels.base import Entry, Message, post_json

entries = (
    Entry(
        "url",
        _("Address of the workflow"),
        _("It is long, and has logic.azure.com or powerplatform.com in it"),
        clean_web_address,
    ),
)
help = _(
    "In Teams: the channel's menu, Workflows, “Send webhook alerts to a channel”, Save, copy the"
    " address. The old connectors (webhook.office.com) no longer work."
)
personal = False


def send(secrets: Mapping[str, str], message: Message) -> None:
    post_json(secrets["url"], payload(message), secrets=secrets)


def payload(message: Message) -> dict[str, Any]:
    """A message with one card, as the trigger “When a Teams webhook request is received” takes."""
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": card(message),
            }
        ],
    }


def card(message: Message) -> dict[str, Any]:
    body: list[dict[str, Any]] = [
        {
            "type": "TextBlock",
            "text": escaped(message.title),
            "size": "Large",
            "weight": "Bolder",
            "wrap": True,
            "style": "heading",
        },
        {"type": "TextBlock", "text": escaped(message.sentence), "wrap": True},
    ]
    if message.facts:
        facts = [{"title": label, "value": escaped(value)} for label, value in message.facts]
        body.append({"type": "FactSet", "facts": facts})
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",  # what Teams shows everywhere
        "lang": message.language,
        "fallbackText": message.sentence,
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": message.link_label, "url": message.link}],
        "msteams": {"width": "Full"},
    }


def escaped(text: str) -> str:
    """A card's texts are Markdown."""
    return re.sub(r"([\\`*_\[\]()~])", r"\\\1", text)
