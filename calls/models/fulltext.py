"""The index of the words of calls, in the database itself: triggers, filling. Its table, and
PostgreSQL's `calls_plain`, are made by the migration 0006.

One row a call, kept by triggers, so that no way of writing a call or a contact, the bulk ones
included, can forget it. SQLite has an FTS5 table; PostgreSQL a table with a tsvector and a GIN
index. On both, `rowid` is made of the call's start and key (see `place_of`), so that matches are
read newest first and a page costs a page, however common the word.

The words of a field that not everybody may read (readers.py) stand apart from the open ones: on
SQLite in a column of that name, on PostgreSQL as lexemes with that name before them.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from calls.models.readers import Agents
from common.instants import to_ms
from common.phones import two_digit_codes

TABLE: Final = "calls_calltext"
APART: Final = ("notes",)  # a change here comes with a migration that makes the index anew
# Room for so many calls within one millisecond before two of them could share a place.
_KEYS: Final = 2**21


def place_of(start: dt.datetime, pk: int) -> int:
    """Where the call stands in the index: the start's milliseconds, then its key's low bits."""
    return to_ms(start) * _KEYS + pk % _KEYS


@dataclass(frozen=True)
class Wanted:
    """Words that a call must say, each of them the beginning of one of its own; of several ways to
    write a word, one.

    `of_user`: only calls of that person. `apart`: the fields to look into besides the open words,
    each with the agents of whose calls (None: of all).
    """

    words: tuple[tuple[str, ...], ...]
    of_user: int | None
    apart: tuple[tuple[str, Agents], ...]

    def in_sqlite(self) -> str:
        user = () if self.of_user is None else (f'who : "u{self.of_user}"',)
        words = (" OR ".join(map(self._in_columns, ways)) for ways in self.words)
        return " AND ".join((*(f"({word})" for word in words), *user))

    def _in_columns(self, word: str) -> str:
        columns = " ".join(("words", *(field for field, agents in self.apart if agents is None)))
        places = [f'{{{columns}}} : "{word}" *']
        for field, agents in self.apart:
            if agents:
                people = " OR ".join(f'"u{agent or 0}"' for agent in agents)
                places.append(f'({field} : "{word}" * AND who : ({people}))')
        return f"({' OR '.join(places)})"

    def in_postgresql(self) -> str:
        user = () if self.of_user is None else (f"'u:{self.of_user}'",)
        words = (" | ".join(map(self._among_lexemes, ways)) for ways in self.words)
        return " & ".join((*(f"({word})" for word in words), *user))

    def _among_lexemes(self, word: str) -> str:
        places = [f"'{word}':*"]
        for field, agents in self.apart:
            if agents is None:
                places.append(f"'{field}:{word}':*")
            elif agents:
                people = " | ".join(f"'u:{agent or 0}'" for agent in agents)
                places.append(f"('{field}:{word}':* & ({people}))")
        return f"({' | '.join(places)})"


# A number is found by its beginning, with the country's code or without, by its last four digits,
# and by its last eight, which are what is dialled within a town.
_ENDS: Final = (8, 4)


def _number(row: str) -> tuple[str, ...]:
    """Its beginnings: of its line and, where it was told in another way, so too."""
    told, line = f"{row}.phone_e164", f"{row}.phone_line"
    codes = ", ".join(f"'{code}'" for code in two_digit_codes())
    return (
        f"CASE WHEN {told} = {line} THEN '' ELSE {told} END",
        line,
        f"substr({line}, CASE WHEN substr({line}, 2, 1) IN ('1', '7') THEN 3 "
        f"WHEN substr({line}, 2, 2) IN ({codes}) THEN 4 ELSE 5 END)",
    )


# --- SQLite ---------------------------------------------------------------------------------------
def _place_in_sqlite(row: str) -> str:
    return (
        f"(CAST(strftime('%s', {row}.start_time) AS INTEGER) * 1000 "
        f"+ CAST(substr(strftime('%f', {row}.start_time), 4, 3) AS INTEGER)) * {_KEYS} "
        f"+ {row}.id % {_KEYS}"
    )


def _words_in_sqlite(row: str) -> str:
    ends = (f"substr({row}.phone_line, -{length})" for length in _ENDS)
    number = " || ' ' || ".join((*_number(row), *ends))
    return (
        f"{row}.contact_ref || ' ' || {row}.contact_phone || ' ' || "
        f"{number} || ' ' || coalesce((SELECT name || ' ' || company "
        f"|| ' ' || external_id FROM calls_contact WHERE id = {row}.contact_id), '')"
    )


def _row_in_sqlite(row: str) -> str:
    who = f"'u' || coalesce({row}.user_id, 0)"
    apart = ", ".join(f"{row}.{field}" for field in APART)
    return f"{_place_in_sqlite(row)}, {_words_in_sqlite(row)}, {apart}, {who}, {row}.id"


_COLUMNS: Final = ", ".join(("words", *APART, "who", "call"))
_INSERT: Final = f"INSERT OR IGNORE INTO {TABLE}(rowid, {_COLUMNS})"
WATCHED: Final = ("start_time", "user_id", "contact_id", "contact_ref", "contact_phone", "notes")
_CHANGED: Final = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in WATCHED)
_SQLITE_TRIGGERS: Final = {
    "calls_calltext_added": (
        f"AFTER INSERT ON calls_calllog BEGIN {_INSERT} VALUES ({_row_in_sqlite('NEW')}); END"
    ),
    "calls_calltext_changed": (
        f"AFTER UPDATE ON calls_calllog WHEN {_CHANGED} BEGIN "
        f"DELETE FROM {TABLE} WHERE rowid = {_place_in_sqlite('OLD')}; "
        f"{_INSERT} VALUES ({_row_in_sqlite('NEW')}); END"
    ),
    "calls_calltext_removed": (
        f"AFTER DELETE ON calls_calllog BEGIN "
        f"DELETE FROM {TABLE} WHERE rowid = {_place_in_sqlite('OLD')}; END"
    ),
    "calls_calltext_renamed": (
        "AFTER UPDATE ON calls_contact WHEN OLD.name IS NOT NEW.name "
        "OR OLD.company IS NOT NEW.company OR OLD.external_id IS NOT NEW.external_id BEGIN "
        f"INSERT OR REPLACE INTO {TABLE}(rowid, {_COLUMNS}) SELECT {_row_in_sqlite('c')} "
        "FROM calls_calllog c WHERE c.contact_id = NEW.id; END"
    ),
}

# --- PostgreSQL -----------------------------------------------------------------------------------
_PLACE: Final = f"floor(extract(epoch FROM c.start_time) * 1000)::bigint * {_KEYS} + c.id % {_KEYS}"
# A lexeme may have 2046 bytes, its name included.
_APART: Final = "".join(
    f" || array_to_tsvector(ARRAY(SELECT '{field}:' || said FROM unnest(tsvector_to_array("
    f"to_tsvector('simple', calls_plain(c.{field})))) AS said WHERE octet_length(said) < 2000))"
    for field in APART
)
_WORDS: Final = (
    "strip(to_tsvector('simple', calls_plain(concat_ws(' ', c.contact_ref, "
    f"c.contact_phone, {', '.join(_number('c'))}, "
    f"{', '.join(f'right(c.phone_line, {length})' for length in _ENDS)}, "
    "(SELECT concat_ws(' ', name, company, external_id) FROM calls_contact "
    "WHERE id = c.contact_id))))) "
    "|| array_to_tsvector(ARRAY['u:' || coalesce(c.user_id, 0)])" + _APART
)
_FILL: Final = f"INSERT INTO {TABLE}(rowid, words, call) SELECT {_PLACE}, {_WORDS}, c.id FROM "
# What has changed is asked inside: a trigger that names columns would forbid altering them.
_KEPT: Final = " AND ".join(f"OLD.{name} IS NOT DISTINCT FROM NEW.{name}" for name in WATCHED)
_POSTGRESQL_TRIGGERS: Final = {
    "calls_calltext_changed": (
        "calls_calllog",
        "AFTER INSERT OR UPDATE OR DELETE ON calls_calllog FOR EACH ROW",
        f"""
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF {_KEPT} THEN RETURN NULL; END IF;
  END IF;
  IF TG_OP <> 'INSERT' THEN DELETE FROM {TABLE} WHERE call = OLD.id; END IF;
  IF TG_OP <> 'DELETE' THEN
    {_FILL} calls_calllog c WHERE c.id = NEW.id ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END""",
    ),
    "calls_calltext_emptied": (
        "calls_calllog",
        "AFTER TRUNCATE ON calls_calllog FOR EACH STATEMENT",
        f"BEGIN TRUNCATE {TABLE}; RETURN NULL; END",
    ),
    "calls_calltext_renamed": (
        "calls_contact",
        "AFTER UPDATE ON calls_contact FOR EACH ROW",
        f"""
