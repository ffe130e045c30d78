"""A channel of a FreeSWITCH that is not there, and what its events carry."""

from dataclasses import dataclass, field

_TIMES = ("Created", "Answered", "Progress", "Bridged", "Hangup")


@dataclass(eq=False)
class Channel:
    name: str
    uuid: str
    direction: str
    caller: str
    dest: str
    times: dict[str, int]
    maker: "Channel | None" = None
    partner: "Channel | None" = None
    last: "Channel | None" = None  # with whom it was bridged last
    variables: dict[str, str] = field(default_factory=dict)
    username: str = ""
    call_state: str = "DOWN"
    cause: str = ""
    held_since: int = 0
    held: int = 0
    holds: list[tuple[int, int]] = field(default_factory=list)

    @property
    def call(self) -> str:
        """What FreeSWITCH takes for the id of the whole call."""
        return self.maker.uuid if self.maker else self.uuid

    def block(self, prefix: str) -> dict[str, str]:
        times = {f"{prefix}-Channel-{name}-Time": str(self.times.get(name, 0)) for name in _TIMES}
        return {
            f"{prefix}-Direction": self.direction,
            f"{prefix}-Username": self.username,
            f"{prefix}-Caller-ID-Number": self.caller,
            f"{prefix}-Destination-Number": self.dest,
            f"{prefix}-Unique-ID": self.uuid,
            f"{prefix}-Channel-Name": self.name,
            **times,
            f"{prefix}-Channel-Last-Hold": str(self.held_since),
            f"{prefix}-Channel-Hold-Accum": str(self.held),
        }

    def fields(self) -> dict[str, str]:
        """What every event about the channel carries."""
        other, kind = (self.partner or self.last), "originatee"
        if self.maker is not None and other in (None, self.maker):
            other, kind = self.maker, "originator"
        said = {
            "Channel-Call-State": self.call_state,
            "Channel-Name": self.name,
            "Unique-ID": self.uuid,
            "Call-Direction": self.direction,
            "Channel-Call-UUID": self.call,
            "Answer-State": "answered" if self.times.get("Answered") else "ringing",
            **self.block("Caller"),
        }
        if self.cause:
            said["Hangup-Cause"] = self.cause
        if other is not None:
            said |= {"Other-Type": kind} | other.block("Other-Leg")
        own = {"uuid": self.uuid, "direction": self.direction, "call_uuid": self.call}
        return said | {f"variable_{name}": text for name, text in (own | self.variables).items()}
