"""Plays calls on an Asterisk that is not there: the manager's events, as a real one sends them.

    exchange = Exchange(start=1_767_607_200.0)
    caller = exchange.call("1001", "34600000001")
    remote = exchange.dial(caller, "trunk", "34600000001@trunk")
    exchange.wait(9)
    exchange.answer(caller, remote)
    exchange.wait(60)
    exchange.hang_up(caller, remote)
    exchange.stream()

Instants are microseconds since 1970 on the exchange's own clock, which only `wait` moves. Steps
that happen at once in a real Asterisk are some microseconds apart, as there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
_STATES = {0: "Down", 4: "Ring", 5: "Ringing", 6: "Up"}
_CAUSES = {
    0: "Unknown",
    1: "Unallocated",
    16: "Normal Clearing",
    17: "User busy",
    127: "Interworking",
}


@dataclass(eq=False)
class Channel:
    name: str
    uniqueid: str
    linkedid: str
    number: str
    exten: str
    created: int
    application: str = ""
    state: int = 0
    connected: str = ""
    bridge: str = ""

    def block(self, prefix: str = "") -> dict[str, str]:
        """The fields that every event about the channel carries."""
        fields = {
            "Channel": self.name,
            "ChannelState": str(self.state),
            "ChannelStateDesc": _STATES[self.state],
            "CallerIDNum": self.number or "<unknown>",
            "CallerIDName": "<unknown>",
            "ConnectedLineNum": self.connected or "<unknown>",
            "ConnectedLineName": "<unknown>",
            "Language": "en",
            "AccountCode": "",
            "Context": "office",
            "Exten": self.exten,
            "Priority": "1",
            "Uniqueid": self.uniqueid,
            "Linkedid": self.linkedid,
        }
        return {prefix + key: value for key, value in fields.items()}


@dataclass
class Exchange:
    """One Asterisk. `start` in seconds since 1970; `serial` numbers its channels from there on."""

    start: float
    serial: int = 0
    sent: list[tuple[int, bytes]] = field(default_factory=list)  # instant (µs), message
    up: list[Channel] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now = round(self.start * 1_000_000)
        self._bridges = 0

    def wait(self, seconds: float) -> None:
        self.now += round(seconds * 1_000_000)

    def move_to(self, instant: int) -> None:
        """The clock shows `instant` (ms), unless that is past."""
        self.now = max(self.now, instant * 1000)

    def stream(self, since: int = 0) -> bytes:
        """The stream from its `since`th message on, with no greeting."""
        return b"".join(message for _at, message in self.sent[since:])

    # --- Steps of a call --------------------------------------------------------------------------

    def call(self, peer: str, exten: str, number: str = "") -> Channel:
        """Somebody calls in: an agent's phone, or a trunk on behalf of `number`."""
        channel = self.new_channel(peer, number or peer, exten, state=4)
        self.event("Newchannel", channel.block())
        return channel

    def originate(self, peer: str, exten: str, uniqueid: str = "") -> Channel:
        """A program makes an agent's phone ring, to be put through to `exten` afterwards; it may
        have chosen the channel's `uniqueid`."""
        channel = self.new_channel(peer, peer, "s")
        channel.uniqueid = uniqueid or channel.uniqueid
        channel.linkedid = channel.uniqueid
        self.event("Newchannel", channel.block())
        channel.connected = peer
        self.event("DialBegin", channel.block("Dest") | {"DialString": peer})
        self._rings(channel)
        self.event("DialState", channel.block("Dest") | {"DialStatus": "RINGING"})
        channel.exten = exten
        return channel

    def pick_up(self, channel: Channel) -> None:
        """The agent answers their own phone that a program made ring."""
        self.go_up(channel)
        self.event("DialEnd", channel.block("Dest") | {"DialStatus": "ANSWER"})

    def dial(
        self, caller: Channel, peer: str, dial_string: str = "", *, rings: bool = True
    ) -> Channel:
        channel = self.new_channel(peer, caller.exten, caller.exten, caller.linkedid)
        channel.application, caller.application = "AppDial", caller.application or "Dial"
        self.event("Newchannel", channel.block())
        channel.connected = caller.number
        fields = caller.block() | channel.block("Dest") | {"DialString": dial_string or peer}
        self.event("DialBegin", fields)
        if rings:
            self.ring(caller, channel)
        return channel

    def ring(self, caller: Channel, dialled: Channel) -> None:
        self._rings(dialled)
        fields = caller.block() | dialled.block("Dest") | {"DialStatus": "RINGING"}
        self.event("DialState", fields)

    def answer(self, caller: Channel, dialled: Channel) -> None:
        self.go_up(dialled)
        self._dial_end(caller, dialled, "ANSWER")
        if caller.state != 6:
            self.go_up(caller)
        self.bridge(dialled, caller)

    def fail(self, caller: Channel, dialled: Channel, status: str, cause: int = 0) -> None:
        """The dial ends with `status`; the dialled channel is hung up with `cause`."""
        self._dial_end(caller, dialled, status)
        self.leave(dialled, cause=cause)

    def bridge(self, *channels: Channel) -> None:
        self._bridges += 1
        name = f"b-{self.serial}-{self._bridges}"
        for channel in channels:
            self.enter(channel, name)

    def enter(self, channel: Channel, bridge: str, swap: Channel | None = None) -> None:
        if channel.bridge:
            self.leave_bridge(channel)
        channel.bridge = bridge
        fields = self._bridge_block(bridge)
        if swap is not None:
            fields["SwapUniqueid"] = swap.uniqueid
            swap.bridge = ""
        self.event("BridgeEnter", fields | channel.block())

    def hold(self, channel: Channel) -> None:
        self.event("Hold", channel.block() | {"MusicClass": "default"})

    def unhold(self, channel: Channel) -> None:
        self.event("Unhold", channel.block())

    def hang_up(self, first: Channel, *others: Channel, cause: int = 16) -> None:
        """`first` hangs up, and Asterisk clears the others."""
        self.event("HangupRequest", first.block() | {"Cause": str(cause)})
        for channel in (first, *others):
            if channel.bridge:
                self.leave_bridge(channel)
        for channel in (*others, first):
            self.leave(channel, cause=cause)

    def leave(self, channel: Channel, cause: int = 16) -> None:
        if channel.bridge:
            self.leave_bridge(channel)
        self.up.remove(channel)
        text = _CAUSES.get(cause, "Other")
        self.event("Hangup", channel.block() | {"Cause": str(cause), "Cause-txt": text})

    # --- Queues and transfers ---------------------------------------------------------------------

    def join_queue(self, caller: Channel, queue: str = "support") -> None:
        caller.application = "Queue"
        self.go_up(caller)
        more = {"Queue": queue, "Position": "1", "Count": "1"}
        self.event("QueueCallerJoin", caller.block() | more)

    def leave_queue(self, caller: Channel, queue: str = "support", abandons: bool = False) -> None:
        more = {"Queue": queue, "Position": "1"}
        if abandons:
            waited = {"OriginalPosition": "1", "HoldTime": "10"}
            self.event("QueueCallerAbandon", caller.block() | more | waited)
        self.event("QueueCallerLeave", caller.block() | more | {"Count": "0"})

    def transfer_blind(self, transferer: Channel, transferee: Channel, exten: str) -> None:
        """`transferer` sends `transferee` to `exten` and is out of it."""
        fields = transferer.block("Transferer") | transferee.block("Transferee")
        more = {"Result": "Success", "IsExternal": "Yes", "Context": "office", "Extension": exten}
        self.event("BlindTransfer", more | fields | self._bridge_block(transferer.bridge))
        transferee.exten = exten
        self.leave_bridge(transferee)
        self.leave(transferer)

    def transfer_attended(
        self, first: Channel, second: Channel, transferee: Channel, target: Channel
    ) -> None:
        """`first` talks with `transferee`, `second` (the same phone) with `target`: the two are
        put together."""
        fields = {
            "Result": "Success",
            "IsExternal": "Yes",
            "DestType": "Bridge",
            **first.block("OrigTransferer"),
            **second.block("SecondTransferer"),
            **transferee.block("Transferee"),
            **target.block("TransferTarget"),
            "DestBridgeUniqueid": second.bridge,
        }
        self.event("AttendedTransfer", fields)
        target.linkedid = first.linkedid
        self.enter(transferee, second.bridge, swap=second)
        self.leave(second)
        self.leave(first)

    # --- What a manager may ask -------------------------------------------------------------------

    def list_channels(self, action_id: str = "") -> Iterator[bytes]:
        """The answer to CoreShowChannels."""
        mark = {"ActionID": action_id} if action_id else {}
        start = {"Response": "Success", **mark, "EventList": "start"}
        yield message_of(start | {"Message": "Channels will follow"})
        for channel in self.up:
            seconds = (self.now - channel.created) // 1_000_000
            duration = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
            more = {"Application": channel.application, "Duration": duration}
            fields = channel.block() | more | {"BridgeId": channel.bridge}
            yield message_of({"Event": "CoreShowChannel", **mark} | fields)
        done = {"Event": "CoreShowChannelsComplete", **mark, "EventList": "Complete"}
        yield message_of(done | {"ListItems": str(len(self.up))})

    def event(self, name: str, fields: dict[str, str], privilege: str = "call,all") -> None:
        self.now += 50
        stamp = f"{self.now // 1_000_000}.{self.now % 1_000_000:06d}"
        head = {"Event": name, "Privilege": privilege, "Timestamp": stamp}
        self.sent.append((self.now, message_of(head | fields)))

    # --- Parts ------------------------------------------------------------------------------------

    def new_channel(
        self, peer: str, number: str, exten: str, linkedid: str = "", state: int = 0
    ) -> Channel:
        self.serial += 1
        uniqueid = f"{self.now // 1_000_000}.{self.serial}"
        name = peer if "/" in peer else f"PJSIP/{peer}-{self.serial:08x}"
        channel = Channel(name, uniqueid, linkedid or uniqueid, number, exten, self.now)
        channel.state = state
        self.up.append(channel)
        return channel

    def _rings(self, channel: Channel) -> None:
        channel.state = 5
        self.event("Newstate", channel.block())

    def go_up(self, channel: Channel) -> None:
        channel.state = 6
        self.event("Newstate", channel.block())

    def _dial_end(self, caller: Channel, dialled: Channel, status: str) -> None:
        fields = caller.block() | dialled.block("Dest") | {"DialStatus": status}
        self.event("DialEnd", fields)

    def _bridge_block(self, bridge: str) -> dict[str, str]:
        return {
            "BridgeUniqueid": bridge,
            "BridgeType": "basic",
            "BridgeTechnology": "simple_bridge",
            "BridgeNumChannels": str(sum(one.bridge == bridge for one in self.up)),
        }

    def leave_bridge(self, channel: Channel) -> None:
        bridge, channel.bridge = channel.bridge, ""
        self.event("BridgeLeave", self._bridge_block(bridge) | channel.block())


def message_of(fields: dict[str, str]) -> bytes:
    """A message of a manager with these fields."""
    lines = [f"{key}: {value}\r\n" for key, value in fields.items()]
    return "".join(lines).encode() + b"\r\n"
