# mypy: disallow-subclassing-any=False, disallow-untyped-decorators=False
"""What a good small team would build today for the same calls: Flask, SQLAlchemy, Flask-Limiter.

SQLite as ours is set (WAL, synchronous NORMAL, writers queue at BEGIN IMMEDIATE), hashed keys found
by an index, a limit a key counted in memory, a person's sums kept by one UPSERT in the transaction
that ends the call. No ledger, no roles, no live pages. PEER_DATABASE names the file.

    python flask_peer.py DATABASE       # takes over the people, keys and calls of ours
    gunicorn -w 1 --threads 4 flask_peer:app
"""

import csv
import datetime as dt
import hashlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, abort, g, jsonify, request
from flask_limiter import Limiter
from sqlalchemy import ForeignKey, Index, String, Text, create_engine, event, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    joinedload,
    mapped_column,
    relationship,
    sessionmaker,
)

ENDED = {"COMPLETED", "NO_ANSWER", "FAILED", "DROPPED"}
ROWS_AT_ONCE = 5000

engine = create_engine(
    f"sqlite:///{os.environ['PEER_DATABASE']}",
    pool_size=32,
    connect_args={"timeout": 20, "check_same_thread": False},
)
reading = sessionmaker(engine, expire_on_commit=False)
writing = sessionmaker(engine.execution_options(writes=True), expire_on_commit=False)


@event.listens_for(engine, "connect")
def set_up(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # begin() below decides how a transaction begins
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-32000"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA mmap_size=268435456")


@event.listens_for(engine, "begin")
def begin(connection: Any) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "people"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(150))


class Key(Base):
    __tablename__ = "keys"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    is_active: Mapped[bool] = mapped_column(default=True)


class Call(Base):
    __tablename__ = "calls"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    contact: Mapped[str] = mapped_column(String(200), default="")
    phone: Mapped[str] = mapped_column(String(32))
    direction: Mapped[str] = mapped_column(String(8), default="outbound")
    status: Mapped[str] = mapped_column(String(16), default="IN_PROGRESS")
    started_at: Mapped[dt.datetime] = mapped_column()
    answered_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    duration_seconds: Mapped[int | None]
    talk_seconds: Mapped[int | None]
    notes: Mapped[str] = mapped_column(Text, default="")
    person: Mapped[Person] = relationship()
    __table_args__ = (
        Index("calls_newest", started_at.desc(), id.desc()),
        Index("calls_of_person", "person_id", started_at.desc(), id.desc()),
        Index("calls_of_status", "status", started_at.desc()),
        Index("calls_of_phone", "phone"),
    )


class Sums(Base):
    __tablename__ = "sums"
    person_id: Mapped[int] = mapped_column(primary_key=True)
    calls: Mapped[int]
    successes: Mapped[int]
    seconds: Mapped[int]


app = Flask(__name__)
limiter = Limiter(
    lambda: f"key:{g.key_id}",
    app=app,
    default_limits=[os.environ.get("PEER_LIMIT", "1000000000 per hour")],
    storage_uri="memory://",
    headers_enabled=True,
)


def authenticate() -> None:
    digest = hashlib.sha256(request.headers.get("X-API-Key", "").encode()).hexdigest()
    with reading() as session:
        wanted = select(Key.id, Key.person_id).where(Key.digest == digest, Key.is_active)
        found = session.execute(wanted).first()
    if found is None:
        abort(401)
    g.key_id, g.person_id = found


# Before the limiter, which counts for the key.
app.before_request_funcs.setdefault(None, []).insert(0, authenticate)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def text(body: dict[str, Any], name: str, most: int, default: str = "") -> str:
    value: Any = body.get(name, default)
    if not isinstance(value, str) or len(value) > most:
        abort(400, f"{name} must be a text of at most {most} characters")
    return str(value)


@app.post("/api/calls/start")
def start() -> tuple[Response, int]:
    body = request.get_json()
    call = Call(
        person_id=g.person_id,
        contact=text(body, "contact", 200),
        phone=text(body, "contact_phone", 32),
        direction=text(body, "direction", 8, "outbound"),
        started_at=now(),
    )
    with writing() as session:
        session.add(call)
        session.commit()
    begun = call.started_at.isoformat() + "Z"
    return jsonify(message="Call started", call_id=call.id, start_time=begun), 201


