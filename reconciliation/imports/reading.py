"""A file of records is read by its format, into the order of time."""

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from calls.models import ProviderAccount
from reconciliation.formats.catalogue import FORMATS, Context, Format, UnreadableFile
from reconciliation.imports import files
from reconciliation.imports.staging import Staging
from reconciliation.matching.people import People
from reconciliation.models import RecordImport


def format_of(code: str) -> Format:
    """ValidationError for an unknown one."""
    if code not in FORMATS:
        raise ValidationError(_("Choose what kind of file it is: it is none that we know."))
    return FORMATS[code]


def zone_of(what: RecordImport) -> ZoneInfo:
    """In which time zone the file's local times are. ValidationError for one that is none."""
    account: ProviderAccount = what.account
    name = str(
        what.reading.get("time_zone") or account.settings.get("timezone") or settings.TIME_ZONE
    )
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValidationError(_("%(name)s is no time zone.") % {"name": name[:60]}) from None


def staged(what: RecordImport, beat: Callable[[int], None]) -> Staging:
    """The records of the import's file. UnreadableFile or ValidationError, with a sentence."""
    name = f"{what.digest} {what.format} {sorted(what.reading.items(), key=str)}"
    staging = Staging(files.staged_path(what))
    try:
        if not staging.is_of(name):
            account = what.account
            people = People(account)
            context = Context(zone_of(what), account.region, account.settings, people.knows)
            found = format_of(what.format).read(files.path_of(what), what.reading, context)
            staging.fill(name, found, beat)
    except FileNotFoundError:
        staging.close()
        raise UnreadableFile(_("The file is no longer here: bring it once more.")) from None
    except BaseException:
        staging.close()
        raise
    return staging
