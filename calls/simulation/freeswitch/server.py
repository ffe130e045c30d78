"""An event socket on the loopback that plays calls: real sockets, real bytes, no FreeSWITCH.

It knows the commands auth, userauth, event, api (uptime, show channels, uuid_dump, uuid_exists),
bgapi and exit. What is played while nobody is connected is lost, as with a real one.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from calls import timeline
from calls.providers.freeswitch.event_socket.esl import Reader
from calls.simulation.base import ScriptedCall
from calls.simulation.freeswitch.events import Switch
from calls.simulation.freeswitch.wire import (
    ACCEPTED,
    GREETING,
    answer_of,
    channels_of,
    dump_of,
    reply_of,
)
from calls.simulation.listening.server import LastingServer, Scripted

_GATEWAY = "out"
_FAILURES = {timeline.NO_ANSWER: "NO_ANSWER", timeline.FAILED: "NORMAL_CIRCUIT_CONGESTION"}


def messages_of(call: ScriptedCall, serial: int) -> Scripted:
    """What FreeSWITCH tells of `call`; `serial` must be even and differs from call to call."""
    switch = Switch(start=call.start / 1000, serial=serial)
    number = call.number.removeprefix("+")
    is_inbound = call.direction == "inbound"
    if is_inbound:
        caller = switch.call(number, call.agent, profile="external")
        called = switch.dial(caller, call.agent, rings=False)
    else:
        caller = switch.call(call.agent, number)
        way = "" if call.direction == "internal" else _GATEWAY
        called = switch.dial(caller, number, way=way, rings=False)
    agent, other = (called, caller) if is_inbound else (caller, called)
    if call.ringing is not None:
        switch.move_to(call.ringing)
        switch.ring(caller, called)
    if call.answered is None:
        switch.move_to(call.end)
        switch.fail(caller, called, _FAILURES[call.status], "NORMAL_CLEARING")
        return Scripted(caller.uuid, switch.sent)
    switch.move_to(call.answered)
    switch.answer(caller, called)
    for since, until in call.holds:
        switch.move_to(since)
        switch.hold(agent)
        switch.move_to(until)
        switch.unhold(agent)
    switch.move_to(call.end)
    cause = "MEDIA_TIMEOUT" if call.status == timeline.DROPPED else "NORMAL_CLEARING"
    switch.hang_up(other, agent, cause=cause)
    return Scripted(agent.uuid, switch.sent)


@dataclass
class FreeSwitchServer(LastingServer):
    """`commands` are those received since the start. What was emitted or happened tells which
    channels are up."""

    password: str
    user: str = ""
    rejects: bool = False
    lists_channels: bool = True
    commands: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._up: dict[str, Mapping[str, str]] = {}

    def follow(self, message: bytes) -> None:
        """Keeps what the events say of each channel that is up."""
        for said in Reader().feed(message):
            leg = said.get("Unique-ID")
            if said.event == "CHANNEL_DESTROY":
                self._up.pop(leg, None)
            elif leg:
                self._up[leg] = said.fields

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.rejects:
            writer.write(b"Content-Type: text/rude-rejection\nContent-Length: 24\n\n")
            writer.write(b"Access Denied, go away.\n")
            writer.close()
            return
        writer.write(GREETING)
        is_in = False
        try:
            while command := (await reader.readuntil(b"\n\n")).decode().strip():
                self.commands.append(command)
                is_in = is_in or self._proves(command)
                if not is_in:
                    writer.write(reply_of("-ERR invalid"))
                    break
                if not self._answer(command, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.listening.discard(writer)
            writer.close()

    def _proves(self, command: str) -> bool:
        proof = f"userauth {self.user}:" if self.user else "auth "
        return command == proof + self.password

    def _answer(self, command: str, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        word, _, rest = command.partition(" ")
        if word in ("auth", "userauth"):
            self.connections += 1
            writer.write(ACCEPTED)
        elif word == "event":
            writer.write(reply_of("+OK event listener enabled plain"))
            self.listening.add(writer)
        elif word == "bgapi":
            writer.write(reply_of(f"+OK Job-UUID: {rest.rpartition(' ')[2]}"))
        elif word == "api":
            writer.write(self._asked(rest))
            if rest.startswith("show channels"):
                self.set_synced()
        else:
            writer.write(reply_of("+OK bye" if word == "exit" else "-ERR command not found"))
        return word != "exit"

    def _asked(self, what: str) -> bytes:
        word, _, rest = what.partition(" ")
        if word == "uptime":
            return answer_of("4711\n")
        if word == "show" and self.lists_channels:
            return channels_of([*self._up.values()])
        if word == "uuid_dump" and rest.split()[0] in self._up:
            return dump_of(self._up[rest.split()[0]])
        if word == "uuid_exists":
            return answer_of("true" if rest in self._up else "false")
        return answer_of(f"-ERR {word} Command not found!\n")
