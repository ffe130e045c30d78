"""The form of a rule: a sentence with gaps, whom to tell, and how often."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from accounts.models import Team, User
from accounts.people import people_of
from common.generics import ModelForm, ModelMultipleChoiceField
from common.instants import now
from common.text import name_key
from notifications.models import Channel, Rule
from notifications.models.rules import OF_INSTALLATION, Kind
from notifications.rules.kinds import DEFAULTS, FIGURES, condition_of, parameters_of
from notifications.words import length_words

_MINUTE: Final = 60
_ORGANISATION: Final = "all"
_LONGEST_KEY: Final = 18  # digits
_COOL_DOWNS: Final = (0, 300, 900, 3600, 4 * 3600, 24 * 3600)

# The sentence as the form writes it: each name in braces is a field. Kinds that take nothing have
# the sentence that they have everywhere.
_SENTENCES: Final[Mapping[Kind, str]] = {
    Kind.LONG_CALL: gettext_noop("When a call {scope} lasts longer than {amount} {unit}"),
    Kind.LONG_HOLD: gettext_noop("When a call {scope} is on hold for more than {amount} {unit}"),
    Kind.LONG_PAUSE: gettext_noop("When a call {scope} is paused for more than {amount} {unit}"),
    Kind.LONG_WRAP_UP: gettext_noop(
        "When the work after a call {scope} lasts longer than {amount} {unit}"
    ),
    Kind.LOW_SUCCESS: gettext_noop(
        "When the success rate {scope}, {each}, falls below {percent} over the last {calls} calls"
    ),
    Kind.UNUSUAL_AHT: gettext_noop(
        "When the AHT {scope}, {each}, in an hour of at least {calls} calls is off what is usual "
        "on that weekday at that time"
    ),
    Kind.NO_CALLS: gettext_noop(
        "When there is no call {scope}, {each}, for {minutes} minutes between {begin} and {end} on "
        "{weekdays}"
    ),
    Kind.MISSED_CALL: gettext_noop(
        "When a missed call {scope} is not called back within {minutes} minutes"
    ),
    Kind.LISTENER_DOWN: gettext_noop("When nobody listens to a phone system for {minutes} minutes"),
    Kind.DISK_FULL: gettext_noop("When more than {percent} of the disk is in use"),
    Kind.JOB_FAILED: gettext_noop("When a job fails {times} times in a row"),
}


def _number(label: Any, least: int, most: int) -> forms.IntegerField:
    widget = forms.NumberInput(attrs={"aria-label": label, "class": "input gap-number"})
    return forms.IntegerField(label=label, min_value=least, max_value=most, widget=widget)


def _choice(label: Any, choices: Any = ()) -> forms.ChoiceField:
    widget = forms.Select(attrs={"aria-label": label, "class": "input gap-choice"})
    return forms.ChoiceField(label=label, choices=choices, widget=widget)


def _time(label: Any, *, required: bool = True) -> forms.TimeField:
    attrs = {"type": "time", "class": "input gap-time", "aria-label": label}
    widget = forms.TimeInput(format="%H:%M", attrs=attrs)
    return forms.TimeField(label=label, required=required, widget=widget)


class _Chosen(ModelMultipleChoiceField[Any]):
    """Rows by their keys; a number that no database holds is the key of none."""

    def clean(self, value: Any) -> Any:
        if any(len(str(key)) > _LONGEST_KEY for key in value or ()):
            raise ValidationError(self.error_messages["invalid_choice"] % {"value": "…"})
        return super().clean(value)


class RuleForm(ModelForm[Rule]):
    """A rule of the instance's kind, as `viewer` may make it. Which fields it has follows from the
    kind: the gaps of its sentence."""

    scope = _choice(gettext_lazy("Whose"))
    amount = _number(gettext_lazy("How long"), 1, 100_000)
    unit = _choice(
        gettext_lazy("Unit"),
        [("minutes", gettext_lazy("minutes")), ("seconds", gettext_lazy("seconds"))],
    )
    percent = _number(gettext_lazy("Percent"), 1, 100)
    calls = _number(gettext_lazy("Calls"), 1, 500)
    minutes = _number(gettext_lazy("Minutes"), 1, 24 * 60)
    times = _number(gettext_lazy("Times"), 1, 100)
    each = _choice(
        gettext_lazy("Each apart or all together"),
        [("each", gettext_lazy("each agent apart")), ("whole", gettext_lazy("all together"))],
    )
    begin = _time(gettext_lazy("Begin of work"))
    end = _time(gettext_lazy("End of work"))
    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Weekdays"),
        coerce=int,
        choices=list(WEEKDAYS.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    people = _Chosen(
        label=gettext_lazy("And these people"),
        queryset=User.objects.none(),
        required=False,
        help_text=gettext_lazy("Each is told only what that person may see."),
        widget=forms.SelectMultiple(attrs={"size": 6}),
    )
    channels = _Chosen(
        label=gettext_lazy("Post it to"),
        queryset=Channel.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    cool_down_seconds = forms.TypedChoiceField(
        label=gettext_lazy("Of the same agent, team or matter not again for"), coerce=int
    )
    quiet_from = _time(gettext_lazy("Quiet from"), required=False)
    quiet_until = _time(gettext_lazy("until"), required=False)

    class Meta:
        model = Rule
        fields = (
            *("tell_agent", "tell_supervisors", "tell_administrators", "people", "channels"),
            *("cool_down_seconds", "quiet_from", "quiet_until"),
        )
        labels = {
            "tell_agent": gettext_lazy("The agent"),
            "tell_supervisors": gettext_lazy("The supervisors of the team"),
            "tell_administrators": gettext_lazy("The administrators"),
        }

    def __init__(self, *args: Any, viewer: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.viewer = viewer
        self.kind = Kind(self.instance.kind)
        gaps = [name for name in _GAPS if f"{{{name}}}" in _SENTENCES.get(self.kind, "")]
        for name in set(_GAPS) - set(gaps):
            del self.fields[name]
        self.initial = {**self.initial, **self._initial()}
        self._choose()

    def _initial(self) -> dict[str, Any]:
        found = parameters_of(self.instance)
        if "seconds" in found:
            whole = found["seconds"] % _MINUTE == 0
            found["amount"] = found["seconds"] // _MINUTE if whole else found["seconds"]
            found["unit"] = "minutes" if whole else "seconds"
        if "each" in found:
            found["each"] = "each" if found["each"] else "whole"
        return found | {"scope": _scope_of(self.instance)}

    def _choose(self) -> None:
        """What there is to choose from follows from whom the viewer may see."""
        seen = User.objects.visible_to(self.viewer).filter(is_active=True)
        if "scope" in self.fields:
            self._scopes = self._scopes_to_choose()
            self.fields["scope"].choices = list(self._scopes.items())  # type: ignore[attr-defined]
        keep = self.instance.people.all() if self.instance.pk else User.objects.none()
        told = (seen | keep).distinct() if self.instance.pk else seen
        self._set_queryset("people", told.order_by("name_key", "pk"))
        self._set_queryset("channels", Channel.objects.filter(owner=None, enabled=True))
        if not Channel.objects.filter(owner=None, enabled=True).exists():
            del self.fields["channels"]
        if self.kind in OF_INSTALLATION:
            for name in ("tell_agent", "tell_supervisors"):
                del self.fields[name]
        known = sorted({*_COOL_DOWNS, self.instance.cool_down_seconds})
        self.fields["cool_down_seconds"].choices = [  # type: ignore[attr-defined]
            (seconds, length_words(seconds) if seconds else _("no pause: tell every time"))
            for seconds in known
        ]

    def _set_queryset(self, name: str, rows: Any) -> None:
        self.fields[name].queryset = rows  # type: ignore[attr-defined]

    def _scopes_to_choose(self) -> dict[str, str]:
        scopes: dict[str, str] = {}
        if self.viewer.scope.everyone:
            scopes[_ORGANISATION] = _("of anybody")
            teams = list(Team.objects.all())
        else:
            teams = list(self.viewer.scope.teams)
        for team in teams:
            scopes[f"team-{team.pk}"] = _("of the team %(team)s") % {"team": team.name}
        led = None if self.viewer.scope.everyone else {team.pk for team in teams}
        people = people_of(User.objects.visible_to(self.viewer).filter(is_active=True))
        agents = [one for one in people if led is None or one.team_id in led]
        for one in sorted(agents, key=lambda one: name_key(one.display_name)):
            scopes[f"agent-{one.pk}"] = _("of %(agent)s") % {"agent": one.display_name}
        return scopes

    @property
    def sentence(self) -> SafeString:
        """The first half of the sentence, with fields for its gaps."""
        gaps: dict[str, Any] = {name: self[name] for name in _GAPS if name in self.fields}
        if "percent" in gaps:
            gaps["percent"] = format_html("{} %", gaps["percent"])
        text = _SENTENCES.get(self.kind)
        return (
            format_html(_(text), **gaps) if text else format_html("{}", condition_of(self.instance))
        )

    @property
    def checks(self) -> list[forms.BoundField]:
        """The people by what they are."""
        names = ("tell_agent", "tell_supervisors", "tell_administrators")
        return [self[name] for name in names if name in self.fields]

    @property
    def faults(self) -> list[tuple[Any, list[str]]]:
        """What is wrong with the gaps, and with the whole: labels and sentences."""
        gaps = [
            (self[name].label, list(self[name].errors)) for name in _GAPS if name in self.fields
        ]
        whole = [("", [*self.non_field_errors()])]
        return [(label, errors) for label, errors in [*whole, *gaps] if errors]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._check_seconds(cleaned)
        begin, end = cleaned.get("begin"), cleaned.get("end")
        if begin is not None and begin == end:
            self.add_error("end", _("Work cannot end at the minute at which it begins."))
        quiet = [cleaned.get("quiet_from"), cleaned.get("quiet_until")]
        if (quiet[0] is None) != (quiet[1] is None):
            self.add_error("quiet_until", _("Quiet hours need a begin and an end, or neither."))
        elif quiet[0] is not None and quiet[0] == quiet[1]:
            self.add_error("quiet_until", _("Quiet hours cannot end when they begin."))
        if not self._tells_somebody(cleaned):
            raise ValidationError(_("Say who is told, or where it is posted."))
        return cleaned

    def _check_seconds(self, cleaned: dict[str, Any]) -> None:
        if "amount" not in cleaned or "unit" not in cleaned:
            return
        seconds = cleaned["amount"] * (_MINUTE if cleaned["unit"] == "minutes" else 1)
        cleaned["seconds"] = seconds
        cap = settings.WRAP_UP_CAP_SECONDS
        if self.kind == Kind.LONG_WRAP_UP and seconds >= cap:
            if not cap:
                self.add_error("amount", _("The work after calls is not counted here."))
                return
            text = _("The work after a call is closed after %(cap)s by itself: choose less.")
            self.add_error("amount", text % {"cap": length_words(cap)})
        elif seconds > settings.MAX_CALL_SECONDS:
            text = _("A call is closed after %(cap)s by itself: choose less.")
            self.add_error("amount", text % {"cap": length_words(settings.MAX_CALL_SECONDS)})

    def _tells_somebody(self, cleaned: dict[str, Any]) -> bool:
        whole = cleaned.get("each") == "whole" and not str(cleaned.get("scope")).startswith("agent")
        agent = cleaned.get("tell_agent") and not (self.kind in FIGURES and whole)
        others = ("tell_supervisors", "tell_administrators", "people", "channels")
        return bool(agent) or any(cleaned.get(name) for name in others)

    def build(self) -> Rule:
        """The instance with what the form says, not saved."""
        rule = self.instance
        cleaned = self.cleaned_data
        rule.parameters = {
            name: _stored(cleaned[name]) for name in DEFAULTS[self.kind] if name in cleaned
        }
        if "each" in cleaned:
            rule.parameters["each"] = cleaned["each"] == "each"
        kind, _dash, key = cleaned.get("scope", _ORGANISATION).partition("-")
        rule.team = Team.objects.get(pk=key) if kind == "team" else None
        rule.agent = User.objects.get(pk=key) if kind == "agent" else None
        rule.watching_since = now()
        return rule

    def save(self, commit: bool = True) -> Rule:
        self.build()
        return super().save(commit)


def _scope_of(rule: Rule) -> str:
    if rule.agent_id is not None:
        return f"agent-{rule.agent_id}"
    return _ORGANISATION if rule.team_id is None else f"team-{rule.team_id}"


def _stored(value: Any) -> Any:
    return f"{value:%H:%M}" if isinstance(value, dt.time) else value


_GAPS: Final = (
    *("scope", "each", "amount", "unit", "percent", "calls", "minutes", "times"),
    *("begin", "end", "weekdays"),
)
