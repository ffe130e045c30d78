"""What the journal is asked and told. Every function here runs inside one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from callmanager_track.clocks import Clock, Moment
from callmanager_track.session import CallSession, Step

DETACHED = ""  # the owner of a call that no running program holds
_KEEP_MS = 7 * 24 * 3600 * 1000
FIGURES = ("new_average", "calls_made", "calls_success", "total_talk_time")


class Letter(NamedTuple):
    """An event on its way to the server."""

    seq: int
    call_id: str
    kind: str
    ms: int
    data: dict[str, Any]
    at_ms: int | None
    attempts: int
    started: Moment
    server_start: int | None


class DeadLetter(NamedTuple):
    """An event that the server refused: its answer, and what was said."""

    call_id: str
    kind: str
    code: int
    error: str
    data: dict[str, Any]


def add_call(
    db: sqlite3.Connection, session: CallSession, owner: str, direction: str, provider: str
) -> None:
    """A new call and the event that tells of it."""
    said = {"contact_id": session.contact_id, "contact_phone": session.contact_phone}
    said |= {"direction": direction}
    if provider:
        said["provider"] = provider
    db.execute(
        "INSERT INTO calls (call_id, contact_id, contact_phone, direction, provider,"
        " wall_ms, mono_ns, boot, owner, last_ms, alive_ms) VALUES (?,?,?,?,?,?,?,?,?,0,0)",
        (
            session.call_id,
            session.contact_id,
            session.contact_phone,
            direction,
            provider,
            *session.started,
            owner,
        ),
    )
    _add_event(db, session.call_id, Step("start", 0), said)


def add_step(
    db: sqlite3.Connection, session: CallSession, step: Step, data: Mapping[str, Any]
) -> bool:
    """What `step` made of the call, and the event; False if another process has ended it."""
    known = db.execute(
        "UPDATE calls SET last_ms=?, alive_ms=max(alive_ms, ?), paused_ms=?, paused_since=?,"
        " held_since=?, answered_ms=?, end_ms=?, status=? WHERE call_id=? AND end_ms IS NULL",
        (
            step.ms,
            step.ms,
            session.paused_ms,
            session.paused_since,
            session.held_since,
            session.answered_ms,
            session.end_ms,
            session.status,
            session.call_id,
        ),
    ).rowcount
    if known:
        _add_event(db, session.call_id, step, data)
    return bool(known)


def _add_event(db: sqlite3.Connection, call_id: str, step: Step, data: Mapping[str, Any]) -> None:
    db.execute(
        "INSERT INTO events (call_id, kind, ms, data) VALUES (?,?,?,?)",
        (call_id, step.kind, step.ms, json.dumps(data)),
    )


# --- Calls ---


def session_of(row: sqlite3.Row, clock: Clock) -> CallSession:
    """The call of a row of the journal, going on where it stood."""
    started = Moment(row["wall_ms"], row["mono_ns"], row["boot"])
    session = CallSession(
        row["call_id"], row["contact_id"], row["contact_phone"], started=started, clock=clock
    )
    for name in (
        "status",
        "answered_ms",
        "end_ms",
        "paused_ms",
        "paused_since",
        "held_since",
        "last_ms",
    ):
        setattr(session, name, row[name])
    return session


def running(db: sqlite3.Connection, owner: str | None = None) -> list[sqlite3.Row]:
    """The calls that have not ended, oldest first; of one owner, or of all."""
    rows = db.execute("SELECT * FROM calls WHERE end_ms IS NULL ORDER BY wall_ms, rowid").fetchall()
    return [row for row in rows if owner is None or row["owner"] == owner]


def call(db: sqlite3.Connection, call_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM calls WHERE call_id=?", (call_id,)
    ).fetchone()
    return row


def latest(db: sqlite3.Connection, limit: int) -> list[sqlite3.Row]:
    """The last calls of this computer, newest first."""
    order = "SELECT * FROM calls ORDER BY wall_ms DESC, rowid DESC LIMIT ?"
    return db.execute(order, (limit,)).fetchall()


def take_over(db: sqlite3.Connection, call_id: str, owner: str, former: str) -> bool:
    """Gives a running call to `owner`, unless somebody else was quicker."""
    return bool(
        db.execute(
            "UPDATE calls SET owner=? WHERE call_id=? AND owner=? AND end_ms IS NULL",
            (owner, call_id, former),
        ).rowcount
    )


def note_alive(db: sqlite3.Connection, signs: Mapping[str, int]) -> None:
    """The calls (id -> ms since the start) are known to be alive."""
    db.executemany(
        "UPDATE calls SET alive_ms=max(alive_ms, ?) WHERE call_id=?",
        [(ms, call_id) for call_id, ms in signs.items()],
    )


def forget_old(db: sqlite3.Connection, now: Moment) -> None:
    """Drops the calls of more than a week ago about which there is nothing left to tell."""
    db.execute(
        "DELETE FROM calls WHERE end_ms IS NOT NULL AND wall_ms < ?"
        " AND call_id NOT IN (SELECT call_id FROM events)",
        (now.wall_ms - _KEEP_MS,),
    )


# --- Letters ---


def next_letter(db: sqlite3.Connection) -> Letter | None:
    """The oldest event that has not been delivered and may still be."""
    row = db.execute(
        "SELECT e.*, c.wall_ms, c.mono_ns, c.boot, c.server_start FROM events e"
        " JOIN calls c USING (call_id) WHERE e.error IS NULL ORDER BY e.seq LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    return Letter(
        row["seq"],
        row["call_id"],
        row["kind"],
        row["ms"],
        json.loads(row["data"]),
        row["at_ms"],
        row["attempts"],
        Moment(row["wall_ms"], row["mono_ns"], row["boot"]),
        row["server_start"],
    )


def pending(db: sqlite3.Connection) -> int:
    """How many events wait to be delivered."""
    return int(db.execute("SELECT count(*) FROM events WHERE error IS NULL").fetchone()[0])


def is_pending(db: sqlite3.Connection, call_id: str) -> bool:
    query = "SELECT 1 FROM events WHERE call_id=? AND error IS NULL LIMIT 1"
    return db.execute(query, (call_id,)).fetchone() is not None


def note_attempt(db: sqlite3.Connection, seq: int, at_ms: int | None) -> None:
    """The event is about to be reported with this instant, now and whenever it is repeated."""
    db.execute("UPDATE events SET attempts=attempts+1, at_ms=? WHERE seq=?", (at_ms, seq))


def delivered(db: sqlite3.Connection, letter: Letter, answer: dict[str, Any], start: int) -> None:
    """The server has the event; `start` is the call's start on its clock, epoch ms."""
    db.execute("DELETE FROM events WHERE seq=?", (letter.seq,))
    if letter.kind == "start":
        db.execute("UPDATE calls SET server_start=? WHERE call_id=?", (start, letter.call_id))
    elif letter.kind == "end":
        db.execute(
            "UPDATE calls SET answer=? WHERE call_id=?", (json.dumps(answer), letter.call_id)
        )
        figures = {name: answer.get(name) for name in FIGURES}
        if all(isinstance(value, int) for value in figures.values()):
            _set_fact(db, "figures", json.dumps(figures))


