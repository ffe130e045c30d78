"""An event tells a channel as it is at that moment: who it is, when what happened to it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from calls.providers.base import Unreadable, bounded_ms
from calls.providers.freeswitch.event_socket.esl import Message
from calls.providers.freeswitch.peers import LOOPBACK
from calls.providers.reading import number_of, text

_HOLD = re.compile(r"\{(\d{10,17}),(\d{10,17})\}")
_PROFILE: Mapping[str, str] = {
    "username": "Caller-Username",
    "caller_id_number": "Caller-Caller-ID-Number",
    "callee_id_number": "Caller-Callee-ID-Number",
    "destination_number": "Caller-Destination-Number",
}


class Snapshot:
    """The channel that a message is about. Instants in ms."""

    def __init__(self, message: Message):
        self.message = message
        self.uuid = text(message.get("Unique-ID"))
        self.name = text(message.get("Channel-Name"))
        self.at = instant(message.get("Event-Date-Timestamp"))
        self.created = self.time("Created")
        self.answered = self.time("Answered")
        self.bridged = self.time("Bridged")

    def time(self, what: str, whose: str = "Caller") -> int | None:
        """When `what` happened to the channel, or to its Other-Leg; None: never."""
        return instant(self.message.get(f"{whose}-Channel-{what}-Time"))

    @property
    def variables(self) -> dict[str, str]:
        fields = self.message.fields
        said = {
            name.removeprefix("variable_"): value
            for name, value in fields.items()
            if name.startswith("variable_")
        }
        call = self.message.get("Channel-Call-UUID")
        direction = self.message.get("Call-Direction")
        return {"call_uuid": call, "direction": direction} | said | {"uuid": self.uuid}

    @property
    def profile(self) -> dict[str, str]:
        return {name: self.message.get(field) for name, field in _PROFILE.items()}

    @property
    def maker(self) -> str:
        """The channel because of which this one was called."""
        is_made = self.message.get("Other-Type") == "originator"
        return text(self.message.get("Other-Leg-Unique-ID")) if is_made else ""

    @property
    def bridged_to(self) -> str:
        """The channel that it is, or was last, bridged with."""
        said = self.message
        if said.event == "CHANNEL_BRIDGE":
            return text(said.get("Other-Leg-Unique-ID") or said.get("Bridge-B-Unique-ID"))
        if not self.bridged:
            return ""
        return text(said.get("variable_bridge_uuid") or said.get("variable_signal_bond"))

    # --- Hold -------------------------------------------------------------------------------------

    @property
    def hold_began(self) -> int | None:
        return instant(self.message.get("Caller-Channel-Last-Hold"))

    @property
    def held_in_all(self) -> int:
        """Microseconds; the hold that runs is not counted."""
        return number_of(self.message.get("Caller-Channel-Hold-Accum")) or 0

    @property
    def phone_holds(self) -> bool:
        """Whether the phone itself, not a program, keeps the other side waiting."""
        return self.message.get("variable_remote_audio_media_flow") in ("sendonly", "inactive")

    def holds(self) -> Iterator[tuple[int, int]]:
        """The holds that are over, as the channel's end lists them."""
        for since, until in _HOLD.findall(self.message.get("variable_hold_events")):
            began, ended = instant(since), instant(until)
            if began and ended:
                yield began, ended

    # --- Loopback ---------------------------------------------------------------------------------

    @property
    def is_loopback(self) -> bool:
        """Whether it is no phone, but half of a way within FreeSWITCH."""
        return self.name.startswith(LOOPBACK)

    @property
    def other_half(self) -> str:
        return text(self.message.get("variable_other_loopback_leg_uuid"))


def instant(microseconds: Any) -> int | None:
    """Milliseconds of microseconds; None for 0, which means never, and for what is no instant."""
    said = number_of(microseconds)
    try:
        return bounded_ms(said // 1000) if said else None
    except Unreadable:
        return None
