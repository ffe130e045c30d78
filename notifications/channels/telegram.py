"""Telegram: a bot writes to a person or a group."""

import html
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from notifications.channels.base import Entry, Message, post_json


def _clean_token(text: str) -> str:
    if not re.fullmatch(r"\d{5,15}:[A-Za-z0-9_-]{30,50}", text, re.ASCII):
        raise ValidationError(gettext("That is no token of a bot: it looks like 123456789:AAE…"))
    return text


def _clean_chat(text: str) -> str:
    if not re.fullmatch(r"-?\d{1,20}|@[A-Za-z]\w{3,40}", text, re.ASCII):
        raise ValidationError(
            gettext("That is no chat: write its number, such as -1001234567890, or @name.")
        )
    return text


entries = (
    Entry(
        "token", _("Token of the bot"), _("@BotFather gives it: /newbot, or /token"), _clean_token
    ),
    Entry(
        "chat",
        _("Chat"),
        _("The number of the person or group. Write to the bot first, or add it to the group."),
        _clean_chat,
        secret=False,
    ),
)
help = _(
    "In Telegram: write /newbot to @BotFather and copy the token. Write something to the new bot;"
    " @userinfobot tells the number of a chat."
)
personal = True


def send(secrets: Mapping[str, str], message: Message) -> None:
    url = f"{settings.TELEGRAM_API_URL}/bot{secrets['token']}/sendMessage"
    post_json(url, payload(secrets["chat"], message), secrets={"token": secrets["token"]})


def payload(chat: str, message: Message) -> dict[str, Any]:
    facts = "\n".join(
        f"<b>{html.escape(label)}:</b> {html.escape(value)}" for label, value in message.facts
    )
    parts = [
        f"<b>{html.escape(message.title)}</b>\n{html.escape(message.sentence)}",
        facts,
        f'<a href="{html.escape(message.link)}">{html.escape(message.link_label)}</a>',
    ]
    return {
        "chat_id": chat,
        "text": "\n\n".join(filter(None, parts)),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }
