"""What a message says of one call, as lines of its ledger."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
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
        self._account, self.received, self.payload_hash = account, received, payload_hash
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

    @property
    def waits(self) -> bool:
        """Whether they make no call until more is known."""
        return all(
            event.tentative and not (event.unless_known and self.agent is not None)
            for event in self.events
        )

    @property
    def end(self) -> bool:
        """Whether they tell that a call is over."""
        return any(event.kind in (timeline.ENDED, timeline.SUMMARY) for event in self.events)

    def contradict(self, call: CallLog, ledger: Iterable[timeline.Event]) -> None:
        """Marks those that name another person than `call`'s, which nothing settles.

        Only a name that the ledger does not have is asked for.
        """
        known = {str(said.data.get("agent")) for said in ledger}
        new = [e for e in self.events if e.agents and e.agents[0] not in known]
        if not new or self.agent is None or self.agent.pk == call.user_id:
            return
        others = {f"{self._account.pk}:{e.key}": e.agents[0] for e in new}
        self.facts = [
            replace(said, data={**said.data, "conflict": {"agent": others[said.key]}})
            if said.key in others
            else said
            for said in self.facts
        ]

    def rows(self, call: CallLog) -> list[CallEvent]:
        """The same, unsaved, for the ledger of `call`."""
        return [
            CallEvent.of_fact(
                call,
                said,
                received_at=self.received,
                precision_ms=self.by_key[said.key].precision_ms,
                provider_event_id=self.by_key[said.key].event_id[:120],
                sequence=self.by_key[said.key].sequence,
                payload_hash=self.payload_hash,
            )
            for said in self.facts
        ]