BEGIN
  IF (OLD.name, OLD.company, OLD.external_id) IS DISTINCT FROM
     (NEW.name, NEW.company, NEW.external_id) THEN
    UPDATE {TABLE} t SET words = {_WORDS}
      FROM calls_calllog c WHERE c.contact_id = NEW.id AND t.call = c.id;
  END IF;
  RETURN NULL;
END""",
    ),
}


# --- What the receivers of migrations do ----------------------------------------------------------
def watch(connection: Any) -> bool:
    """Lays the triggers and fills the table, unless they are there; whether that was needed."""
    if not _is_there(connection, TABLE) or _is_watched(connection):
        return False
    if not _has_the_columns(connection):  # migrated to a state that is older than this code
        return False
    if connection.vendor == "postgresql":
        for name, (_table, event, body) in _POSTGRESQL_TRIGGERS.items():
            _run(
                connection,
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql "
                f"AS $$ {body} $$; "
                f"CREATE TRIGGER {name} {event} EXECUTE FUNCTION {name}()",
            )
    else:
        for name, rest in _SQLITE_TRIGGERS.items():
            _run(connection, f"CREATE TRIGGER IF NOT EXISTS {name} {rest}")
    _fill(connection)
    return True


def unwatch(connection: Any) -> None:
    """Takes the triggers away: while SQLite rebuilds a table they name, they are in its way."""
    if connection.vendor == "postgresql":
        for name in _POSTGRESQL_TRIGGERS:
            _run(connection, f"DROP FUNCTION IF EXISTS {name}() CASCADE")
    else:
        for name in _SQLITE_TRIGGERS:
            _run(connection, f"DROP TRIGGER IF EXISTS {name}")


@contextmanager
def resting(connection: Any) -> Iterator[None]:
    """While very many calls are loaded at once: no row is indexed alone, all are at the end.

    Within a transaction, or what is loaded when it fails would stay without the index.
    """
    unwatch(connection)
    yield
    watch(connection)


def _fill(connection: Any) -> None:
    _run(connection, f"DELETE FROM {TABLE}")
    if connection.vendor == "postgresql":
        _run(connection, f"{_FILL} calls_calllog c ORDER BY c.start_time ON CONFLICT DO NOTHING")
    else:
        rows = f"SELECT {_row_in_sqlite('c')} FROM calls_calllog c ORDER BY c.start_time, c.id"
        _run(connection, f"{_INSERT} {rows}")


def _is_there(connection: Any, table: str) -> bool:
    return table in connection.introspection.table_names()


def _has_the_columns(connection: Any) -> bool:
    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, "calls_calllog")
    return {*WATCHED, "phone_line"} <= {column.name for column in columns}


def _is_watched(connection: Any) -> bool:
    asked = (
        "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'calls_calltext_%%'"
        if connection.vendor == "postgresql"
        else "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' "
        "AND name LIKE 'calls_calltext_%%'"
    )
    triggers = _POSTGRESQL_TRIGGERS if connection.vendor == "postgresql" else _SQLITE_TRIGGERS
    with connection.cursor() as cursor:
        cursor.execute(asked, [])
        return bool(cursor.fetchone()[0] == len(triggers))


def _run(connection: Any, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
