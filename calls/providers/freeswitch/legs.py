"""One leg's record -> what it says of an agent's part of a call.

FreeSWITCH writes a record for each leg: for the phone that called in (A leg), for each one that it
called because of that (B leg), and for one that a program made it call (click to call, a dialer).
An agent's part is named by the leg of the agent's own phone, so both sides of a bridge name it the
same way, whatever else they say; a part of nobody by the leg that called.

Ids may contradict each other. A leg's own `call_uuid` says nothing: some B legs have their own
instead of the A leg's. Whoever made a leg (`originating_leg_uuid`) and whom it was bridged with
(`bridge_uuid`) are facts, and are believed before it.
"""

from collections.abc import Mapping
from typing import Any

from calls import timeline
from calls.providers.base import ProviderEvent, Unknown, Unreadable, bounded_ms
from calls.providers.freeswitch import ending
from calls.providers.freeswitch.peers import (
    EXTENSION,
    LOOPBACK,
    WAYS_OUT,
    is_ours,
    leads_out,
    peer_of,
)
from calls.providers.freeswitch.record import Record
from calls.providers.reading import joined, name_of, names, number_of, text

# A bridge follows the answer at once; an answer well before it was the dialplan's own.
_OWN_ANSWER_MS = 2_000
# With these a phone takes a call that waits, or rings elsewhere, instead of making one.
_TAKING = frozenset({"valet_park", "park", "pickup", "intercept", "fifo"})
_CONFERENCE = "conference"
_APPLICATION, _APPLICATION_DATA = (
    ("last_app", "current_application"),
    ("last_arg", "current_application_data"),
)


