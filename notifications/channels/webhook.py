"""An address that takes JSON: a home-made receiver, n8n, Zapier, Home Assistant."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from notifications.channels.addresses import clean_web_address
from notifications.channels.base import Entry, Message, post_json


def _clean_header(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise ValidationError(gettext("A header has only letters, digits and signs of ASCII."))
    return text


entries = (
    Entry("url", _("Address"), _("JSON is sent there with POST"), clean_web_address),
    Entry(
        "authorization",
        _("Authorization header"),
        _("If the receiver wants one, such as: Bearer 123abc"),
        _clean_header,
        required=False,
    ),
)
help = _(
    "Each message is a JSON object with the sentence, the link and the figures. The header"
    " Idempotency-Key is the same when a message is sent again."
)
personal = False


def send(secrets: Mapping[str, str], message: Message) -> None:
    headers = {"Idempotency-Key": message.reference}
    if secrets.get("authorization"):
        headers["Authorization"] = secrets["authorization"]
    post_json(secrets["url"], payload(message), secrets=secrets, headers=headers)


def payload(message: Message) -> dict[str, Any]:
    return {
        "id": message.reference,
        "title": message.title,
        "text": message.sentence,
        "link": message.link,
        "language": message.language,
        **message.data,
    }
