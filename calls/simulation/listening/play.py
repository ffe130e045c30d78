"""Scripted calls, played to a listener of its own over a lasting connection."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from calls.models import ProviderAccount
from calls.providers.lasting import Heard, Item, Link, Listened
from calls.simulation.asterisk import events as asterisk_events
from calls.simulation.asterisk import server as asterisk_server
from calls.simulation.base import Builder, ScriptedCall, Target
from calls.simulation.freeswitch import server as freeswitch_server
from calls.simulation.freeswitch import wire
from calls.simulation.listening.server import LastingServer, Scripted
from calls.telephony.hooks import adapter_of
from calls.telephony.listening.listener import Listener

_CUTS: Final = 5  # of the connection, with chaos
_DOUBLED: Final = 0.1
_PATIENCE: Final = 60.0  # seconds for all to be recorded
_OVER: Final = "PlayIsOver"  # the event behind all others
_USER: Final = "simulated"


@dataclass(frozen=True)
class System:
    """A kind of phone system that is listened to: how it is played. `over` is the message behind
    all others."""

    kind: str
    serve: Callable[[str], LastingServer]
    script: Callable[[ScriptedCall, int], Scripted]
    over: bytes
    builder: Builder
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Listening:
    """What happens on the way; `losses` is a share."""

    chaos: bool
    losses: float


def _nothing(call: ScriptedCall, target: Target) -> NoReturn:
    raise NotImplementedError  # no request is sent about a call that is listened to


LISTENED: Mapping[str, System] = {
    "asterisk": System(
        "asterisk",
        lambda secret: asterisk_server.AsteriskServer(_USER, secret),
        asterisk_server.messages_of,
        asterisk_events.message_of({"Event": _OVER}),
        Builder("asterisk", _nothing, _nothing),
        {"username": _USER, "trunks": "trunk"},
    ),
    "freeswitch-live": System(
        "freeswitch",
        lambda secret: freeswitch_server.FreeSwitchServer(secret),
        freeswitch_server.messages_of,
        wire.message_of({"Event-Name": _OVER}),
        Builder("freeswitch", _nothing, _nothing),
        {},
    ),
}


async def listen(
    system: System, account: ProviderAccount, scripted: Sequence[Scripted], what: Listening
) -> tuple[int, int]:
    """Plays `scripted`; how often the line was cut, and messages lost each time."""
    adapter, listener = adapter_of(account), Listener(account)
    assert isinstance(adapter, Listened)
    server = system.serve(adapter.where.secrets[0])
    adapter.settings = {**adapter.settings, "port": str(await server.start())}
    where = adapter.where
    messages = [one for script in scripted for one in script.messages]
    lost = round(len(messages) * what.losses / _CUTS)
    cuts = _CUTS if what.chaos or lost else 0
    over = asyncio.Event()

    def take(item: Item) -> None:
        if isinstance(item, Heard) and item.message.event == _OVER:
            over.set()
        else:
            listener.put(item)

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as threads:
        recording = loop.run_in_executor(threads, listener.run)
        link = asyncio.ensure_future(Link(where, take, 0.02).run())
        try:
            async with asyncio.timeout(_PATIENCE + len(messages) / 100):
                await server.play(
                    messages, duplicates=_DOUBLED if what.chaos else 0.0, cuts=cuts, lost=lost
                )
                await server.synced()
                server.emit(system.over)
                await over.wait()  # then all that was before it has arrived
        finally:
            link.cancel()
            listener.stop()
            await asyncio.gather(link, recording, return_exceptions=True)
            await server.stop()
    return cuts, lost
