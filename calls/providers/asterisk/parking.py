"""Calls that change hands without a transfer: parked, fetched and picked up; and rooms of many."""

from collections.abc import Callable, Mapping

from calls import timeline
from calls.providers.asterisk import outcome
from calls.providers.asterisk.ami import Message
from calls.providers.asterisk.legs import ConversationPart, Leg, Role
from calls.providers.asterisk.state import Board


def park(board: Board, leg: Leg) -> None:
    """`leg` waits from now on: whoever was with it has done their part, and may only still hear
    where it was put."""
    if leg.is_parked:
        return
    leg.is_parked = True
    board.undecided.pop(leg, None)
    for other in list(leg.peers):
        if other.part is not None:
            other.transferred = other.transferred or "parked"
            other.part.hung_up_by = other.part.hung_up_by or outcome.OWN_SIDE
        leg.unlink(other, board.at)


def _parked(board: Board, message: Message) -> None:
    leg = board.leg_of(message, "Parkee")
    if leg is not None:
        park(board, leg)


def _unparked(board: Board, message: Message) -> None:
    parkee, fetcher = board.leg_of(message, "Parkee"), board.leg_of(message, "Retriever")
    if parkee is None or fetcher is None:
        return
    parkee.is_parked = False
    board.merge(fetcher.conversation, parkee.conversation)
    for one, other, prefix in ((fetcher, parkee, "Parkee"), (parkee, fetcher, "Retriever")):
        internal = board.dialplan.is_agent(other.peer)
        number = other.peer if internal else other.number or message.get(f"{prefix}CallerIDNum")
        board.begin_talking_to(one, number, "internal" if internal else "inbound")


def _picked_up(board: Board, message: Message) -> None:
    """The phone that dialled the code has the call that rang at the other. For a moment both legs
    are there; which of them goes on, differs from version to version."""
    picker, target = board.leg_of(message), board.leg_of(message, "Target")
    if picker is None or target is None or picker.part is None or not picker.part.agent:
        return
    rung = target.part
    board.drop_part(picker)
    if picker.part is not None:  # it was reported already, as a call to the code
        return
    board.merge(picker.conversation, target.conversation)
    part = ConversationPart(picker.uniqueid, picker.peer, target.conversation)
    if rung is not None:
        part.number, part.direction = rung.number, rung.direction
    board.drop_part(target)
    picker.part = target.part = part
    board.say(part, timeline.STARTED, picker.created, channel=picker.channel)


def _joined_room(board: Board, message: Message) -> None:
    leg = board.leg_of(message)
    if leg is None:
        return
    leg.in_room = True
    if leg.role is Role.DIALLED and leg in board.undecided:  # paged: it was dialled into the room
        board.drop_part(leg)
    else:
        board.answer(leg)


def _left_room(board: Board, message: Message) -> None:
    leg = board.leg_of(message)
    if leg is not None:
        leg.in_room = False


HANDLERS: Mapping[str, Callable[[Board, Message], None]] = {
    "parkedcall": _parked,
    "unparkedcall": _unparked,
    "pickup": _picked_up,
    "confbridgejoin": _joined_room,
    "confbridgeleave": _left_room,
    "meetmejoin": _joined_room,
    "meetmeleave": _left_room,
}
