"""How the administration writes an instant."""

import datetime as dt

from django.utils import timezone
from django.utils.formats import date_format

from calls.history import ledger_lines


def moment(instant: dt.datetime) -> str:
    """Day and time of the organisation, to the millisecond."""
    day = date_format(timezone.localtime(instant), "SHORT_DATE_FORMAT")
    return f"{day} {ledger_lines.clock_ms(instant)}"
