"""What becomes of the channels on the board: they answer, meet, keep each other waiting, go."""

from collections.abc import Iterable, Mapping
from typing import Any

from calls import timeline
from calls.providers.freeswitch.event_socket.board import AT_ONCE, PRECISION, Board
from calls.providers.freeswitch.event_socket.channels import Channel, Part

# An answer is settled with both phones within this time (ms).
_SETTLING = 200
_TRANSFERS: Mapping[str, str] = {"BLIND_TRANSFER": "blind", "ATTENDED_TRANSFER": "attended"}


def answer(board: Board, channel: Channel, at: int, *, is_guess: bool = False) -> None:
    """Somebody answered at `channel`, or was reached by it, at `at`."""
    part = channel.part
    if part is None or (part.answered is not None and (is_guess or not part.is_guessed)):
        return
    part.answered, part.is_guessed = at, is_guess
    board.say(part, timeline.ANSWERED, at, **({"provisional": True} if is_guess else {}))
    if part.agents:
        channel.conversation.served = True
        board.publish(channel)


def meet(board: Board, one: Channel, two: Channel, at: int, *, is_guess: bool = False) -> None:
    """The two are bridged from `at` on."""
    for channel, other in ((one, two), (two, one)):
        if channel.partner not in (None, other):
            _let_go(board, channel)
        channel.partner = other
        if channel.met[-1:] != [other]:
            channel.met.append(other)
    board.merge(one, two)
    for channel, other in ((one, two), (two, one)):
        if channel.reading().was_called:
            if channel.answered is None:
                answer(board, channel, at, is_guess=is_guess)
            continue
        for_it = other.answered is not None and other.created >= channel.created
        answered = other.answered if for_it and other.answered is not None else at
        answer(board, channel, answered, is_guess=is_guess and not for_it)
    for channel, other in ((one, two), (two, one)):
        _share_holds(board, channel, other.part, at)


def _share_holds(board: Board, channel: Channel, part: Part | None, since: int) -> None:
    """Whom `channel` was with is known only now: so are its holds from `since` on."""
    if part is None or not part.agents or part.answered is None:
        return
    party = channel.latest.name
    for held, resumed in channel.held:
        if held >= since:
            board.say(part, timeline.HELD, held, party=party)
            board.say(part, timeline.RESUMED, resumed, party=party)
    if channel.held_since is not None and channel.held_since >= since:
        channel.holding.add(part)
        board.say(part, timeline.HELD, channel.held_since, party=party)


def _let_go(board: Board, channel: Channel) -> None:
    """`channel` goes on without the one it was bridged with."""
    left = channel.partner
    if left is not None and channel.part in left.holding:
        left.holding.discard(channel.part)
        board.say(channel.part, timeline.RESUMED, party=left.latest.name)


def part_ways(board: Board, channel: Channel) -> None:
    for one in (channel, channel.partner):
        if one is not None:
            one.partner = None


def release(board: Board, channel: Channel, at: int) -> None:
    """`channel` keeps nobody on hold any longer."""
    for part in sorted(channel.holding, key=lambda part: part.call):
        board.say(part, timeline.RESUMED, at, party=channel.latest.name)
    if channel.held_since is not None:
        channel.held.append((channel.held_since, at))
    channel.holding.clear()
    channel.held_since = None


def lose(board: Board, channels: Iterable[Channel], **data: Any) -> None:
    """We shall hear no more of `channels`; nobody can say when they go. They stay open."""
    for channel in list(channels):
        if channel.hung_up is not None:
            finish(board, channel)
            continue
        board.close_gap(channel, **data)
        if channel.part is not None and channel.part.agents and (channel.made or channel.met):
            board.publish(channel)
        board.take_off(channel)


def finish(board: Board, channel: Channel) -> None:
    """`channel` is gone, and all that there is to know of it is known."""
    if channel.hung_up is None:
        channel.hung_up = channel.latest.time("Hangup") or board.at
    release(board, channel, channel.hung_up)
    if channel.part is not None:
        _end(board, channel, channel.part, channel.hung_up)
    board.take_off(channel)


def _end(board: Board, channel: Channel, part: Part, hung_up: int) -> None:
    reading = channel.reading()
    if reading.answered is not None:  # by itself, or we missed it
        answer(board, channel, reading.answered)
    was_answered = part.answered is not None
    is_no_call = (
        (reading.was_called and not was_answered)
        or (reading.talks_with_nobody() and not channel.met)
        or (not part.agents and channel.conversation.served)
    )
    if is_no_call and part.waiting is not None:
        return
    rung = channel.conversation.rung
    if not part.agents and not was_answered and len(rung) == 1:
        part.agents = next(iter(rung))  # one agent alone has missed it
    cause, (status, reason) = reading.outcome(was_answered)
    more: dict[str, Any] = {"cause": cause}
    if cause in _TRANSFERS:
        more["transfer"], reason = _TRANSFERS[cause], "agent_hangup"
    if reason:
        more["reason"] = reason
    guess = timeline.COMPLETED if was_answered else timeline.FAILED
    began, unsure = _talk_began(channel, part)
    if unsure:
        more["answered"] = began
    over = _left_alone(channel, hung_up)
    board.say(part, timeline.ENDED, over, PRECISION + unsure, status=status or guess, **more)
    board.publish(channel)


def _talk_began(channel: Channel, part: Part) -> tuple[int | None, int]:
    """When the talk began, and by how much (ms) that is unsure.

    FreeSWITCH stamps an answer before the phones have settled it, and tells them who is there as
    soon as both have. In between the phones themselves began to count.
    """
    answered = part.answered
    if answered is None or part.is_guessed:
        return answered, 0
    waits = [at - answered for at in channel.updated if 0 <= at - answered <= _SETTLING]
    half = min(waits, default=0) // 2
    return answered + half, half


def _left_alone(channel: Channel, hung_up: int) -> int:
    """When the channel's talk was over: as soon as the other side had gone."""
    gone = channel.met[-1].hung_up if channel.met else None
    return gone if gone is not None and 0 <= hung_up - gone < AT_ONCE else hung_up
