"""What an administrator must know of the installation: a silent phone system, one that nobody
listens to, a full disk, a backup or a job that fails."""

import datetime as dt
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db.models import Q

from calls.models import ProviderAccount
from calls.telephony.listening.listener import NOT_CONNECTED, NOT_LISTENING
from common.instants import now, to_ms
from notifications.models import Rule
from notifications.models.rules import Kind
from notifications.rules import firing
from notifications.rules.firing import Occasion
from notifications.rules.kinds import parameters_of

# Since when this process has seen accounts without a listener: a connection that comes back within
# a moment is no matter.
_DOWN_SINCE: Final[dict[int, dt.datetime]] = {}


def watch(at: dt.datetime | None = None) -> None:
    """Fires what is the case at the instant `at` (now), and ends what no longer is."""
    at = at or now()
    rules = Rule.objects.filter(enabled=True, kind__in=_STATES)
    firing.do_each(
        rules, lambda rule: firing.fire_lasting(rule, list(_STATES[Kind(rule.kind)](rule, at)), at)
    )


def _silent(rule: Rule, at: dt.datetime) -> Iterator[Occasion]:
    for account in ProviderAccount.objects.filter(is_active=True, silent_since__isnull=False):
        assert account.silent_since is not None
        yield Occasion(
            key=f"silent:{account.pk}:{to_ms(account.silent_since)}",
            reached_at=account.silent_since + dt.timedelta(minutes=account.silence_minutes or 0),
            subject=account.name,
        )


def _unheard(rule: Rule, at: dt.datetime) -> Iterator[Occasion]:
    states = Q(state__startswith=NOT_CONNECTED) | Q(state__startswith=NOT_LISTENING)
    down = {
        account.pk: account for account in ProviderAccount.objects.filter(states, is_active=True)
    }
    for gone in _DOWN_SINCE.keys() - down.keys():
        _DOWN_SINCE.pop(gone, None)
    patience = dt.timedelta(minutes=parameters_of(rule)["minutes"])
    for pk, account in down.items():
        since = _DOWN_SINCE.setdefault(pk, at)
        if at - since >= patience:
            key = f"unheard:{pk}:{to_ms(since)}"
            yield Occasion(key=key, reached_at=since + patience, subject=account.name)


def _full(rule: Rule, at: dt.datetime) -> Iterator[Occasion]:
    limit = parameters_of(rule)["percent"]
    for used in _used_percents():
        if used >= limit:
            facts = {"percent": limit, "value": round(used, 1)}
            yield Occasion(key=f"disk:{to_ms(at)}", reached_at=at, facts=facts)
            return


def _used_percents() -> Iterator[float]:
    """Of the disks with the data and with the backups, in percent of what programs may use."""
    for folder in (Path(settings.DATA_DIR), Path(settings.BACKUP_DIR)):
        if folder.exists():
            disk = shutil.disk_usage(folder)
            yield 100 * disk.used / ((disk.used + disk.free) or 1)


_STATES: Final[Mapping[Kind, Callable[[Rule, dt.datetime], Iterator[Occasion]]]] = {
    Kind.PROVIDER_SILENT: _silent,
    Kind.LISTENER_DOWN: _unheard,
    Kind.DISK_FULL: _full,
}


def job_failed(name: str, failures: int) -> None:
    """A job has failed `failures` times in a row."""
    found = _event(f"job:{name}", subject=name[:120], facts={"failures": failures})
    for rule in Rule.objects.filter(enabled=True, kind=Kind.JOB_FAILED):
        if failures >= parameters_of(rule)["times"]:
            firing.fire(rule, found, lasting=True)


def job_recovered(name: str) -> None:
    firing.end(Q(kind=Kind.JOB_FAILED, subject=name[:120]))


def backup_failed() -> None:
    for rule in Rule.objects.filter(enabled=True, kind=Kind.BACKUP_FAILED):
        firing.fire(rule, _event("backup"), lasting=True)


def backup_made() -> None:
    firing.end(Q(kind=Kind.BACKUP_FAILED))


def webhook_off(name: str) -> None:
    """The webhook `name` was switched off by itself."""
    for rule in Rule.objects.filter(enabled=True, kind=Kind.WEBHOOK_OFF):
        firing.fire(rule, _event(f"webhook:{name}", subject=name), lasting=True)


def webhook_on(name: str) -> None:
    firing.end(Q(kind=Kind.WEBHOOK_OFF, subject=name))


def _event(what: str, **fields: object) -> Occasion:
    at = now()
    return Occasion(key=f"{what[:100]}:{to_ms(at)}", reached_at=at, **fields)  # type: ignore[arg-type]
