"""Whether there is a backup to rely on."""

from collections.abc import Iterator

from django.conf import settings
from django.utils.translation import gettext as _

from callmanager.doctor.findings import Finding, error, ok, warning
from common.formats.dates import moment
from upkeep.backups import state
from upkeep.backups.places import BackupError, refuse_public


def backups() -> Iterator[Finding]:
    try:
        refuse_public(settings.BACKUP_DIR)
    except BackupError as reason:
        yield error(str(reason))
    last = state.last_good()
    if not state.interval():
        yield warning(_("BACKUP_EVERY_MINUTES=0: backups are made only when somebody makes one."))
    elif last is None:
        yield warning(state.concern())
    elif sentence := state.concern():
        yield error(sentence)
    else:
        yield ok(_("The last good backup is of %(when)s.") % {"when": moment(last.begun_at)})
