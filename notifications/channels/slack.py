"""Slack: an incoming webhook, told in blocks. Mattermost and Rocket.Chat read the same text."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from notifications.channels.addresses import clean_web_address
from notifications.channels.base import Entry, Message, post_json

entries = (
    Entry(
        "url",
        _("Address of the webhook"),
        _("It begins with https://hooks.slack.com/services/"),
        clean_web_address,
    ),
)
help = _(
    "In Slack: api.slack.com/apps, Create New App, Incoming Webhooks, Add New Webhook to"
    " Workspace, choose the channel, copy the address."
)
personal = False
_TITLE_LENGTH: Final = 150
_SENTENCE_LENGTH: Final = 2900


def send(secrets: Mapping[str, str], message: Message) -> None:
    post_json(secrets["url"], payload(message), secrets=secrets)


def payload(message: Message) -> dict[str, Any]:
    """A header, a sentence, its facts and a button; `text` is what a notification shows."""
    blocks: list[dict[str, Any]] = [
        {
            "type": "header",
            "text": {"type": "plain_text", "text": message.title[:_TITLE_LENGTH], "emoji": False},
        },
        {"type": "section", "text": _markdown(escaped(message.sentence[:_SENTENCE_LENGTH]))},
    ]
    if message.facts:
        fields = [
            _markdown(f"*{escaped(label)}*\n{escaped(value)}") for label, value in message.facts
        ]
        blocks.append({"type": "section", "fields": fields})
    button = {
        "type": "button",
        "text": {"type": "plain_text", "text": message.link_label, "emoji": False},
        "url": message.link,
    }
    blocks.append({"type": "actions", "elements": [button]})
    text = f"{escaped(message.sentence)} <{message.link}|{escaped(message.link_label)}>"
    return {"text": text, "blocks": blocks}


def escaped(text: str) -> str:
    """Slack's own three characters; what looks like formatting is broken by a zero-width space."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"{mark}\u200b" if mark in "*_~`" else mark for mark in text)


def _markdown(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}
