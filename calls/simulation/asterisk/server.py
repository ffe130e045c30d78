"""A manager interface on the loopback that plays calls: real sockets, real bytes, no Asterisk.

    server = AsteriskServer("calls", "secret")
    port = await server.start()
    await server.play(messages_of(script, serial=1).messages, duplicates=0.1, cuts=3)
    await server.stop()

It knows the actions Challenge, Login, Ping, CoreShowChannels, Originate and Logoff. What is played
while nobody is connected is lost, as with a real one.
"""

import asyncio
import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from calls import timeline
from calls.providers.asterisk.ami import Message, Reader
from calls.simulation.asterisk.events import GREETING, Exchange, message_of
from calls.simulation.base import ScriptedCall
from calls.simulation.listening.server import LastingServer, Scripted

_TRUNK = "trunk"
# How a dial ends that nobody answers, by the script's status: DialStatus, Q.850 cause.
_FAILURES: Mapping[str, tuple[str, int]] = {
    timeline.NO_ANSWER: ("NOANSWER", 0),
    timeline.FAILED: ("CONGESTION", 34),
}


def messages_of(call: ScriptedCall, serial: int) -> Scripted:
    """What Asterisk tells of `call`; `serial` must be even and differs from call to call."""
    pbx = Exchange(start=call.start / 1000, serial=serial)
    number = call.number.removeprefix("+")
    if call.direction == "inbound":
        caller = pbx.call(_TRUNK, call.agent, number)
        dialled = agent = pbx.dial(caller, call.agent, rings=False)
    else:
        caller = agent = pbx.call(call.agent, number)
        peer = number if call.direction == "internal" else _TRUNK
        string = number if call.direction == "internal" else f"{number}@{_TRUNK}"
        dialled = pbx.dial(caller, peer, string, rings=False)
    if call.ringing is not None:
        pbx.move_to(call.ringing)
        pbx.ring(caller, dialled)
    if call.answered is None:
        pbx.move_to(call.end)
        pbx.fail(caller, dialled, *_FAILURES[call.status])
        pbx.leave(caller)
        return Scripted(agent.uniqueid, pbx.sent)
    pbx.move_to(call.answered)
    pbx.answer(caller, dialled)
    for since, until in call.holds:
        pbx.move_to(since)
        pbx.hold(agent)
        pbx.move_to(until)
        pbx.unhold(agent)
    pbx.move_to(call.end)
    other = dialled if agent is caller else caller
    pbx.hang_up(other, agent, cause=38 if call.status == timeline.DROPPED else 16)
    return Scripted(agent.uniqueid, pbx.sent)


@dataclass
class AsteriskServer(LastingServer):
    """`actions` are those received since the start, `answers` what to answer to an action instead
    of the usual, by its name in small letters."""

    username: str
    secret: str
    knows_challenge: bool = True
    lists_channels: bool = True
    actions: list[Message] = field(default_factory=list)
    answers: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._up: dict[str, Message] = {}
        self._bridges: dict[str, str] = {}
        self._clock = "0.000000"

    def follow(self, raw: bytes) -> None:
        """Keeps the list of channels that CoreShowChannels answers with."""
        for message in Reader().feed(raw):
            self._clock = message.get("Timestamp") or self._clock
            uniqueid = message.get("Uniqueid")
            if message.event in ("Newchannel", "Newstate"):
                self._up[uniqueid] = message
            elif message.event == "BridgeEnter":
                self._bridges[uniqueid] = message.get("BridgeUniqueid")
            elif message.event == "BridgeLeave":
                self._bridges.pop(uniqueid, None)
            elif message.event == "Hangup":
                self._up.pop(uniqueid, None)

    # --- One connection ---------------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING)
        session = _Session(self, writer)
        cutter = Reader()
        try:
            while piece := await reader.read(65536):
                for action in cutter.feed(piece):
                    self.actions.append(action)
                    await session.take(action)
        except ConnectionError:
            pass
        finally:
            self.listening.discard(writer)
            writer.close()


@dataclass
class _Session:
    server: AsteriskServer
    writer: asyncio.StreamWriter
    challenge: str = ""
    is_in: bool = False

    async def take(self, action: Message) -> None:
        name = action.get("Action").lower()
        if name in self.server.answers:
            self.writer.write(self.server.answers[name])
        elif name == "challenge" and self.server.knows_challenge:
            self.challenge = str(random.randrange(10**8, 10**9))
            self._answer(action, "Success", Challenge=self.challenge)
        elif name == "login":
            await self._login(action)
        elif name == "logoff":
            self._answer(action, "Goodbye", Message="Thanks for all the fish.")
        elif not self.is_in:
            self._answer(action, "Error", Message="Permission denied")
        elif name == "ping":
            self._answer(action, "Success", Ping="Pong", Timestamp=self.server._clock)
        elif name == "coreshowchannels" and self.server.lists_channels:
            self._list_channels(action)
        elif name == "originate":
            self._answer(action, "Success", Message="Originate successfully queued")
        else:
            self._answer(action, "Error", Message="Invalid/unknown command")
        if name == "coreshowchannels" and self.writer in self.server.listening:
            self.server.set_synced()

    async def _login(self, action: Message) -> None:
        if action.get("AuthType") == "MD5":
            proof = hashlib.md5((self.challenge + self.server.secret).encode()).hexdigest()
            proved = bool(self.challenge) and action.get("Key") == proof
        else:
            proved = action.get("Secret") == self.server.secret
        if not proved or action.get("Username") != self.server.username:
            self._answer(action, "Error", Message="Authentication failed")
            await self.writer.drain()
            self.writer.close()
            return
        self.is_in = True
        self._answer(action, "Success", Message="Authentication accepted")
        if action.get("Events").lower() != "off":
            self.server.connections += 1
            self.server.listening.add(self.writer)

    def _list_channels(self, action: Message) -> None:
        mark = {"ActionID": action.get("ActionID")}
        self._answer(action, "Success", EventList="start", Message="Channels will follow")
        for uniqueid, channel in self.server._up.items():
            names = ("Channel", "ChannelState", "CallerIDNum", "ConnectedLineNum", "Exten")
            fields = {name: channel.get(name) for name in (*names, "Uniqueid", "Linkedid")}
            begun = float(channel.get("Uniqueid").split(".")[0])
            seconds = max(0, int(float(self.server._clock) - begun))
            fields["Duration"] = (
                f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
            )
            dialled = channel.get("Uniqueid") != channel.get("Linkedid")
            fields["Application"] = "AppDial" if dialled else "Dial"
            fields["BridgeId"] = self.server._bridges.get(uniqueid, "")
            self.writer.write(message_of({"Event": "CoreShowChannel", **mark, **fields}))
        done = {"Event": "CoreShowChannelsComplete", **mark, "EventList": "Complete"}
        self.writer.write(message_of(done | {"ListItems": str(len(self.server._up))}))

    def _answer(self, action: Message, response: str, **fields: str) -> None:
        mark = {"ActionID": action.get("ActionID")} if "ActionID" in action else {}
        self.writer.write(message_of({"Response": response, **mark, **fields}))
