"""An event socket on the loopback that plays calls: real sockets, real bytes, no FreeSWITCH.

It knows the commands auth, userauth, event, api (uptime, show channels, uuid_dump, uuid_exists),
bgapi and exit. What is played while nobody is connected is lost, as with a real one.
"""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from calls import timeline
from calls.simulation.base import ScriptedCall
from calls.simulation.freeswitch.events import Switch
from calls.simulation.freeswitch.wire import ACCEPTED, GREETING, answer_of, reply_of

_GATEWAY = "out"
_FAILURES = {timeline.NO_ANSWER: "NO_ANSWER", timeline.FAILED: "NORMAL_CIRCUIT_CONGESTION"}


@dataclass(frozen=True)
class Scripted:
    """A scripted call as FreeSWITCH tells it: its messages by instant (µs), and the id of the leg
    under which its agent's part will be recorded, "" where the caller's own is."""

    leg: str
    messages: list[tuple[int, bytes]]


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
class FreeSwitchServer:
    """`commands` are those received since the start. `switch` answers what is asked about channels;
    None: nothing is up."""

    password: str
    user: str = ""
    switch: Switch | None = None
    rejects: bool = False
    lists_channels: bool = True
    commands: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connections = 0  # logins since the start
        self._listening: set[asyncio.StreamWriter] = set()
        self._synced = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> int:
        """Listens on the loopback; the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Nobody answers any more; `start` with the same port comes back."""
        self.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def cut(self) -> None:
        """Breaks all connections without a goodbye."""
        self._synced.clear()
        for writer in list(self._listening):
            writer.transport.abort()
        self._listening.clear()

    async def synced(self) -> None:
        """Until somebody is connected and knows which channels are up."""
        await self._synced.wait()

    def emit(self, message: bytes) -> None:
        """It happens now, whether anybody listens or not."""
        for writer in self._listening:
            writer.write(message)

    async def play(
        self,
        messages: Iterable[tuple[int, bytes]],
        *,
        duplicates: float = 0.0,
        cuts: int = 0,
        lost: int = 0,
        chance: random.Random | None = None,
    ) -> None:
        """Plays messages in the order of their instants, as fast as they are taken.

        A share of `duplicates` comes twice. The connection is cut `cuts` times; each time the next
        `lost` messages happen while nobody listens, and the rest once somebody does again.
        """
        chance = chance or random.Random(0)
        ordered = sorted(messages, key=lambda one: one[0])
        cut_at = set(chance.sample(range(len(ordered)), min(cuts, len(ordered))))
        deaf = 0
        await self.synced()
        for place, (_at, message) in enumerate(ordered):
            if place in cut_at:
                self.cut()
                deaf = lost
            if deaf:
                deaf -= 1
                continue
            await self.synced()
            self.emit(message)
            if chance.random() < duplicates:
                self.emit(message)
            await self._drain()

    async def _drain(self) -> None:
        for writer in list(self._listening):
            try:
                await writer.drain()
            except ConnectionError:
                self._listening.discard(writer)

    # --- One connection ---------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
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
            self._listening.discard(writer)
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
            self._listening.add(writer)
        elif word == "bgapi":
            writer.write(reply_of(f"+OK Job-UUID: {rest.rpartition(' ')[2]}"))
        elif word == "api":
            writer.write(self._asked(rest))
            if rest.startswith("show channels"):
                self._synced.set()
        else:
            writer.write(reply_of("+OK bye" if word == "exit" else "-ERR command not found"))
        return word != "exit"

    def _asked(self, what: str) -> bytes:
        word, _, rest = what.partition(" ")
        if word == "uptime":
            return answer_of("4711\n")
        if word == "show" and self.lists_channels:
            return self.switch.channels() if self.switch else answer_of('{"row_count":0}')
        if word == "uuid_dump" and self.switch is not None:
            return self.switch.dump(rest.split()[0])
        if word == "uuid_exists":
            up = self.switch.up if self.switch else []
            return answer_of("true" if any(one.uuid == rest for one in up) else "false")
        return answer_of(f"-ERR {word} Command not found!\n")
