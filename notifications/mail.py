"""Makes mails that look right in mail programs.

A template `mail/NAME.html` extends `mail/base.html`, whose rules are inlined here, since many mail
programs read no others; `mail/NAME.txt` extends `mail/base.txt` and says the same in plain text.
"""

from collections.abc import Mapping, Sequence
from email.message import Message
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.utils import make_msgid, parseaddr
from typing import Any, Final
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

# Nothing is fetched, whatever a template names; rules for the dark and for narrow screens stay.
_INLINER: Final = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
# Nobody's automatic reply comes back.
_AUTOMATIC: Final = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


class Mail(EmailMultiAlternatives):
    """A mail whose HTML part may show pictures that lie beside it: `<img src="cid:NAME">`."""

    def __init__(self, *args: Any, pictures: Mapping[str, bytes], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pictures = pictures

    def message(self, **kwargs: Any) -> Any:
        message = super().message(**kwargs)
        if self.pictures:
            _put_pictures_beside_html(message, self.pictures)
        return message


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
) -> Mail:
    """A mail of `template` + ".html" (styles inlined) and ".txt", in `language`.

    The templates have `subject` and `site_url` beside `context`. `headers` may hold a Message-ID,
    so that a mail that is sent again is known as the same. Raises ValueError, with a sentence for
    people, for an address, a subject or a header with a line break.
    """
    _refuse_line_breaks(to, gettext("An e-mail address cannot have a line break."))
    _refuse_line_breaks(subject, gettext("The subject of a mail cannot have a line break."))
    all_headers = {"Message-ID": message_id(), **_AUTOMATIC, **(headers or {})}
    for value in all_headers.values():
        _refuse_line_breaks(value, gettext("A header of a mail cannot have a line break."))
    words = {"subject": subject, "site_url": settings.PUBLIC_BASE_URL, **context}
    with translation.override(language):
        html = render_to_string(f"{template}.html", words)
        text = render_to_string(f"{template}.txt", words)
    mail = Mail(subject, text.strip() + "\n", to=[to], headers=all_headers, pictures=pictures or {})
    mail.attach_alternative(_INLINER.inline(html), "text/html")
    for attachment in attachments:
        mail.attach(*attachment)
    return mail


def message_id(name: str | None = None) -> str:
    """A Message-ID of this site; with a `name`, always the same one."""
    domain = urlsplit(settings.PUBLIC_BASE_URL).hostname
    domain = domain or parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{name}@{domain}>" if name else make_msgid(domain=domain)


def _refuse_line_breaks(value: str, sentence: str) -> None:
    if len(value.splitlines()) > 1 or value.endswith(("\r", "\n")):
        raise ValueError(sentence)


def _put_pictures_beside_html(message: Message, pictures: Mapping[str, bytes]) -> None:
    """Makes the HTML part a multipart/related of itself and the pictures."""
    for part in message.walk():
        inner = part.get_payload()
        if not isinstance(inner, list):
            continue
        for place, html in enumerate(inner):
            if html.get_content_type() == "text/html":
                inner[place] = _related(html, pictures)
                return


def _related(html: Any, pictures: Mapping[str, bytes]) -> MIMEMultipart:
    related = MIMEMultipart("related", type="text/html")
    related.attach(html)
    for name, png in pictures.items():
        picture = MIMEImage(png, "png")
        picture.add_header("Content-ID", f"<{name}>")
        picture.add_header("Content-Disposition", "inline", filename=f"{name}.png")
        related.attach(picture)
    return related
