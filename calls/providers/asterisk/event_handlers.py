"""What Asterisk says, event by event, and what that changes on the board."""

from collections.abc import Callable, Mapping

from calls import timeline
from calls.providers.asterisk import outcome, parking
from calls.providers.asterisk.ami import Message
from calls.providers.asterisk.dialplan import PLACED, half_of, peer_of
from calls.providers.asterisk.legs import Attempt, Conversation, ConversationPart, Leg, Role
from calls.providers.asterisk.state import Board

# Channel states.
OFF_HOOK, RING, UP = "2", "4", "6"


def _newchannel(board: Board, message: Message) -> None:
    leg = board.leg_of(message)
    if leg is not None and message.get("ChannelState") in (OFF_HOOK, RING, UP):
        board.begin_calling(leg, message.get("CallerIDNum"))


def _newstate(board: Board, message: Message) -> None:
    leg = board.leg_of(message)
    if leg is None:
        return
    if message.get("ChannelState") in (OFF_HOOK, RING):
        board.begin_calling(leg, message.get("CallerIDNum"))
    elif message.get("ChannelState") == UP and leg.up_since is None:
        leg.up_since = board.at
        if leg.role is Role.CALLER:
            board.await_other_side(leg)


def _dial_begin(board: Board, message: Message) -> None:
    dest, caller = board.leg_of(message, "Dest"), board.caller_of(message)
    if dest is None:
        return
    if not message.get("Uniqueid"):
        _originated(board, dest)
    elif board.is_own_phone(message.get("Channel"), dest):
        _originated(board, dest)
        board.stand_ins[half_of(message.get("Channel"))] = dest
    elif caller is not None and dest.attempt is None:
        dest.role, dest.attempt = Role.DIALLED, Attempt()
        dest.number = board.dialplan.dialled_number(message.get("DialString"))
        board.merge(dest.conversation, caller.conversation)  # whatever their Linkedids say
        caller.link(dest)
        _dials(board, caller, dest, message)
        _rings(board, caller, dest, message)


def _originated(board: Board, leg: Leg) -> None:
    """A program makes the agent's own phone ring first, at once or by way of a Local channel."""
    if not leg.peer:
        board.stand_ins[half_of(leg.channel)] = None
    elif leg.role is Role.UNKNOWN:
        leg.role = Role.ORIGINATED
        board.begin_part(leg, leg.created, provisional=True)


def _dials(board: Board, caller: Leg, dest: Leg, message: Message) -> None:
    board.begin_calling(caller, message.get("CallerIDNum"))
    first, caller.has_dialled = not caller.has_dialled, True
    if caller.role is Role.ORIGINATED and first:
        board.say(caller.part, timeline.STARTED, channel=caller.channel)
    if caller.role is not Role.DIALLED:
        number = board.dialplan.dialled_number(message.get("DialString")) or caller.exten
        internal = board.dialplan.is_agent(dest.peer)
        board.begin_talking_to(caller, number, "internal" if internal else "outbound")


def _rings(board: Board, caller: Leg, dest: Leg, message: Message) -> None:
    """If `dest` is an agent's, that agent's phone is tried."""
    part = board.begin_part(dest, board.at)
    if part is None:
        return
    conversation = dest.conversation
    part.number = message.get("DestConnectedLineNum") or message.get("CallerIDNum")
    internal = board.dialplan.is_agent(caller.peer or part.number)
    part.direction = "internal" if internal else "inbound"
    conversation.sought = True
    if not conversation.queued:
        conversation.rung.append(part)


def _dial_state(board: Board, message: Message) -> None:
    dest, caller = board.leg_of(message, "Dest"), board.caller_of(message)
    if message.get("DialStatus") != "RINGING" or caller is None:
        return
    for leg in (caller, dest):
        part = leg.part if leg is not None else None
        if part is not None and not part.has_rung and part.answered is None:
            part.has_rung = True
            board.say(part, timeline.RINGING)


def _dial_end(board: Board, message: Message) -> None:
    dest, caller = board.leg_of(message, "Dest"), board.caller_of(message)
    if dest is None:
        return
    status = message.get("DialStatus").partition(":")[0]
    if status == outcome.ANSWER:
        if dest.role is Role.DIALLED:  # else a program's call has reached the agent's own phone
            board.is_answered(dest)
            board.answer(caller)
        return
    dest.attempt = dest.attempt or Attempt()
    dest.attempt.status, dest.attempt.ended = status, board.at
    if caller is not None:
        if caller.role is not Role.DIALLED:
            caller.attempt = dest.attempt
        caller.unlink(dest, board.at)


