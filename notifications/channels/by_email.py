"""E-mail, through the server's own mail settings."""

import smtplib
from collections.abc import Mapping
from typing import Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from notifications import mail
from notifications.channels.addresses import clean_mail_address
from notifications.channels.base import Entry, Message, Refused, TryAgain, masked

entries = (
    Entry(
        "address",
        _("E-mail address"),
        _("One address: a person's or a list's"),
        clean_mail_address,
        secret=False,
    ),
)
help = _("Messages come from the address that an administrator of the server has set.")
personal = True
_SUBJECT_LENGTH: Final = 200


def send(secrets: Mapping[str, str], message: Message) -> None:
    """The Message-ID stays the same, so that a mail program shows one that came twice once."""
    if not settings.EMAIL_URL:
        raise Refused(
            gettext_noop(
                "This server sends no mail yet: whoever administers it has to set EMAIL_URL."
            )
        )
    try:
        composed = mail.compose(
            to=secrets["address"],
            subject=" ".join(message.sentence.split())[:_SUBJECT_LENGTH],
            template="mail/alert",
            context={"message": message},
            language=message.language,
            headers={"Message-ID": mail.message_id(message.reference)},
        )
    except ValueError as error:
        raise Refused(gettext_noop("An e-mail address cannot have a line break.")) from error
    try:
        composed.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()), (550, b""))
        raise _of_answer(code, said) from error
    except smtplib.SMTPAuthenticationError as error:
        raise TryAgain(
            gettext_noop("The mail server does not accept this server's user name and password.")
        ) from error
    except smtplib.SMTPResponseException as error:
        raise _of_answer(error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise TryAgain(gettext_noop("The mail server cannot be reached.")) from error


def _of_answer(code: int, said: bytes | str) -> Refused | TryAgain:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    detail = masked(" ".join(text.split())[:160], [settings.EMAIL_HOST_PASSWORD])
    if 500 <= code < 600:
        return Refused(
            gettext_noop("The mail server refused the message (%(status)s): %(detail)s"),
            status=code,
            detail=detail,
        )
    return TryAgain(
        gettext_noop("The mail server wants to be asked again later (%(status)s): %(detail)s"),
        status=code,
        detail=detail,
    )
