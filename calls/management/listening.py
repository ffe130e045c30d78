"""What the commands share that listen to phone systems over lasting connections."""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from calls import timeline
from calls.models import CallEvent, CallLog, ProviderAccount
from calls.providers.base import Unreachable, Unreadable
from calls.providers.lasting import Dialect, Garbled, Link, Listened
from calls.telephony.hooks import adapter_of
from calls.telephony.listening.listener import Listener
from calls.telephony.listening.replay import replay


class ListenCommand(BaseCommand):
    """Listens to the accounts of one kind; or replays what one of them once sent."""

    kind: ClassVar[str]
    title: ClassVar[str]
    wanted: ClassVar[str]  # what an account must be to be listened to

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--account",
            action="extend",
            nargs="+",
            metavar="NAME",
            help=f"Accounts of phone systems of the kind {self.kind}; without it, all active ones.",
        )
        parser.add_argument(
            "--from-file",
            type=Path,
            metavar="STREAM",
            help="Replays a recorded stream for one account through the same code, and ends.",
        )
        parser.add_argument(
            "--retry",
            type=float,
            default=1.0,
            metavar="SECONDS",
            help="Wait before connecting again, doubled with each failure up to a minute.",
        )

    def handle(
        self,
        *args: Any,
        account: list[str] | None,
        from_file: Path | None,
        retry: float,
        **options: Any,
    ) -> None:
        accounts = self._accounts(account)
        if from_file is not None:
            if len(accounts) != 1:
                raise CommandError("A stream is of one account: name it with --account NAME.")
            self._replay(accounts[0], from_file)
            return
        listeners = [(Listener(one), self._where(one)) for one in accounts]
        for listener, where in listeners:
            name = listener.account.name
            self.stdout.write(f"Listening to {name} at {where.host}:{where.port}.")
        self.stdout.flush()
        asyncio.run(_listen(listeners, max(0.05, retry)))

    def is_meant(self, account: ProviderAccount) -> bool:
        """Whether an account that is not named is listened to."""
        return True

    def _where(self, account: ProviderAccount) -> Dialect:
        try:
            adapter = adapter_of(account)
            assert isinstance(adapter, Listened)
            return adapter.where
        except Unreachable as error:
            raise CommandError(f"{account.name}: {error}") from None

    def _replay(self, account: ProviderAccount, stream: Path) -> None:
        try:
            calls = replay(account, stream.read_bytes())
        except OSError as error:
            raise CommandError(f"{stream} cannot be read: {error.strerror}") from None
        except (Garbled, Unreadable) as error:
            raise CommandError(f"{stream}: {error}") from None
        for call in calls:
            self.stdout.write(_summary(call))
        self.stdout.write(f"{len(calls)} calls recorded")

    def _accounts(self, names: list[str] | None) -> list[ProviderAccount]:
        """The named accounts, or all active ones; CommandError if one is not there."""
        known = ProviderAccount.objects.filter(kind=self.kind)
        if names is None:
            accounts = [one for one in known.filter(is_active=True) if self.is_meant(one)]
            if not accounts:
                raise CommandError(
                    f"There is no active account {self.wanted}; see provider_account add."
                )
            return accounts
        found = {one.name: one for one in known.filter(name__in=names)}
        missing = [name for name in names if name not in found]
        if missing:
            raise CommandError(f"There is no {self.title} account {', '.join(missing)}.")
        return [found[name] for name in dict.fromkeys(names)]


async def _listen(listeners: list[tuple[Listener, Dialect]], retry: float) -> None:
    """Until a signal comes, or something fails that nobody foresaw: then with an error."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with ThreadPoolExecutor(len(listeners)) as threads:
        recording: list[asyncio.Future[Any]] = [
            loop.run_in_executor(threads, one.run) for one, _where in listeners
        ]
        links: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(Link(where, listener.put, retry).run())
            for listener, where in listeners
        ]
        stopping: asyncio.Future[Any] = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait([stopping, *links, *recording], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            for link in links:
                link.cancel()
            ended = await asyncio.gather(*links, return_exceptions=True)
            for listener, _where in listeners:
                listener.stop()
            ended += await asyncio.gather(*recording, return_exceptions=True)
    for result in ended:
        if isinstance(result, Exception):
            raise result


def _summary(call: CallLog) -> str:
    """One line: what was recorded of `call`, lengths in seconds to the millisecond."""
    state = timeline.fold(CallEvent.facts_of(call))
    connected = 0 if state.end is None or state.answered is None else state.end - state.answered
    fields = {
        "call": call.provider_call_id,
        "agent": call.user.username if call.user else "-",
        call.direction: call.contact_phone or "-",
        "status": f"{call.status} {call.end_reason}".strip(),
        "ring": _seconds(state.ring),
        "connected": _seconds(connected),
        "hold": _seconds(state.hold),
        "talk": _seconds(state.talk),
        "missing": call.missing or "-",
    }
    return "  ".join(f"{name} {value}" for name, value in fields.items())


def _seconds(milliseconds: int | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds / 1000:.3f}"
