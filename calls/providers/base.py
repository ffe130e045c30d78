"""What an adapter is: one file that puts a phone system's words into ours.

An adapter is a subclass of Adapter in a module of its own in `calls/providers/`; it is found by
being there. It knows its account's settings and secrets and nothing of the database: what it is
given it checks and translates, so that it can be tried with bytes alone. docs/providers.md shows
how to write one.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn
from urllib.parse import quote

from calls import timeline
from common.instants import to_ms
from common.phones import to_e164


class Forged(Exception):
    """The request does not prove that it comes from the provider (403)."""


class Unreadable(Exception):
    """A genuine request that says nothing we can read; kept and shown to the administrator."""


class Unreachable(Exception):
    """The provider could not be asked, or refused what we asked for; says why."""


class Gone(Exception):
    """The provider was asked about a call and knows of none: it does not go on."""


class Unknown(Exception):
    """A genuine event or status that we do not know; kept and shown to the administrator.

    `events` are those of the payload's facts that could be read all the same.
    """

    def __init__(self, what: str, events: Sequence["ProviderEvent"] = ()):
        super().__init__(what)
        self.events = tuple(events)


@dataclass(frozen=True)
class HookRequest:
    """A request as it came: the public `url` with its query, header names in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    received: int  # ms

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


@dataclass(frozen=True)
class Payload:
    """What was stored of a genuine request; all that `parse` may look at."""

    body: bytes
    received: int  # ms
    content_type: str = ""
    query: str = ""

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; Unreadable if it is none."""
        try:
            found = json.loads(self.body.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise Unreadable("The body is not valid JSON.") from error
        if not isinstance(found, dict):
            raise Unreadable("The body is not a JSON object.")
        return found


@dataclass(frozen=True)
class Reply:
    """What the provider wants to read in answer, where an empty 204 will not do."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ProviderEvent:
    """One fact about one agent's part of one call.

    `kind` is a kind of calls.timeline; `call` the provider's id of this agent's part; and
    `conversation` that of the whole call, which several agents may share. `at` and `precision_ms`
    are ms. `agents` are the provider's names for the agent, the best first (extension, user id,
    e-mail, number); empty where this event does not tell. `number` is the other side as given.
    `data` is what the fold reads (see calls.timeline.Event).

    Where messages are numbered within their conversation, `conversation_sequence` is the number of
    the message that said this. A `noted` event with an empty `call` says that this number was heard
    of, whomever its message was about: it counts for every part (see
    calls.telephony.sequence_numbers).

    Where several phones ring for one call, a `tentative` event makes no call by itself: it is kept
    until one of its call that is not does so (see calls.telephony.waiting_facts). `unless_known`
    says that it is tentative only while nobody of ours is known by `agents`.

    `name` is the fact's own within its call, where neither number nor instant should name it.
    """

    kind: str
    call: str
    at: int
    precision_ms: int = 1
    conversation: str = ""
    agents: tuple[str, ...] = ()
    number: str = ""
    direction: str = ""  # outbound, inbound, internal; "" where this event does not tell
    event_id: str = ""  # the provider's own id of the event
    sequence: int | None = None  # within `leg`, from 0
    leg: str = ""
    conversation_sequence: int | None = None  # wherever these numbers begin
    tentative: bool = False
    unless_known: bool = False
    name: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Names the fact within its call: reported twice, it is one event of the ledger."""
        mark = self.name or (f"#{self.sequence}" if self.sequence is not None else str(self.at))
        party = str(self.data.get("party", ""))
        key = ":".join(part for part in (self.kind, self.leg, party, mark) if part)
        if len(key) <= 100:
            return key
        return f"{self.kind}:{hashlib.sha256(key.encode()).hexdigest()}"

    def facts(self) -> dict[str, Any]:
        """`data` as the ledger keeps it: with what the fold also reads of the other fields."""
        said = dict(self.data)
        if self.agents:
            said["agent"] = self.agents[0]
        if self.number:
            said["number"] = self.number
        if self.direction:
            said["direction"] = self.direction
        if self.leg:
            said["leg"] = self.leg
        if self.sequence is not None:
            said["seq"] = self.sequence
        if self.conversation_sequence is not None:
            said["conversation_seq"] = self.conversation_sequence
        return said


@dataclass(frozen=True)
class Setting:
    """A setting of an account that the adapter reads, as the administrator is asked for it."""

    name: str
    label: Any  # text, translated when it is read
    help: Any = ""
    required: bool = False


class Adapter:
    """The interface. `settings` and `secrets` are the account's; of a secret any value is valid."""

    kind: ClassVar[str] = ""
    title: ClassVar[Any] = ""
    secret_names: ClassVar[tuple[str, ...]] = ()
    optional_secret_names: ClassVar[tuple[str, ...]] = ()
    setting_names: ClassVar[tuple[Setting, ...]] = ()
    has_hook: ClassVar[bool] = True
    can_dial: ClassVar[bool] = False
    # Whether it may tell of phones that ring among several (ProviderEvent.tentative).
    rings_several: ClassVar[bool] = False
    # What the administrator does at the provider, one line a step; `{url}` is the hook's address.
    setup: ClassVar[tuple[Any, ...]] = ()

    def __init__(
        self,
        name: str,
        settings: Mapping[str, Any] | None = None,
        secrets: Mapping[str, Sequence[str]] | None = None,
        region: str = "",
        knows: Callable[[str], bool] | None = None,
    ):
        """`knows` tells whether a name or number is that of somebody of ours: to be asked only
        where a message does not tell, because it asks the database."""
        self.name = name
        self.settings = settings or {}
        self.secrets = secrets or {}
        self.region = region
        self.knows = knows or (lambda name: False)

    def dial_url(self, number: str) -> str:
        """The link that makes this system call `number` (E.164); "" where there is none."""
        return f"tel:{quote(number, safe='+')}"

    def challenge(self, request: HookRequest) -> Reply | None:
        """The answer to a request that only tests the address; None for any other request."""
        return None

    def verify(self, request: HookRequest) -> None:
        """Returns if `request` proves its origin; Forged otherwise."""
        raise NotImplementedError

    def kept(self, request: HookRequest) -> Payload:
        """What is stored of a genuine `request`: no secret may be in it."""
        query = request.url.partition("?")[2]
        return Payload(request.body, request.received, request.content_type, query)

    def answer(self, request: HookRequest) -> Reply:
        """The answer to a genuine event."""
        return Reply(204)

    def parse(self, payload: Payload) -> list[ProviderEvent]:
        """The facts that `payload` tells; [] for what is of no interest here.

        Raises Unreadable or Unknown, never anything else, whatever the bytes are.
        """
        raise NotImplementedError

    def place_call(self, agent: str, number: str, hook: str = "") -> str:
        """Calls `agent` (as the provider knows the person), then `number`, where `can_dial`.

        Returns the provider's id of the agent's part; `hook` is the public address of the account's
        hook. Raises Unreachable.
        """
        raise Unreachable(f"{self.title} places no calls.")

    def ask(self, call_id: str) -> list[ProviderEvent] | None:
        """What the provider knows of the call now; None where it cannot be asked or does not know.

        A call that goes on gives events without an end, or none. Raises Gone.
        """
        return None

    def secret_values(self, name: str = "") -> Sequence[str]:
        """The values of a secret that are valid now: two during a rotation."""
        return self.secrets.get(name or self.secret_names[0], ())

    def e164(self, number: str) -> str:
        return to_e164(number, self.region or None)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def seconds_to_ms(value: Any) -> int:
    """Milliseconds of a number or text of seconds since 1970; Unreadable if it is none."""
    try:
        return bounded_ms(int(float(value) * 1000 + 0.5))
    except (TypeError, ValueError, OverflowError) as error:
        raise Unreadable(f"{value!r:.60} is no instant.") from error


