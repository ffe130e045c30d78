"""Whether the ledger is anchored each night, and what its last proof said."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _

from callmanager.doctor.findings import Finding, error, ok, warning
from calls.models import CallEvent
from common.formats.dates import moment, short_day
from common.instants import today
from upkeep.verification import last_proof, newest_anchor

_LATE: Final = dt.timedelta(days=2)


def ledger() -> Iterator[Finding]:
    proof = last_proof()
    if proof is not None and proof.failed:
        sentence = _("The ledger is not what was written, or could not be verified: %(what)s")
        yield error(sentence % {"what": proof.result})
    anchor = newest_anchor()
    if anchor is None and CallEvent.objects.exists():
        yield warning(_("The ledger has no anchor yet: the worker makes one each night."))
    elif anchor is not None and anchor.day < today() - _LATE:
        sentence = _(
            "The last anchor of the ledger is of %(day)s: the worker makes one each night."
        )
        yield warning(sentence % {"day": short_day(anchor.day)})
    elif proof is not None and proof.ended_at and not proof.failed:
        when = {"when": moment(proof.ended_at)}
        yield ok(_("The ledger was verified on %(when)s, and is anchored each night.") % when)
    elif not (proof and proof.failed):
        yield ok(_("The ledger is anchored each night, and verified each week."))
