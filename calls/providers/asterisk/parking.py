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
    if parkee is not None and fetcher is not None:
        parkee.number = parkee.number or message.get("ParkeeCallerIDNum")
        _fetched(board, parkee, fetcher)


def _fetched(board: Board, waiting: Leg, fetcher: Leg) -> None:
    """`fetcher` called Asterisk only to have the call that waits at the other leg."""
    waiting.is_parked = False
    board.merge(fetcher.conversation, waiting.conversation)
    for one, other in ((fetcher, waiting), (waiting, fetcher)):
        internal = board.dialplan.is_agent(other.peer)
        number = other.peer if internal else other.number
        board.begin_talking_to(one, number, "internal" if internal else "inbound")


def meet(board: Board, leg: Leg, other: Leg) -> None:
    """The two are in one bridge now. If neither dialled the other, one of them took a call that
    waited or rang elsewhere, whether or not an event has said so."""
    for waiting, fetcher in ((leg, other), (other, leg)):
        is_agents = fetcher.role is Role.CALLER and fetcher.part and fetcher.part.agent
        if not is_agents or fetcher.has_dialled or fetcher.in_room or fetcher.is_parked:
            continue
        is_outside = waiting.role is Role.CALLER and waiting.part and not waiting.part.agent
        if waiting.is_parked or (is_outside and fetcher in board.undecided):
            _fetched(board, waiting, fetcher)
    leg.is_parked = other.is_parked = False


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