def bury(db: sqlite3.Connection, letter: Letter, code: int, error: str) -> None:
    """The server refused the event; without its start, the rest of a call can only be refused."""
    which = "call_id=? AND error IS NULL" if letter.kind == "start" else "seq=?"
    one = letter.call_id if letter.kind == "start" else letter.seq
    db.execute(f"UPDATE events SET code=?, error=? WHERE {which}", (code, error, one))


def bury_with_start(db: sqlite3.Connection, letter: Letter) -> DeadLetter | None:
    """An event that was written after its call's start was refused joins that dead letter."""
    row = db.execute(
        "SELECT * FROM events WHERE call_id=? AND kind='start' AND error IS NOT NULL",
        (letter.call_id,),
    ).fetchone()
    if row is None:
        return None
    bury(db, letter, row["code"], row["error"])
    return _dead_letter(row)


def dead_letters(db: sqlite3.Connection) -> list[DeadLetter]:
    rows = db.execute("SELECT * FROM events WHERE error IS NOT NULL ORDER BY seq")
    return [_dead_letter(row) for row in rows]


def _dead_letter(row: sqlite3.Row) -> DeadLetter:
    data = json.loads(row["data"])
    return DeadLetter(row["call_id"], row["kind"], row["code"], row["error"], data)


def revive(db: sqlite3.Connection) -> int:
    """Dead letters are tried again, from the first attempt; how many."""
    return db.execute(
        "UPDATE events SET error=NULL, code=NULL, attempts=0 WHERE error IS NOT NULL"
    ).rowcount


def drop_dead(db: sqlite3.Connection) -> int:
    return db.execute("DELETE FROM events WHERE error IS NOT NULL").rowcount


# --- Figures ---


def answer_to_end(db: sqlite3.Connection, call_id: str) -> dict[str, Any] | None:
    """What the server said to the call's end; None while it has not."""
    row = call(db, call_id)
    return None if row is None or row["answer"] is None else json.loads(row["answer"])


def estimated_figures(db: sqlite3.Connection) -> dict[str, int]:
    """The last figures that the server reported, with the ended calls that it does not know yet."""
    reported = json.loads(_fact(db, "figures") or "{}")
    waiting = db.execute(
        "SELECT count(*), coalesce(sum(status='COMPLETED'), 0),"
        " coalesce(sum(CASE WHEN status IN ('COMPLETED', 'DROPPED')"
        " THEN (end_ms - paused_ms) / 1000 ELSE 0 END), 0)"
        " FROM events JOIN calls USING (call_id) WHERE kind='end' AND error IS NULL"
    ).fetchone()
    made, success, total = (
        int(reported.get(name, 0)) + more for name, more in zip(FIGURES[1:], waiting)
    )
    return dict(zip(FIGURES, (total // made if made else 0, made, success, total)))


def _fact(db: sqlite3.Connection, name: str) -> str | None:
    row = db.execute("SELECT value FROM facts WHERE name=?", (name,)).fetchone()
    return None if row is None else row["value"]


def _set_fact(db: sqlite3.Connection, name: str, value: str) -> None:
    db.execute(
        "INSERT INTO facts VALUES (?,?) ON CONFLICT (name) DO UPDATE SET value=excluded.value",
        (name, value),
    )
