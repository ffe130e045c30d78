"""After a gap: what FreeSWITCH's list of channels says about our calls."""

from collections.abc import Mapping, Sequence
from typing import Any

from calls import timeline
from calls.providers.freeswitch.event_socket import course
from calls.providers.freeswitch.event_socket.board import Board
from calls.providers.freeswitch.event_socket.channels import Channel, Conversation, Part
from calls.providers.freeswitch.event_socket.esl import Message
from calls.providers.freeswitch.event_socket.snapshot import Snapshot
from calls.providers.reading import number_of, text

# What an event calls what the list tells.
_FIELDS: Mapping[str, str] = {
    "Unique-ID": "uuid",
    "Channel-Name": "name",
    "Call-Direction": "direction",
    "Channel-Call-UUID": "call_uuid",
    "Channel-Call-State": "callstate",
    "Caller-Caller-ID-Number": "initial_cid_num",
    "Caller-Destination-Number": "initial_dest",
}
_OTHERWISE: Mapping[str, str] = {
    "Caller-Caller-ID-Number": "cid_num",
    "Caller-Destination-Number": "dest",
}
_TALKING = ("ACTIVE", "HELD", "UNHELD")


def take(board: Board, rows: Sequence[Mapping[str, Any]]) -> None:
    """Goes on with the channels that are listed, and marks those of before that are not."""
    listed = {text(row.get("uuid")): row for row in rows}
    gone = [
        one
        for uuid, one in board.channels.items()
        if uuid not in listed and one.gap_since is not None
    ]
    course.lose(board, gone, gone=True)
    _mark(board, {call: at for call, at in board.expected.items() if call not in listed}, gone=True)
    found = [_found(board, row) for row in listed.values()]
    for channel in filter(None, found):
        _see_whom_it_is_with(board, channel)
    board.expected = {}


def unlisted(board: Board) -> None:
    """FreeSWITCH does not tell which channels are up: all that ran before is uncertain."""
    for channel in board.channels.values():
        board.close_gap(channel)
    _mark(board, board.expected)
    board.expected = {}


def _mark(board: Board, expected: Mapping[str, int], **data: bool) -> None:
    """Tells a gap to calls that only an earlier process knew."""
    for call, since in expected.items():
        gap = [since, max(board.at, since + 1)]
        nobody = Part(call, Conversation("", 0), waiting=None)
        board.say(nobody, timeline.NOTED, gap=gap, **data)


def _found(board: Board, row: Mapping[str, Any]) -> Channel | None:
    """The listed channel, taken up if we did not know it."""
    known = board.channels.get(text(row.get("uuid")))
    if known is not None:
        board.close_gap(known)
        return known
    fields = {name: text(row.get(field)) for name, field in _FIELDS.items()}
    for name, field in _OTHERWISE.items():
        fields[name] = fields[name] or text(row.get(field))
    created = (number_of(row.get("created_epoch")) or 0) * 1_000_000
    fields["Caller-Channel-Created-Time"] = str(created)
    if fields["Call-Direction"] == "inbound":
        fields["Caller-Username"] = fields["Caller-Caller-ID-Number"]
    return board.channel_of(Snapshot(Message("text/event-plain", fields)), is_exact=False)


def _see_whom_it_is_with(board: Board, channel: Channel) -> None:
    """That a listed channel talks says that somebody has answered, not when: at the latest now.
    What FreeSWITCH tells of it next says it better."""
    maker = channel.maker
    if maker is None or channel.partner is not None or maker.partner is not None:
        return
    states = (channel.latest, maker.latest)
    if all(one.message.get("Channel-Call-State") in _TALKING for one in states):
        course.meet(board, channel, maker, board.at, is_guess=True)
