"""What a message says of one call, as lines of its ledger."""

import datetime as dt
from collections.abc import Sequence
from functools import cached_property

from accounts.models import User
from calls import timeline
from calls.models import CallEvent, CallLog, ProviderAccount, ProviderIdentity
from calls.providers.base import ProviderEvent


class Lines:
    """A payload's events about one call, as lines of its ledger."""

    def __init__(
        self,
        account: ProviderAccount,
        events: Sequence[ProviderEvent],
        received: dt.datetime,
        payload_hash: str,
    ):
        self._account, self._received, self._hash = account, received, payload_hash
        self.events = events
        self.by_key = {f"{account.pk}:{event.key}": event for event in events}
        self.facts = [
            timeline.Event(key, event.kind, event.at, account.source, event.facts())
            for key, event in self.by_key.items()
        ]
        # Two conversations that turn out to be one (an attended transfer) are reported as `joined`.
        self.joined = next((str(e.data["joined"]) for e in events if e.data.get("joined")), "")
        reported = next((e.conversation for e in events if e.conversation), "")
        self.conversation = self.joined or reported

    @cached_property
    def agent(self) -> User | None:
        """Whom they name; asked only where the call's agent is not known yet."""
        return ProviderIdentity.agent_of(
            self._account, [name for event in self.events for name in event.agents]
        )

    def rows(self, call: CallLog) -> list[CallEvent]:
        """The same, unsaved, for the ledger of `call`."""
        return [
            CallEvent.of_fact(
                call,
                said,
                received_at=self._received,
                precision_ms=self.by_key[said.key].precision_ms,
                provider_event_id=self.by_key[said.key].event_id[:120],
                sequence=self.by_key[said.key].sequence,
                payload_hash=self._hash,
            )
            for said in self.facts
        ]
