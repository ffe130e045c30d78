"""Plays calls on a FreeSWITCH that is not there: its events, as a real one sends them.

    switch = Switch(start=1_767_607_200.0)
    caller = switch.call("1001", "1002")
    callee = switch.dial(caller, "1002")
    switch.wait(9)
    switch.answer(caller, callee)
    switch.wait(60)
    switch.hang_up(caller, callee)
    switch.stream()

Instants are microseconds since 1970 on the switch's own clock, which only `wait` moves. Events that
nobody asked for have numbers, too.
"""

import uuid
from dataclasses import dataclass, field

from calls.simulation.freeswitch.channel import Channel
from calls.simulation.freeswitch.wire import channels_of, dump_of, message_of

# What FreeSWITCH waits before it takes a call back that a phone had put on hold.
_UNHOLD = 250_000


@dataclass
class Switch:
    """One FreeSWITCH. `start` in seconds since 1970; `serial` numbers its channels from there."""

    start: float
    serial: int = 0
    core: str = "247f41ee-5776-4526-ae06-49115e0bacef"
    as_json: bool = False
    sent: list[tuple[int, bytes]] = field(default_factory=list)  # instant (µs), message
    up: list[Channel] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now = round(self.start * 1_000_000)
        self.number = 400 + self.serial * 10_000

    def wait(self, seconds: float) -> None:
        self.now += round(seconds * 1_000_000)

    def move_to(self, instant: int) -> None:
        """The clock shows `instant` (ms), unless that is past."""
        self.now = max(self.now, instant * 1000)

    def stream(self, since: int = 0) -> bytes:
        """The stream from its `since`th message on, with no greeting."""
        return b"".join(message for _at, message in self.sent[since:])

    # --- Steps of a call --------------------------------------------------------------------------

    def call(self, user: str, dest: str, *, profile: str = "internal") -> Channel:
        """Somebody calls in: an agent's phone, or, by the profile external, a number outside."""
        channel = self._new(f"sofia/{profile}/{user}@10.0.0.9:5060", "inbound", user, dest)
        channel.username = user
        channel.variables["sofia_profile_name"] = profile
        self.event("CHANNEL_CREATE", channel)
        return channel

    def dial(
        self, caller: Channel, user: str, *, way: str = "", rings: bool = True, **more: str
    ) -> Channel:
        """`caller` has `user` called; `way` is the gateway by which that leads out."""
        channel = self._outgoing(caller.caller, user, way, caller)
        channel.variables |= {
            "originator": caller.uuid,
            "originating_leg_uuid": caller.uuid,
            "signal_bond": caller.uuid,
            **more,
        }
        caller.variables |= {"current_application": "bridge"}
        self.event("CHANNEL_CREATE", channel)
        self.event("CHANNEL_ORIGINATE", channel)
        caller.variables["originated_legs"] = f"{channel.uuid};Outbound Call;{user}"
        if rings:
            self.ring(caller, channel)
        return channel

    def originate(self, user: str, *, leg: str = "", caller: str = "", **variables: str) -> Channel:
        """A program makes an agent's phone ring, to put it through to somebody afterwards."""
        channel = self._outgoing(caller or user, user, "", None, leg)
        channel.variables |= variables
        for name in ("CHANNEL_CREATE", "CHANNEL_ORIGINATE"):
            self.event(name, channel)
        channel.variables["sip_to_user"] = user
        channel.times["Progress"] = self.now
        self.event("CHANNEL_PROGRESS", channel)
        return channel

    def pick_up(self, channel: Channel, dest: str) -> None:
        """The agent answers their own phone that a program made ring, and goes to `dest`."""
        self.go_up(channel)
        channel.dest = dest
        self.event("CALL_UPDATE", channel)

    def ring(self, *channels: Channel) -> None:
        for channel in channels[::-1]:
            channel.times.setdefault("Progress", self.now)
            self.event("CHANNEL_PROGRESS", channel)

    def go_up(self, channel: Channel) -> None:
        if not channel.times.get("Answered"):
            channel.times["Answered"] = self.now
            self.event("CHANNEL_ANSWER", channel)
            channel.call_state = "ACTIVE"

    def answer(self, caller: Channel, called: Channel) -> None:
        self.go_up(called)
        self.go_up(caller)
        caller.variables["originate_disposition"] = "SUCCESS"
        self.bridge(caller, called)

    def bridge(self, one: Channel, two: Channel) -> None:
        for channel, other in ((one, two), (two, one)):
            channel.partner = channel.last = other
            channel.times["Bridged"] = self.now
            channel.variables |= {"bridge_uuid": other.uuid, "bridge_channel": other.name}
        more = {"Bridge-A-Unique-ID": one.uuid, "Bridge-B-Unique-ID": two.uuid}
        self.event("CHANNEL_BRIDGE", one, **more)

    def unbridge(self, channel: Channel) -> None:
        other = channel.partner
        self.event("CHANNEL_UNBRIDGE", channel)
        channel.partner = None
        if other is not None:
            other.partner = None

    def hold(self, channel: Channel, *, by_phone: bool = True) -> None:
        channel.held_since, channel.call_state = self.now, "HELD"
        flow = "sendonly" if by_phone else "sendrecv"
        channel.variables["remote_audio_media_flow"] = flow
        self.event("CHANNEL_HOLD", channel)

    def unhold(self, channel: Channel) -> None:
        by_phone = channel.variables["remote_audio_media_flow"] == "sendonly"
        pressed, self.now = self.now, self.now + (_UNHOLD if by_phone else 0)
        channel.held += self.now - channel.held_since
        channel.holds.append((channel.held_since, self.now))
        channel.call_state = "UNHELD"
        channel.variables["remote_audio_media_flow"] = "sendrecv"
        self.event("CHANNEL_UNHOLD", channel)
        self.now = pressed

    def hang_up(self, first: Channel, *others: Channel, cause: str = "NORMAL_CLEARING") -> None:
        """`first` hangs up, and FreeSWITCH clears the others."""
        for channel in (first, *others):
            channel.cause = cause
            channel.call_state = "HANGUP"
            channel.variables["sip_hangup_disposition"] = (
                "recv_bye" if channel is first else "send_bye"
            )
            self.event("CHANNEL_HANGUP", channel)
        for channel in (*others, first):
            self._complete(channel)

    def leave(self, channel: Channel, cause: str) -> None:
        channel.cause = cause
        self.event("CHANNEL_HANGUP", channel)
        self._complete(channel)

    def fail(self, caller: Channel, called: Channel, cause: str, own: str = "") -> None:
        """What `caller` dialled comes to nothing; it goes itself with the cause `own`."""
        self.leave(called, cause)
        caller.variables["originate_disposition"] = cause
        self.leave(caller, own or cause)

    def heartbeat(self) -> None:
        self.event("HEARTBEAT", None, **{"Event-Info": "System Ready"})

    def job(self, leg: str, order: str, answer: str) -> None:
        """A command of the background is done."""
        more = {"Job-UUID": leg, "Job-Command": "originate", "Job-Command-Arg": order}
        self.event("BACKGROUND_JOB", None, body=answer, **more)

    # --- Transfers, ways within -------------------------------------------------------------------

    def transfer(self, by: Channel, transferee: Channel, dest: str) -> None:
        """`by` sends `transferee` to `dest` and is out of it."""
        self.unbridge(transferee)
        transferee.dest = dest
        self.leave(by, "BLIND_TRANSFER")

    def transfer_attended(
        self, first: Channel, second: Channel, transferee: Channel, target: Channel
    ) -> None:
        """`first` talks with `transferee`, `second` (the same phone) with `target`: the two are
        put together."""
        self.unbridge(transferee)
        self.unbridge(target)
        self.bridge(transferee, target)
        for channel in (first, second):
            self.leave(channel, "ATTENDED_TRANSFER")

    def loop(self, caller: Channel, dest: str) -> tuple[Channel, Channel]:
        """`caller` is sent through the dialplan once more, by a loopback; its two halves."""
        one = self._outgoing(caller.caller, dest, "", caller)
        one.name = f"loopback/{dest}-a"
        two = self._new(f"loopback/{dest}-b", "inbound", caller.caller, dest)
        two.username = caller.caller
        one.variables |= {"originator": caller.uuid, "originating_leg_uuid": caller.uuid}
        for half, other in ((one, two), (two, one)):
            half.variables["other_loopback_leg_uuid"] = other.uuid
            self.event("CHANNEL_CREATE", half)
        return one, two

    def channels(self) -> bytes:
        """The answer to `api show channels as json`."""
        return channels_of([one.fields() for one in self.up])

    def dump(self, channel: Channel) -> bytes:
        """The answer to `api uuid_dump ID json`."""
        return dump_of(self._head("CHANNEL_DATA") | channel.fields())

    # --- Parts ------------------------------------------------------------------------------------

    def event(self, name: str, channel: Channel | None, *, body: str = "", **more: str) -> None:
        self.number += 3
        said = self._head(name) | {"Event-Sequence": str(self.number)}
        said |= (channel.fields() if channel is not None else {}) | more
        self.sent.append((self.now, message_of(said, body=body, as_json=self.as_json)))

    def _head(self, name: str) -> dict[str, str]:
        stamp = str(self.now)
        return {"Event-Name": name, "Core-UUID": self.core, "Event-Date-Timestamp": stamp}

    def _new(self, name: str, direction: str, caller: str, dest: str, leg: str = "") -> Channel:
        self.serial += 1
        known_as = leg or str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.core}:{self.serial}"))
        channel = Channel(name, known_as, direction, caller, dest, {"Created": self.now})
        self.up.append(channel)
        return channel

    def _outgoing(
        self, caller: str, user: str, way: str, maker: Channel | None, leg: str = ""
    ) -> Channel:
        name = f"sofia/gateway/{way}/{user}" if way else f"sofia/internal/{user}@10.0.0.9:5060"
        channel = self._new(name, "outbound", caller, user, leg)
        channel.maker = maker
        if maker is not None:
            channel.username = maker.username
        if way:
            channel.variables |= {"sip_gateway_name": way, "sofia_profile_name": "external"}
        return channel

    def _complete(self, channel: Channel) -> None:
        times, channel.times["Hangup"] = channel.times, self.now
        stamps = {"start": "Created", "answer": "Answered", "bridge": "Bridged", "end": "Hangup"}
        channel.variables |= {
            f"{name}_uepoch": str(times.get(stamp, 0)) for name, stamp in stamps.items()
        } | {"hangup_cause": channel.cause, "hold_accum_ms": str(channel.held // 1000)}
        if channel.holds:
            listed = ",".join(f"{{{since},{until}}}" for since, until in channel.holds)
            channel.variables["hold_events"] = f"{{{listed}}}"
        self.event("CHANNEL_HANGUP_COMPLETE", channel)
        self.event("CHANNEL_DESTROY", channel)
        self.up.remove(channel)