def iso_to_ms(value: Any) -> int:
    """Milliseconds of an ISO 8601 instant with `Z` or an offset; Unreadable if it is none."""
    try:
        instant = dt.datetime.fromisoformat(str(value).strip().upper())
        if instant.tzinfo is None:
            raise ValueError("no offset")
        return bounded_ms(to_ms(instant.astimezone(dt.UTC)))
    except (ValueError, OverflowError) as error:
        raise Unreadable(f"{value!r:.60} is no instant.") from error


# 1990 to 2200: what lies outside is a fault of the sender's clock or of the reading.
_EARLIEST, _LATEST = 631_152_000_000, 7_258_118_400_000


def bounded_ms(milliseconds: int) -> int:
    if not _EARLIEST <= milliseconds <= _LATEST:
        raise Unreadable(f"{milliseconds} ms since 1970 is no instant of a call.")
    return milliseconds


# --- Causes: what phone systems answer, as a status and a reason of ours --------------------------

# Q.850, never answered: (status, reason). Any other is a fault of the network.
UNANSWERED_CAUSES: Mapping[int, tuple[str, str]] = {
    **dict.fromkeys((1, 2, 3, 28), (timeline.FAILED, "invalid_number")),
    **dict.fromkeys((18, 19, 20), (timeline.NO_ANSWER, "")),
    16: (timeline.NO_ANSWER, "cancelled"),
    17: (timeline.NO_ANSWER, "busy"),
    21: (timeline.NO_ANSWER, "rejected"),
    26: (timeline.NO_ANSWER, "elsewhere"),
    34: (timeline.FAILED, "congestion"),
    42: (timeline.FAILED, "congestion"),
}
# Q.850, answered before: these end a call that should have gone on.
DROPPED_CAUSES = frozenset({38, 41, 42, 44, 102, 111, 127})


def outcome_of_cause(cause: int, answered: bool) -> tuple[str, str]:
    """Status and reason of a call that ended with the Q.850 `cause`."""
    if not answered:
        return UNANSWERED_CAUSES.get(cause, (timeline.FAILED, "network"))
    if cause in DROPPED_CAUSES:
        return timeline.DROPPED, "network"
    return timeline.COMPLETED, ""
