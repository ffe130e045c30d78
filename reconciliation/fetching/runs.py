"""A fetch from the question to the import: what an account's provider tells of a period."""

import datetime as dt
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from calls.models import ProviderAccount
from common.instants import now
from reconciliation import imports
from reconciliation.fetching import fetchers
from reconciliation.fetching.asking import Failed, Interface, Patience
from reconciliation.fetching.base import Fetcher
from reconciliation.models import RecordImport

_LONGEST_MESSAGE: Final = 300


def fetch(
    account: ProviderAccount,
    since: dt.datetime,
    until: dt.datetime,
    person: User | None = None,
    *,
    by_night: bool = False,
    patience: Patience | None = None,
) -> RecordImport:
    """Fetches the records of the period and has the worker take them in.

    What goes wrong becomes a failed import that says so, in the list where people look; nothing of
    the period is taken in then, and it stays to be fetched.
    """
    reading = {"period": [since.isoformat(), until.isoformat()], "by_night": by_night}
    try:
        with fetched_file(account, since, until, patience) as (path, count):
            if count:
                what = draft_of(account, path, since, until, person, reading)
    except Failed as failure:
        return _ended(account, person, since, until, reading, RecordImport.FAILED, str(failure))
    if not count:
        none = _("The provider has no records of this period.")
        return _ended(account, person, since, until, reading, RecordImport.DONE, none)
    imports.take_in(what)
    return what


@contextmanager
def fetched_file(
    account: ProviderAccount,
    since: dt.datetime,
    until: dt.datetime,
    patience: Patience | None = None,
) -> Iterator[tuple[Path, int]]:
    """The provider's records of the period, a JSON object a line, and how many. Raises Failed."""
    fetcher = _fetcher_of(account, patience)
    with tempfile.NamedTemporaryFile(dir=settings.DATA_DIR, prefix="fetching-") as file:
        count = _written(file, fetcher, since, until)
        file.flush()
        yield Path(file.name), count


def _fetcher_of(account: ProviderAccount, patience: Patience | None) -> Fetcher:
    kind = fetchers().get(account.kind)
    if kind is None:
        raise Failed(_("The records of this kind of phone system cannot be fetched."))
    lacking = kind.lacking(account)
    if lacking:
        raise Failed(_("The account lacks: %(names)s.") % {"names": ", ".join(lacking)})
    return kind(account, Interface(kind.base_of(account), patience))


def _written(file: IO[bytes], fetcher: Fetcher, since: dt.datetime, until: dt.datetime) -> int:
    count = 0
    for count, record in enumerate(fetcher.records(since, until), start=1):  # noqa: B007
        file.write(json.dumps(record, ensure_ascii=False).encode(errors="surrogatepass") + b"\n")
    return count


def draft_of(
    account: ProviderAccount,
    path: Path,
    since: dt.datetime,
    until: dt.datetime,
    person: User | None,
    reading: dict[str, Any],
) -> RecordImport:
    """What was fetched, as an import that is looked at. Raises Failed."""
    named = fetchers()[account.kind].format
    try:
        what = imports.start(
            account,
            person,
            _name_of(account, since, until) + ".jsonl",
            path,
            origin=RecordImport.FETCH,
            format=named,
        )
        imports.set_reading(what, named, {**what.reading, **reading, "skip_bad": True})
    except ValidationError as error:
        raise Failed(" ".join(error.messages)) from error
    return what


def _ended(
    account: ProviderAccount,
    person: User | None,
    since: dt.datetime,
    until: dt.datetime,
    reading: dict[str, Any],
    state: str,
    message: str,
) -> RecordImport:
    """A fetch that brought nothing, and why."""
    present = now()
    return RecordImport.objects.create(
        account=account,
        person=person,
        origin=RecordImport.FETCH,
        state=state,
        message=message[:_LONGEST_MESSAGE],
        file_name=_name_of(account, since, until),
        format=fetchers()[account.kind].format if account.kind in fetchers() else "",
        reading=reading,
        started_at=present,
        ended_at=present,
        since=since,
        until=until,
    )


def _name_of(account: ProviderAccount, since: dt.datetime, until: dt.datetime) -> str:
    days = (timezone.localdate(instant).isoformat() for instant in (since, until))
    return f"{account.name} {' – '.join(days)}"
