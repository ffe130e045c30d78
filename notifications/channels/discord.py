"""Discord: a webhook of a channel, told as an embed."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from notifications.channels.addresses import clean_web_address
from notifications.channels.base import Entry, Message, post_json

entries = (
    Entry(
        "url",
        _("Address of the webhook"),
        _("It begins with https://discord.com/api/webhooks/"),
        clean_web_address,
    ),
)
help = _(
    "In Discord: the channel's settings, Integrations, Webhooks, New Webhook, Copy Webhook URL."
)
personal = False
_COLOUR: Final = 0x0B6472  # the site's accent


def send(secrets: Mapping[str, str], message: Message) -> None:
    post_json(secrets["url"], payload(message), secrets=secrets)


def payload(message: Message) -> dict[str, Any]:
    """An embed that mentions nobody, whatever names it has in it."""
    link = f"[{escaped(message.link_label)}]({message.link})"
    embed = {
        "title": escaped(message.title)[:256],
        "description": f"{escaped(message.sentence)[:3800]}\n\n{link}",
        "color": _COLOUR,
        "fields": [
            {"name": escaped(label), "value": escaped(value)[:1024], "inline": True}
            for label, value in message.facts
        ],
    }
    return {"username": "CallManager", "embeds": [embed], "allowed_mentions": {"parse": []}}


def escaped(text: str) -> str:
    return re.sub(r"([\\`*_~|>\[\]()#@<:-])", r"\\\1", text)
