"""Who sits in which room, and what a room is told of a call."""

from typing import Any, Final

from accounts.models import User
from calls.models import CallLog
from common.instants import isoformat
from metrics.rollups.daily import totals_after


def room_of_user(user_id: int) -> str:
    return f"user:{user_id}"


def room_of_team(team_id: int) -> str:
    return f"team:{team_id}"


def room_of_person(user_id: int) -> str:
    return f"person:{user_id}"


ROOM_OF_ORGANISATION: Final = "organisation"


def rooms_of(user: User) -> list[str]:
    """The rooms `user` may sit in, each event reaching the person once."""
    scope = user.scope
    if scope.everyone:
        return [ROOM_OF_ORGANISATION]
    rooms = [room_of_team(team_id) for team_id in sorted(scope.team_ids)]
    if user.team_id not in scope.team_ids:
        rooms.append(room_of_user(user.pk))
    return rooms


def rooms_of_pages(user: User) -> list[str]:
    """The rooms in which an open page of `user` sits. What is for the person alone is for pages:
    programs were promised calls only."""
    return [*rooms_of(user), room_of_person(user.pk)]


def rooms_for(call: CallLog) -> list[str]:
    """The rooms whose people may see `call`."""
    rooms = [ROOM_OF_ORGANISATION]
    if call.user is not None:
        rooms.append(room_of_user(call.user.pk))
        if call.user.team_id is not None:
            rooms.append(room_of_team(call.user.team_id))
    return rooms


def payload(kind: str, call: CallLog) -> dict[str, Any]:
    """The event that sockets receive about `call`; `kind` is call_started, _changed or _ended."""
    event = {
        "type": kind,
        "call_id": str(call.call_id),
        "user_id": call.user_id,
        "team_id": call.user and call.user.team_id,
        "status": call.status,
        "activity": call.activity,
        "start_time": isoformat(call.start_time),
        "end_time": isoformat(call.end_time),
        "duration_seconds": call.duration_seconds,
    }
    if call.end_time is not None and call.user_id is not None:
        totals = totals_after(call)
        event |= {
            "ended_by": call.ended_by,
            "calls_made": totals.calls_made,
            "avg_duration": totals.avg_call_duration,
            "total_talk_time": totals.total_talk_time,
        }
    return event
