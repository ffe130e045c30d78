"""How a leg ended, and how long its phone kept the other side waiting, by its variables."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from calls import timeline
from calls.providers.freeswitch.causes import outcome
from calls.providers.reading import number_of

Said = Callable[..., str]  # what the first of some variables that is set says

# FreeSWITCH waits this long (ms) before it takes a call back that a phone had put on hold.
UNHOLD_DELAY: Final = 250
_HOLD = re.compile(r"\{\d{10,17},\d{10,17}\}")
_BETTER_CAUSES = ("originate_disposition", "last_bridge_hangup_cause", "bridge_hangup_cause")
# Who hung up, seen from an agent's own phone.
_HUNG_UP_BY: Mapping[str, str] = {"recv_bye": "agent_hangup", "send_bye": "remote_hangup"}


def outcome_of(said: Said, is_agents: bool, was_answered: bool) -> tuple[str, tuple[str, str]]:
    """The cause, and what it means; ("", "") where we do not know it."""
    hung_up = said("hangup_cause").upper()
    cause = hung_up
    if not was_answered:
        # The caller's leg ends in the normal way, however the other phone failed.
        causes = [said(name).upper() for name in _BETTER_CAUSES]
        cause = next((one for one in causes if one not in ("", "SUCCESS")), hung_up)
    told = number_of(said("hangup_cause_q850")) if cause == hung_up else None
    status, reason = outcome(cause, told, was_answered)
    if status == timeline.COMPLETED and is_agents and not reason:
        reason = _HUNG_UP_BY.get(said("sip_hangup_disposition"), "")
    return cause, (status, reason)


def held(said: Said, holds: str) -> int:
    """How long (ms) the phone kept the other side waiting: FreeSWITCH's own sum holds what it waits
    itself before it takes a call back, once for each of the `holds` that it lists."""
    told = number_of(said("hold_accum_ms")) or 0
    return max(0, told - UNHOLD_DELAY * len(_HOLD.findall(holds)))
