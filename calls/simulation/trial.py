"""Tries an account's hook: one signed call through the real door, and what was recorded of it."""

from dataclasses import replace

from django.utils.translation import gettext as _

from calls.models import ProviderAccount
from calls.simulation import builders
from calls.simulation.delivery import Unsent
from calls.simulation.play import Play, play
from calls.simulation.verdicts import EXACT, recorded


def try_hook(account: ProviderAccount, url: str) -> list[str]:
    """Sends a call to the hook of `account` at the site `url`; what came of it, a line each.

    The call is of nobody who exists, and is removed afterwards.
    """
    if account.kind not in builders():
        return [_("This phone system has no hook: it is listened to.")]
    if not account.is_active:
        return [_("The account is switched off: its hook answers 404.")]
    try:
        outcome = play(replace(_TRIAL, kind=account.kind, account=account.name, url=url))
    except Unsent as error:
        return [_("The site could not be reached: %(why)s") % {"why": error}]
    except LookupError:
        return [_("The account has no secret yet: set one first.")]
    sent = {"sent": outcome.sent, "refused": outcome.answers.refused}
    lines = [_("Sent %(sent)d messages; %(refused)d were refused.") % sent]
    (verdict,) = outcome.verdicts
    lines += [
        _("Recorded: %(status)s, rang %(ring)s s, talked %(talk)s s, %(duration)s s in all.")
        % recorded(call)
        for call in verdict.calls
    ]
    lines.append(
        _("All is as it was sent. The hook works.")
        if verdict.said == EXACT and outcome.is_sound
        else _("This is not what was sent: the hook does not work yet.")
    )
    return [*lines, _("The call of this trial has been removed.")]


_TRIAL = Play("", calls=1)
