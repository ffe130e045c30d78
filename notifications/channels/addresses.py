"""What people type in as an address of a channel."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext

from common import outgoing_http


def clean_web_address(text: str) -> str:
    """The address of a service, which has to be one that may be sent to."""
    outgoing_http.validate_address(text)
    return text


def clean_mail_address(text: str) -> str:
    if text.splitlines()[1:] or "\r" in text or "\n" in text:
        raise ValidationError(gettext("An e-mail address cannot have a line break."))
    try:
        validate_email(text)
    except ValidationError as error:
        raise ValidationError(gettext("That is no e-mail address.")) from error
    return text
