"""Who calls, for the phone to show."""

from calls.models import Contact, ProviderIdentity
from common.phones import line_of, pretty, to_e164
from webphone.models import PhoneLine


def name_of(line: PhoneLine, number: str) -> tuple[str, str]:
    """The name of a contact or colleague with `number`, "" if there is none; and how the number is
    written."""
    region = line.account.region or None
    contact = Contact.objects.meant_by(line.user, "", line_of(number, region))
    e164 = to_e164(number, region)
    shown = pretty(e164) if e164 else number
    if contact is not None:
        return contact.name, shown
    colleague = ProviderIdentity.agent_of(line.account, [number])
    return (str(colleague) if colleague is not None else ""), shown
