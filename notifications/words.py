"""What an alert says, in the language that is active."""

from collections.abc import Callable, Mapping
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from accounts.models import User
from calls.models import CallDispute
from calls.templatetags.calls_format import clock, duration_words, percent, whole
from notifications.models import Alert
from notifications.models.alerts import Happening
from notifications.models.rules import Kind


def sentence_of(alert: Alert, reader: User | None = None) -> str:
    """One plain sentence, without a phone number or a contact's name. To a `reader` who is the
    agent it is about, it speaks of their own call."""
    own = reader is not None and alert.agent_id == reader.pk
    return _SENTENCES[alert.kind](alert, own)


def link_of(alert: Alert) -> str:
    """The path of the page that shows what it is about: the call, the figure, the job."""
    if alert.call is not None:
        return reverse("call", args=[alert.call.call_id])
    if alert.agent_id is not None:
        return reverse("agent", args=[alert.agent_id])
    if alert.team_id is not None:
        return f"{reverse('team')}?team={alert.team_id}"
    return reverse(_PAGES.get(alert.kind, "organization"))


_PAGES: Final[Mapping[str, str]] = {
    Kind.PROVIDER_SILENT: "admin:calls_provideraccount_changelist",
    Kind.LISTENER_DOWN: "admin:calls_provideraccount_changelist",
    Kind.WEBHOOK_OFF: "webhooks",
    Kind.BACKUP_FAILED: "admin:upkeep_backup_changelist",
    Kind.DISK_FULL: "admin:upkeep_backup_changelist",
    Kind.JOB_FAILED: "admin:upkeep_workerbeat_changelist",
}


def length_words(seconds: int) -> str:
    """A limit as people say it: `10 minutes`, `90 seconds`, `1 h 30 min`."""
    hours, rest = divmod(seconds, 3600)
    if hours and not rest:
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    if seconds >= 60 and seconds % 60 == 0 and not hours:
        return minutes_words(seconds // 60)
    if seconds < 120:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    return duration_words(seconds)


def limit_percent(value: float) -> str:
    """A limit of whole percent, without a decimal."""
    return _("%(number)s%%") % {"number": whole(round(value))}


def minutes_words(minutes: int) -> str:
    return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}


def whom(alert: Alert) -> str:
    """Whose figure or call it is: an agent, a team, or the organisation."""
    if alert.agent is not None:
        return alert.agent.display_name
    if alert.team is not None:
        return alert.team.name
    return _("The organisation")


def _timed(nobodys: str, other: str, own: str) -> Callable[[Alert, bool], str]:
    """The sentence of something that lasts: of a call without an agent, of an agent, of one's own;
    each a text that gettext knows, with `length` and `agent`."""

    def said(alert: Alert, is_own: bool) -> str:
        text = _(own) if is_own else _(other) if alert.agent is not None else _(nobodys)
        length = length_words(int(alert.facts.get("seconds", 0)))
        return text % {"length": length, "agent": whom(alert)}

    return said


def _low_success(alert: Alert, own: bool) -> str:
    facts = {
        "rate": percent(alert.facts.get("value")),
        "limit": limit_percent(alert.facts.get("percent", 0)),
    }
    calls = int(alert.facts.get("calls", 0))
    if own:
        text = ngettext(
            "Your success rate is %(rate)s over your last call (limit: %(limit)s).",
            "Your success rate is %(rate)s over your last %(calls)d calls (limit: %(limit)s).",
            calls,
        )
    else:
        text = ngettext(
            "%(who)s: the success rate is %(rate)s over the last call (limit: %(limit)s).",
            "%(who)s: the success rate is %(rate)s over the last %(calls)d calls "
            "(limit: %(limit)s).",
            calls,
        )
    return text % {**facts, "calls": calls, "who": whom(alert)}


def _unusual_aht(alert: Alert, own: bool) -> str:
    facts = alert.facts
    text = (
        _("Your AHT of the last hour is %(aht)s; usual at this time is %(low)s to %(high)s.")
        if own
        else _(
            "%(who)s: the AHT of the hour is %(aht)s; usual at this time is %(low)s to %(high)s."
        )
    )
    lengths = {name: clock(facts.get(name)) for name in ("aht", "low", "high")}
    return text % {**lengths, "who": whom(alert)}


