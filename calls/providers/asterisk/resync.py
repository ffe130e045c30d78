"""After a gap: what Asterisk's list of channels (CoreShowChannels, Status) says about our calls."""

from collections.abc import Iterable, Mapping

from calls import timeline
from calls.providers.asterisk.ami import Message
from calls.providers.asterisk.event_handlers import UP
from calls.providers.asterisk.legs import Conversation, ConversationPart, Leg, Role
from calls.providers.asterisk.state import Board

# A list tells a channel's age in whole seconds.
AGE_PRECISION = 1000  # ms


def take(board: Board, listed: Iterable[Message], expected: Mapping[str, int]) -> None:
    """Goes on with the channels that are `listed`, and marks those of before that are not.

    `expected` are calls of an earlier process, with the instant (ms) at which it last listened.
    """
    channels = {message.get("Uniqueid"): message for message in listed}
    board.lose(
        [
            leg
            for uniqueid, leg in board.legs.items()
            if uniqueid not in channels and leg.gap_since is not None
        ],
        gone=True,
    )
    mark(board, {call: at for call, at in expected.items() if call not in channels}, gone=True)
    found = [_found(board, message, expected) for message in channels.values()]
    legs = [leg for leg in found if leg is not None]
    for leg in legs:
        _see_whom_it_is_with(board, leg)


def mark(board: Board, expected: Mapping[str, int], **data: bool) -> None:
    """Tells a gap to calls that only an earlier process knew."""
    for call, since in expected.items():
        gap = [since, max(board.at, since + 1)]
        nobody = ConversationPart(call, "", Conversation(""), waiting=None)
        board.say(nobody, timeline.NOTED, gap=gap, **data)


def _found(board: Board, message: Message, expected: Mapping[str, int]) -> Leg | None:
    """The leg of a listed channel, taken up if we did not know it."""
    known = message.get("Uniqueid") in board.legs
    leg = board.leg_of(message)
    if leg is None:
        return None
    leg.bridge = message.get("BridgeId")
    if message.get("ChannelState") == UP and leg.up_since is None:
        leg.up_since = board.at
    if not known:
        _take_up(board, leg, message, expected)
    return leg


def _take_up(board: Board, leg: Leg, message: Message, expected: Mapping[str, int]) -> None:
    """A leg of which nobody has seen the beginning."""
    leg.created = board.at - _age(message)
    dialled = message.get("Application").startswith(("AppDial", "AppQueue"))
    if leg.role is Role.UNKNOWN:
        leg.role = Role.DIALLED if dialled else Role.CALLER
    leg.has_dialled = message.get("Application") in ("Dial", "Queue")
    if message.get("Application") == "Queue":
        leg.in_queue = leg.was_queued = True
        leg.conversation.queued = leg.conversation.sought = True
    part = board.begin_part(leg, leg.created, AGE_PRECISION, provisional=True)
    if part is None:
        return
    part.direction = _direction(board, leg, message)
    part.number = _number(leg, message)
    leg.gap_since = expected.get(leg.uniqueid, leg.created)
    board.close_gap(leg)
    conversation = leg.conversation
    if not part.agent:
        conversation.outside.append(part)
    elif not dialled:
        part.is_guessed = True
        board.publish(part)
    else:
        conversation.sought = True
        if not conversation.queued:
            conversation.rung.append(part)


def _number(leg: Leg, message: Message) -> str:
    if leg.part is not None and not leg.part.agent:
        return message.get("CallerIDNum")
    return message.get("ConnectedLineNum") or (leg.exten if leg.role is Role.CALLER else "")


def _direction(board: Board, leg: Leg, message: Message) -> str:
    if board.dialplan.is_agent(message.get("ConnectedLineNum")):
        return "internal"
    is_call_of_agent = leg.role is Role.CALLER and board.dialplan.is_agent(leg.peer)
    return "outbound" if is_call_of_agent else "inbound"


def _see_whom_it_is_with(board: Board, leg: Leg) -> None:
    """Links the leg with those in its bridge. That they talk says that somebody has answered, not
    when: at the latest now."""
    for other in board.others_in_bridge(leg):
        leg.link(other)
        board.answer(leg, provisional=True)
    if leg.role is Role.DIALLED and leg.up_since is not None:
        board.answer(leg, provisional=True)


def _age(message: Message) -> int:
    """How long the channel has been there, in ms: `Duration: 00:01:05` or `Seconds: 65`."""
    seconds = 0
    for part in (message.get("Duration") or message.get("Seconds")).split(":"):
        if not part.isascii() or not part.isdigit():
            return 0
        seconds = seconds * 60 + int(part)
    return seconds * 1000