def _bridge_enter(board: Board, message: Message) -> None:
    leg = board.leg_of(message)
    if leg is None:
        return
    if message.get("BridgeTechnology") == "holding_bridge":
        if message.get("BridgeType") == "parking":
            parking.park(board, leg)
        return
    leg.bridge = message.get("BridgeUniqueid")
    in_room = message.get("BridgeTechnology") == "softmix"
    for other in board.others_in_bridge(leg):
        leg.link(other)
        if not in_room:
            parking.meet(board, leg, other)
        for one, two in ((leg, other), (other, leg)):
            if two.peer or one.role is not Role.ORIGINATED:
                board.answer(one)


def _bridge_leave(board: Board, message: Message) -> None:
    leg = board.leg_of(message)
    if leg is not None:
        leg.bridge, leg.bridge_left = "", board.at


def _hold(board: Board, message: Message) -> None:
    leg = board.leg_of(message)
    if leg is None:
        return
    for part in board.talking_with(leg):
        leg.holding.add(part)
        board.say(part, timeline.HELD, party=leg.channel)


def _unhold(board: Board, message: Message) -> None:
    leg = board.leg_of(message)
    if leg is not None:
        # Whoever is there now too: an earlier process may have heard the hold.
        leg.holding.update(board.talking_with(leg))
        board.release(leg)


def _queue_join(board: Board, message: Message) -> None:
    leg = board.leg_of(message)
    if leg is not None:
        if leg.role is Role.CALLER:
            board.begin_talking_to(leg, leg.exten, "outbound")
        leg.in_queue = leg.was_queued = True
        leg.conversation.queued = leg.conversation.sought = True
        leg.conversation.rung.clear()


def _queue_leave(board: Board, message: Message) -> None:
    leg = board.leg_of(message)
    if leg is not None:
        leg.in_queue = leg.conversation.queued = False
        leg.alone_since = None


def _blind_transfer(board: Board, message: Message) -> None:
    leg = board.leg_of(message, "Transferer")
    if leg is not None and message.get("Result") == "Success":
        leg.transferred = "blind"


def _attended_transfer(board: Board, message: Message) -> None:
    first = board.leg_of(message, "OrigTransferer")
    second = board.leg_of(message, "SecondTransferer")
    if message.get("Result") != "Success":
        return
    for leg in filter(None, (first, second)):
        leg.transferred = "attended"
    if first is not None and second is not None:
        board.merge(second.conversation, first.conversation)


def _hangup_request(board: Board, message: Message) -> None:
    leg = board.leg_of(message)
    if leg is None:
        return
    for one in (leg, *leg.peers):
        if one.part is not None and not one.part.hung_up_by:
            one.part.hung_up_by = outcome.OWN_SIDE if one is leg else outcome.OTHER_SIDE


def _originate_response(board: Board, message: Message) -> None:
    """A call that we placed came to nothing: the agent's phone could not even be made to ring."""
    call, failed = message.get("ActionID"), message.get("Response") == "Failure"
    if failed and call.startswith(PLACED) and not board.has_known(call):
        part = ConversationPart(
            call, peer_of(message.get("Channel")), Conversation(call), waiting=None
        )
        part.number, part.direction = message.get("Exten"), "outbound"
        board.say(part, timeline.ENDED, status=timeline.FAILED, reason="network")


def _hangup(board: Board, message: Message) -> None:
    leg = board.leg_of(message)
    if leg is not None:
        cause = message.get("Cause")
        board.hang_up(leg, int(cause) if cause.isascii() and cause.isdigit() else 0)


HANDLERS: Mapping[str, Callable[[Board, Message], None]] = {
    "newchannel": _newchannel,
    "newstate": _newstate,
    "dialbegin": _dial_begin,
    "dialstate": _dial_state,
    "dialend": _dial_end,
    "bridgeenter": _bridge_enter,
    "bridgeleave": _bridge_leave,
    "hold": _hold,
    "unhold": _unhold,
    "queuecallerjoin": _queue_join,
    "queuecallerleave": _queue_leave,
    "queuecallerabandon": _queue_leave,
    "blindtransfer": _blind_transfer,
    "attendedtransfer": _attended_transfer,
    "originateresponse": _originate_response,
    "hanguprequest": _hangup_request,
    "hangup": _hangup,
    **parking.HANDLERS,
}