def _no_calls(alert: Alert, own: bool) -> str:
    length = minutes_words(int(alert.facts.get("minutes", 0)))
    if own:
        return _("You have had no call for %(length)s.") % {"length": length}
    return _("%(who)s: no call for %(length)s.") % {"who": whom(alert), "length": length}


def _missed_call(alert: Alert, own: bool) -> str:
    length = minutes_words(int(alert.facts.get("minutes", 0)))
    if own:
        text = _("A call that you missed has not been called back for %(length)s.")
    elif alert.agent is not None:
        text = _("%(who)s: a missed call has not been called back for %(length)s.")
    else:
        text = _("A missed call has not been called back for %(length)s.")
    return text % {"who": whom(alert), "length": length}


def _provider_silent(alert: Alert, own: bool) -> str:
    return _("The phone system %(name)s has fallen silent.") % {"name": alert.subject}


def _listener_down(alert: Alert, own: bool) -> str:
    return _("Nobody listens to the phone system %(name)s: its calls are not recorded.") % {
        "name": alert.subject
    }


def _backup_failed(alert: Alert, own: bool) -> str:
    return _("The backup failed. The last good one stays.")


def _disk_full(alert: Alert, own: bool) -> str:
    text = _("The disk with the data is nearly full: %(percent)s in use.")
    return text % {"percent": percent(alert.facts.get("value"))}


def _job_failed(alert: Alert, own: bool) -> str:
    times = int(alert.facts.get("failures", 0))
    return ngettext(
        "The job %(name)s has failed.",
        "The job %(name)s has failed %(times)d times in a row.",
        times,
    ) % {"name": alert.subject, "times": times}


def _webhook_off(alert: Alert, own: bool) -> str:
    text = _("The webhook %(name)s was switched off after its failures. Nothing is lost.")
    return text % {"name": alert.subject}


def _dispute_opened(alert: Alert, own: bool) -> str:
    return _("%(who)s disputes what is recorded of a call.") % {"who": whom(alert)}


def _dispute_decided(alert: Alert, own: bool) -> str:
    upheld = alert.facts.get("state") == CallDispute.UPHELD
    if own:
        upholds, rejects = _("Your dispute of a call was upheld."), _("Your dispute was rejected.")
    else:
        upholds = _("%(who)s: the dispute of a call was upheld.")
        rejects = _("%(who)s: the dispute of a call was rejected.")
    return (upholds if upheld else rejects) % {"who": whom(alert)}


_SENTENCES: Final[Mapping[str, Callable[[Alert, bool], str]]] = {
    Kind.LONG_CALL: _timed(
        gettext_noop("A call without an agent has lasted longer than %(length)s."),
        gettext_noop("%(agent)s: the call has lasted longer than %(length)s."),
        gettext_noop("Your call has lasted longer than %(length)s."),
    ),
    Kind.LONG_HOLD: _timed(
        gettext_noop("A call without an agent has been on hold for more than %(length)s."),
        gettext_noop("%(agent)s: the call has been on hold for more than %(length)s."),
        gettext_noop("Your call has been on hold for more than %(length)s."),
    ),
    Kind.LONG_PAUSE: _timed(
        gettext_noop("A call without an agent has been paused for more than %(length)s."),
        gettext_noop("%(agent)s: the call has been paused for more than %(length)s."),
        gettext_noop("Your call has been paused for more than %(length)s."),
    ),
    Kind.LONG_WRAP_UP: _timed(
        gettext_noop("The work after a call has lasted longer than %(length)s."),
        gettext_noop("%(agent)s: the work after the call has lasted longer than %(length)s."),
        gettext_noop("Your work after the call has lasted longer than %(length)s."),
    ),
    Kind.LOW_SUCCESS: _low_success,
    Kind.UNUSUAL_AHT: _unusual_aht,
    Kind.NO_CALLS: _no_calls,
    Kind.MISSED_CALL: _missed_call,
    Kind.PROVIDER_SILENT: _provider_silent,
    Kind.LISTENER_DOWN: _listener_down,
    Kind.BACKUP_FAILED: _backup_failed,
    Kind.DISK_FULL: _disk_full,
    Kind.JOB_FAILED: _job_failed,
    Kind.WEBHOOK_OFF: _webhook_off,
    Happening.DISPUTE_OPENED: _dispute_opened,
    Happening.DISPUTE_DECIDED: _dispute_decided,
}
