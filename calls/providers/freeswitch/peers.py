"""How FreeSWITCH names phones and ways out: `sofia/internal/sip:1002@10.0.0.9:5060`."""

import re

# What the profile of a gateway's leg is called, as in sofia/external/50688880109@10.9.9.9.
WAYS_OUT = ("gateway", "external")
# Half of a way within FreeSWITCH, from the dialplan into the dialplan.
LOOPBACK = "loopback/"
EXTENSION = re.compile(r"\d{2,6}")
_USER = re.compile(r"(?!anonymous|unknown|restricted)[a-z][\w.-]*", re.IGNORECASE)
_CHANNEL = re.compile(r"/(?:sips?:)?(?P<peer>[^/@:]+)(?:@[^/]*)?$")


def is_ours(peer: str) -> bool:
    """Whether `peer` looks like a user or an extension: a longer number is somebody else's, and so
    is one with a plus."""
    return bool(EXTENSION.fullmatch(peer) or _USER.fullmatch(peer))


def leads_out(channel: str) -> bool:
    return any(f"/{way}/" in channel for way in WAYS_OUT)


def peer_of(channel: str) -> str:
    """Who is at the other end of a channel; "" where its name does not tell."""
    found = _CHANNEL.search(channel)
    return found["peer"] if found else ""
