"""The kinds of rules: what each takes, and a rule as a plain sentence."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.conf import settings
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext, pgettext

from common.formats.dates import time_of_day
from notifications.models import Rule
from notifications.models.rules import Kind
from notifications.words import length_words, limit_percent, minutes_words

TIMERS: Final = (Kind.LONG_CALL, Kind.LONG_HOLD, Kind.LONG_PAUSE, Kind.LONG_WRAP_UP)
FIGURES: Final = (Kind.LOW_SUCCESS, Kind.UNUSUAL_AHT, Kind.NO_CALLS)
OF_CALLS: Final = (*TIMERS, *FIGURES, Kind.MISSED_CALL)

# What a kind's `parameters` hold, and what counts where they do not say. `each`: of every agent in
# the rule's scope, else of all of them together.
DEFAULTS: Final[Mapping[Kind, Mapping[str, Any]]] = {
    Kind.LONG_CALL: {"seconds": None, "times": 1},  # None: `times` LONG_CALL_SECONDS
    Kind.LONG_HOLD: {"seconds": 120},
    Kind.LONG_PAUSE: {"seconds": 300},
    Kind.LONG_WRAP_UP: {"seconds": 90},
    Kind.LOW_SUCCESS: {"percent": 60, "calls": 20, "each": True},
    Kind.UNUSUAL_AHT: {"calls": 5, "each": False},
    Kind.NO_CALLS: {
        "minutes": 30,
        "begin": "08:00",
        "end": "17:00",
        "weekdays": [0, 1, 2, 3, 4],
        "each": True,
    },
    Kind.MISSED_CALL: {"minutes": 15},
    Kind.PROVIDER_SILENT: {},
    Kind.LISTENER_DOWN: {"minutes": 2},
    Kind.BACKUP_FAILED: {},
    Kind.DISK_FULL: {"percent": 90},
    Kind.JOB_FAILED: {"times": 3},
    Kind.WEBHOOK_OFF: {},
}


def parameters_of(rule: Rule) -> dict[str, Any]:
    """The rule's parameters with what counts where it does not say."""
    known = DEFAULTS[Kind(rule.kind)]
    found = {**known, **{name: rule.parameters[name] for name in known if name in rule.parameters}}
    if rule.kind == Kind.LONG_CALL and found["seconds"] is None:
        found["seconds"] = settings.LONG_CALL_SECONDS * found["times"]
    return found


def working_hours(parameters: Mapping[str, Any]) -> tuple[dt.time, dt.time]:
    return dt.time.fromisoformat(parameters["begin"]), dt.time.fromisoformat(parameters["end"])


def sentence_of_rule(rule: Rule) -> str:
    """`When a call lasts longer than 10 minutes, remind the agent.`"""
    return f"{condition_of(rule)}, {telling_of(rule)}."


_CONDITIONS: Final[Mapping[Kind, str]] = {
    Kind.LONG_CALL: gettext_noop("When a call%(whose)s lasts longer than %(length)s"),
    Kind.LONG_HOLD: gettext_noop("When a call%(whose)s is on hold for more than %(length)s"),
    Kind.LONG_PAUSE: gettext_noop("When a call%(whose)s is paused for more than %(length)s"),
    Kind.LONG_WRAP_UP: gettext_noop(
        "When the work after a call%(whose)s lasts longer than %(length)s"
    ),
    Kind.LOW_SUCCESS: gettext_noop(
        "When the success rate%(whose)s falls below %(percent)s over the last %(calls)s calls"
    ),
    Kind.UNUSUAL_AHT: gettext_noop(
        "When the AHT%(whose)s in an hour is off what is usual on that weekday at that time"
    ),
    Kind.NO_CALLS: gettext_noop("When there is no call%(whose)s for %(minutes)s, %(hours)s"),
    Kind.MISSED_CALL: gettext_noop(
        "When a missed call%(whose)s is not called back within %(minutes)s"
    ),
    Kind.PROVIDER_SILENT: gettext_noop(
        "When a phone system is silent for longer than its account allows"
    ),
    Kind.LISTENER_DOWN: gettext_noop("When nobody listens to a phone system for %(minutes)s"),
    Kind.BACKUP_FAILED: gettext_noop("When a backup fails"),
    Kind.DISK_FULL: gettext_noop("When more than %(percent)s of the disk is in use"),
    Kind.JOB_FAILED: gettext_noop("When a job fails %(times)s"),
    Kind.WEBHOOK_OFF: gettext_noop("When a webhook is switched off after days of failures"),
}


def condition_of(rule: Rule) -> str:
    """The first half of the sentence: when, and of whom."""
    found = parameters_of(rule)
    words: dict[str, Any] = {"whose": _whose(rule, found), "calls": found.get("calls")}
    if "seconds" in found:
        words["length"] = length_words(found["seconds"])
    if "minutes" in found:
        words["minutes"] = minutes_words(found["minutes"])
    if "percent" in found:
        words["percent"] = limit_percent(found["percent"])
    if "weekdays" in found:
        words["hours"] = _hours(found)
    if "times" in found:
        words["times"] = ngettext("%(n)d time in a row", "%(n)d times in a row", found["times"]) % {
            "n": found["times"]
        }
    return _(_CONDITIONS[Kind(rule.kind)]) % words


def _whose(rule: Rule, parameters: Mapping[str, Any]) -> str:
    if rule.agent is not None:
        return _(" of %(agent)s") % {"agent": rule.agent.display_name}
    if rule.team is not None:
        text = _(" of any agent of %(team)s") if parameters.get("each") else _(" of %(team)s")
        return text % {"team": rule.team.name}
    if rule.kind in FIGURES:
        return _(" of any agent") if parameters["each"] else _(" of the organisation")
    return ""


def _hours(parameters: Mapping[str, Any]) -> str:
    begin, end = working_hours(parameters)
    return _("%(days)s from %(begin)s to %(end)s") % {
        "days": days_words(parameters["weekdays"]),
        "begin": time_of_day(begin),
        "end": time_of_day(end),
    }


def days_words(weekdays: Iterable[int]) -> str:
    """`Monday to Friday`, `every day`, or the days by name."""
    days = sorted(set(weekdays))
    if len(days) == 7:
        return _("every day")
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        ends = {"first": WEEKDAYS[days[0]], "last": WEEKDAYS[days[-1]]}
        return _("%(first)s to %(last)s") % ends
    return listed(str(WEEKDAYS[day]) for day in days)


def telling_of(rule: Rule) -> str:
    """The second half: who is told, and where."""
    whom = []
    if rule.tell_agent:
        whom.append(pgettext("told", "the agent"))
    if rule.tell_supervisors:
        whom.append(_("the supervisors"))
    if rule.tell_administrators:
        whom.append(_("the administrators"))
    whom += [person.display_name for person in rule.people.all()]
    channels = listed(channel.name for channel in rule.channels.all())
    if whom and channels:
        text = _("tell %(whom)s, and post it to %(channels)s")
    elif channels:
        text = _("post it to %(channels)s")
    elif not whom:
        return _("tell nobody")
    elif len(whom) == 1 and rule.tell_agent:
        text = _("remind the agent")
    else:
        text = _("tell %(whom)s")
    return text % {"whom": listed(whom), "channels": channels}


def listed(words: Iterable[str]) -> str:
    """`a, b and c`."""
    *first, last = [*words] or [""]
    if not first:
        return last
    return _("%(first)s and %(last)s") % {"first": ", ".join(first), "last": last}


def is_watched(rule: Rule) -> bool:
    """Whether it can fire at all: somebody whom it is about still works here."""
    return rule.agent is None or rule.agent.is_active