class Leg:
    """One leg of a call, as its record tells it. Instants in ms."""

    def __init__(self, record: Record, settings: Mapping[str, Any]):
        self.record, self.variables = record, record.variables
        self.has_b_legs = text(settings.get("b_legs")).casefold() != "no"
        self.uuid = name_of(self._said("uuid"), "leg")
        # The leg because of which this one was called; a queue's agents are called for its caller.
        self.maker = self._other(
            *map(self._said, ("originating_leg_uuid", "originator", "cc_member_session_uuid")),
            record.originator,
        )
        self.bridged_to = self._other(
            *map(self._said, ("bridge_uuid", "last_bridge_to", "signal_bond"))
        )
        self.call = self._other(self._said("call_uuid"))
        self.is_outbound = self._said("direction") == "outbound"
        self.was_called = self._was_called()
        # A program made FreeSWITCH call this phone, to be put through to another one.
        self.is_placed = self.is_outbound and not self.was_called
        self.agent = self._agent()
        self.answered = self._answer()

    def events(self) -> list[ProviderEvent]:
        """The part that this record tells of; [] where another record tells it.

        Raises Unreadable or Unknown, the latter with what could be read all the same.
        """
        if self._said("channel_name").startswith(LOOPBACK):
            return []  # no phone, but a way within FreeSWITCH
        if self.was_called and self.answered is None:
            return []  # one of the phones that rang; the caller's leg says how the call ended
        if self.talks_with_nobody():
            return []
        cause, (status, reason) = self.outcome(self.answered is not None)
        event = self._event(cause, status, reason)
        if not status:
            raise Unknown(f"hangup cause {cause!r}", [event])
        if self.contradicts_itself:
            raise Unknown(
                f"contradictory ids: made by {self.maker}, of the call {self.call}, "
                f"bridged with {self.bridged_to or 'none'}",
                [event],
            )
        return [event]

    # --- What the ids say -------------------------------------------------------------------------

    def _said(self, *variables: str) -> str:
        """What the first of these variables that is set says."""
        return next(filter(None, (text(self.variables.get(name)) for name in variables)), "")

    def _other(self, *uuids: str) -> str:
        """The first of these that is another leg."""
        return next((uuid for uuid in uuids if uuid not in ("", self.uuid)), "")

    @property
    def conversation(self) -> str:
        """The leg with which the whole call began."""
        if not self.was_called:
            return (self.call or self.bridged_to or self.uuid) if self.takes_a_call else self.uuid
        if self.maker and self.call != self.bridged_to:
            return self.maker
        return self.call or self.maker or self.bridged_to or self.uuid

    @property
    def contradicts_itself(self) -> bool:
        """Whether the leg that made this one is not that of its call, and the one that it talked
        with is neither: then nothing says which of them is right."""
        made_by_another = bool(self.maker and self.call) and self.maker != self.call
        return made_by_another and self.bridged_to not in (self.maker, self.call)

    def _was_called(self) -> bool:
        """Whether it is a B leg; if not, it called in, or a program made it."""
        if self.maker:
            return True
        if self.is_outbound:
            return bool(self.call) or not self._set_out()
        return bool(self.call and self._said("dialed_user"))  # by "inbound", it called in

    def _set_out(self) -> bool:
        """Whether a leg that FreeSWITCH called because of no other went on to something by itself:
        a program's. Else it is a B leg whose record lacks who made it."""
        own = {"", self._said("dialed_user", "sip_to_user") or self._dialled}
        dialled = {text(profile.get("destination_number")) for profile in self.record.profiles}
        tried = self._said("originate_disposition", "originated_legs", *_APPLICATION)
        return bool(tried) or not self.bridged_to or not dialled <= own

    # --- Whose leg it is --------------------------------------------------------------------------

    def _agent(self) -> str:
        if not self.is_outbound and not self.was_called:
            caller = self._profile("username")  # where phones need no password, all there is
            extension = caller if EXTENSION.fullmatch(caller) else ""
            return self._said("user_name", "sip_auth_username") or extension
        if self._said("dialed_user"):
            return self._said("dialed_user")
        called = self._said("sip_to_user") or ("" if self.is_placed else self._dialled)
        return "" if self._is_way_out() or not is_ours(called) else called

    @property
    def agents(self) -> tuple[str, ...]:
        """The names of whose phone it is."""
        caller = "" if self.is_outbound or self.was_called else self._profile("username")
        return names(self.agent, caller) if self.agent else ()

    def _is_way_out(self) -> bool:
        if self._said("sip_gateway_name", "sip_gateway"):
            return True
        return any(
            self._said(name) in WAYS_OUT for name in ("sip_profile_name", "sofia_profile_name")
        )

    @property
    def _application(self) -> str:
        ran = self.record.applications
        return self._said(*_APPLICATION) or (ran[-1] if ran else "")

    @property
    def is_of_queue(self) -> bool:
        """Whether it is a phone that a queue had called for the one who waits there."""
        return bool(self._said("cc_member_session_uuid", "cc_queue"))

    @property
    def takes_a_call(self) -> bool:
        """Whether an agent's phone called FreeSWITCH only to take a call that was there already."""
        ran = {self._application, *self.record.applications}
        dialled = self._said("originated_legs", "originate_disposition")
        calls_in = bool(self.agent) and not self.was_called and not self.is_outbound
        return calls_in and not dialled and not ran.isdisjoint(_TAKING)

    def talks_with_nobody(self) -> bool:
        """Who parks a call hears where it was put; whose phone is paged hears what is said."""
        if self.takes_a_call:
            return not self.bridged_to
        is_paged = self.is_placed and self._application == _CONFERENCE
        return is_paged and bool(self._said("sip_auto_answer"))

    @property
    def _partner(self) -> str:
        """The agent's phone that this leg was bridged with, as its channel is named; "" for a way
        out, and for a leg that was bridged with none."""
        channel = self._said("bridge_channel")
        peer = "" if leads_out(channel) else peer_of(channel)
        to_user = self._said(*_APPLICATION_DATA).startswith("user/")
        return peer if to_user or is_ours(peer) else ""

    # --- What it says -----------------------------------------------------------------------------

    def _event(self, cause: str, status: str, reason: str) -> ProviderEvent:
        """The part as a record of it, or, where the agent's own phone has one that knows better, as
        a report of how it ended."""
        part, agents = self._part()
        end = self._needed("end_uepoch")
        guess = timeline.FAILED if self.answered is None else timeline.COMPLETED
        data: dict[str, Any] = {
            "start": self._start(),
            "answered": self.answered,
            "status": status or guess,
            "cause": cause,
        }
        if reason:
            data["reason"] = reason
        is_record = part in ("", self.uuid) or not (self.has_b_legs or self.was_called)
        if is_record:
            data["end"] = end
        else:
            data["awaits"] = part
        held = ending.held(self._said, self.variables.get("hold_events", "")) if self.agent else 0
        if held:  # of holds that the other side pressed it knows nothing
            data["hold"] = held
        if self.contradicts_itself:
            data["conflict"] = {
                "originating_leg_uuid": self.maker,
                "call_uuid": self.call,
                "bridge_uuid": self.bridged_to,
            }
        return ProviderEvent(
            kind=timeline.SUMMARY if is_record else timeline.ENDED,
            call=part or joined(self.conversation, "callee"),
            at=end,
            conversation=self.conversation,
            agents=agents,
            number=self.number(),
            direction=self.direction(),
            leg=self.uuid,
            data=data,
        )

    def _part(self) -> tuple[str, tuple[str, ...]]:
        """The leg that names the part, and the names of its agent; "" where no id names the leg."""
        if self.agent:
            return self.uuid, self.agents
        if self.was_called:
            return self.conversation, ()
        if self.answered is None or not self._partner:
            return self.uuid, ()
        return self.bridged_to, names(self._partner, self._said("last_sent_callee_id_number"))

    def number(self) -> str:
        caller = self._profile("caller_id_number") or self._said("sip_from_user")
        if self.takes_a_call:
            reached = self._said("last_sent_callee_id_number") or self._profile("callee_id_number")
            return "" if reached == self._dialled else reached
        if self.was_called:
            return caller if self.agent else self._dialled if self._is_for_us else ""
        if self.is_placed:
            return (self._put_through_to or caller) if self.agent else self._dialled
        return self._called_out if self.agent else caller

    def direction(self) -> str:
        if self.takes_a_call or (self.agent and self.was_called):
            caller = self.number()
            return "internal" if EXTENSION.fullmatch(caller) else "inbound"
        if self.was_called:
            return "outbound" if self._is_for_us else ""
        if self.agent:
            return "internal" if self._partner else "outbound"
        return "outbound" if self.is_placed else "inbound"

    @property
    def _is_for_us(self) -> bool:
        """Whether a leg that leads out was called for an agent, as far as it can tell: a call from
        outside may be sent out again."""
        caller = self._profile("username")
        return not caller or is_ours(caller)

    @property
    def _dialled(self) -> str:
        """What was dialled, or whom FreeSWITCH called."""
        return self._profile("destination_number") or self._said("sip_to_user")

    @property
    def _called_out(self) -> str:
        """What an agent dialled, without the digit that asks for a line."""
        bare = self._dialled[1:]
        is_asked_for = self._dialled[:1] in ("0", "9") and not EXTENSION.fullmatch(bare)
        return bare if is_asked_for and bare in self._reached() else self._dialled

    @property
    def _put_through_to(self) -> str:
        """Whom a phone that a program called was put through to."""
        own = {self.agent, self._said("dialed_user"), self._said("sip_to_user")}
        dialled = [text(profile.get("destination_number")) for profile in self.record.profiles]
        told = (*dialled, *self._reached())
        return next((number for number in told if number and number not in own), "")

    def _reached(self) -> list[str]:
        """Whom this leg had called, as the other leg is named."""
        tried = self._said("originated_legs").removeprefix("ARRAY::").split("|:")[-1]
        peer = peer_of(self._said("bridge_channel"))
        return [tried.rpartition(";")[2], self._said("last_sent_callee_id_number"), peer]

    def _profile(self, name: str) -> str:
        return text(self.record.profile.get(name))

    # --- When, and how it ended -------------------------------------------------------------------

    def _start(self) -> int:
        """When the call began: not when an agent's own phone began to ring for it."""
        picked_up = self._instant("answer_uepoch") if self.is_placed and self.agent else None
        return self._needed("start_uepoch") if picked_up is None else picked_up

    def _answer(self) -> int | None:
        answered, bridged = self._instant("answer_uepoch"), self._instant("bridge_uepoch")
        if self.was_called or answered is None:
            return answered
        if bridged is None:
            # Announcements and queues answer too: without a bridge nobody was reached.
            failed = self._said("originate_disposition") not in ("", "SUCCESS")
            by_itself = bool(self.agent) or self._application == _CONFERENCE
            return answered if by_itself and not failed else None
        own = self.is_placed or bridged - answered > _OWN_ANSWER_MS
        return bridged if own else answered

    def outcome(self, was_answered: bool) -> tuple[str, tuple[str, str]]:
        """The cause, and what it means; ("", "") where we do not know it."""
        return ending.outcome_of(self._said, bool(self.agent), was_answered)

    def _needed(self, name: str) -> int:
        found = self._instant(name)
        if found is None:
            raise Unreadable(f"The record has no {name}.")
        return found

    def _instant(self, name: str) -> int | None:
        """Microseconds as milliseconds; None for 0, which means never."""
        microseconds = number_of(self.variables.get(name))
        return bounded_ms(microseconds // 1000) if microseconds else None