@app.post("/api/calls/end")
def end() -> Response:
    body = request.get_json()
    status = text(body, "status", 16, "COMPLETED")
    if status not in ENDED or not isinstance(body.get("call_id"), int):
        abort(400, "call_id must be a number and status one of those of an ended call")
    with writing() as session:
        call = session.get(Call, body["call_id"])
        if call is None or call.person_id != g.person_id:
            abort(404)
        if call.ended_at is not None:
            abort(409)
        call.ended_at, call.status = now(), status
        call.notes = text(body, "notes", 10_000)
        call.duration_seconds = int((call.ended_at - call.started_at).total_seconds())
        call.talk_seconds = call.duration_seconds
        sums = session.execute(added(call)).one()
        session.commit()
    return jsonify(
        message="Call ended",
        call_id=call.id,
        duration_seconds=call.duration_seconds,
        calls_made=sums.calls,
        calls_success=sums.successes,
        total_talk_time=sums.seconds,
    )


def added(call: Call) -> Any:
    """The statement that adds an ended call to the sums of its person, and gives them back."""
    row = insert(Sums).values(
        person_id=call.person_id,
        calls=1,
        successes=int(call.status == "COMPLETED"),
        seconds=call.talk_seconds,
    )
    names = ("calls", "successes", "seconds")
    grown = {name: getattr(Sums, name) + row.excluded[name] for name in names}
    upsert = row.on_conflict_do_update(index_elements=["person_id"], set_=grown)
    return upsert.returning(Sums.calls, Sums.successes, Sums.seconds)


@app.get("/api/calls/log")
def log() -> Response:
    limit = min(max(request.args.get("limit", 100, type=int), 1), 1000)
    newest = select(Call).options(joinedload(Call.person))
    newest = newest.order_by(Call.started_at.desc(), Call.id.desc()).limit(limit)
    if status := request.args.get("status"):
        newest = newest.where(Call.status == status)
    with reading() as session:
        return jsonify(results=[as_json(call) for call in session.scalars(newest)])


def as_json(call: Call) -> dict[str, Any]:
    return {
        "call_id": call.id,
        "agent": call.person.name,
        "contact": call.contact,
        "phone": call.phone,
        "direction": call.direction,
        "status": call.status,
        "start_time": call.started_at.isoformat() + "Z",
        "answered_time": call.answered_at and call.answered_at.isoformat() + "Z",
        "end_time": call.ended_at and call.ended_at.isoformat() + "Z",
        "duration_seconds": call.duration_seconds,
        "talk_seconds": call.talk_seconds,
        "notes": call.notes,
    }


@app.get("/api/calls/export.csv")
def export() -> Response:
    return Response(csv_lines(), mimetype="text/csv")


def csv_lines() -> Iterator[str]:
    columns = [column for column in Call.__table__.columns if column.name != "person_id"]
    wanted = select(Person.name, *columns).join(Person, Person.id == Call.person_id)
    wanted = wanted.order_by(Call.started_at.desc(), Call.id.desc())
    file = io.StringIO()
    write = csv.writer(file)
    write.writerow(["agent", *(column.name for column in columns)])
    with engine.connect() as connection:
        streamed = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(wanted)
        for rows in streamed.partitions():
            write.writerows(rows)
            yield file.getvalue()
            file.seek(0)
            file.truncate()


def fill(database: str) -> None:
    """Takes over people, keys and ended calls of `database`, one of ours."""
    Base.metadata.create_all(engine)
    connection = engine.raw_connection()
    connection.execute("ATTACH ? AS ours", (database,))
    for statement in TAKEN_OVER:
        connection.execute(statement)
    connection.close()


TAKEN_OVER = (
    "BEGIN",
    "INSERT INTO people SELECT id, trim(first_name || ' ' || last_name) FROM ours.accounts_user",
    "INSERT INTO keys SELECT id, owner_id, digest, 1 FROM ours.accounts_apikey",
    """INSERT INTO calls SELECT c.id, c.user_id, coalesce(p.name, ''), c.contact_phone, c.direction,
    c.status, c.start_time, c.answered_time, c.end_time, c.duration_seconds, c.talk_seconds, c.notes
    FROM ours.calls_calllog c LEFT JOIN ours.calls_contact p ON p.id = c.contact_id
    WHERE c.end_time IS NOT NULL AND c.user_id IS NOT NULL""",
    """INSERT INTO sums SELECT person_id, count(*), sum(status = 'COMPLETED'),
    sum(coalesce(talk_seconds, 0)) FROM calls GROUP BY person_id""",
    "COMMIT",
    "ANALYZE",
)

if __name__ == "__main__":
    fill(sys.argv[1])
