"""Each line of the ledger has its place in its call and a hash that holds the line before it; there
are tombstones of what is deleted on purpose, and anchors of each day.

The lines that are there get theirs, some calls at a time. See calls/timeline/chain.py.
"""

import json
from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

append_only = import_module("calls.migrations.0002_ledger_append_only")
chain = import_module("calls.migrations._chain")
blanking = import_module("calls.migrations.0018_ledger_blanking")

_CALLS_AT_ONCE = 2000
_COLUMNS = {
    "place": "integer NOT NULL DEFAULT 0 CHECK (place >= 0)",
    "hash": "varchar(64) NOT NULL DEFAULT ''",
    "salt": "varchar(32) NOT NULL DEFAULT ''",
    "commitment": "varchar(64) NOT NULL DEFAULT ''",
}
KEPT = (*blanking.KEPT, "place", "hash", "commitment")
# The salt goes with the texts.
SQLITE = blanking.SQLITE.replace(
    "  AND json_remove",
    "  AND NEW.place IS OLD.place AND NEW.hash IS OLD.hash\n"
    "  AND NEW.commitment IS OLD.commitment AND (NEW.salt IS OLD.salt OR NEW.salt = '')\n"
    "  AND json_remove",
    1,
)
POSTGRESQL = blanking.POSTGRESQL.replace(
    "to_jsonb(NEW) - 'data' <> to_jsonb(OLD) - 'data'",
    "to_jsonb(NEW) - 'data' - 'salt' <> to_jsonb(OLD) - 'data' - 'salt'\n"
    "     OR (NEW.salt <> OLD.salt AND NEW.salt <> '')",
    1,
)
FIXED = ("calls_tombstone", "calls_anchor", "calls_anchorpart")


def add_columns(apps, schema_editor):
    append_only.allow_updates(schema_editor)
    for name, kind in _COLUMNS.items():
        # Not Django's way, by which SQLite writes the whole table anew, four times.
        schema_editor.execute(f"ALTER TABLE calls_callevent ADD COLUMN {name} {kind}")
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"ALTER TABLE calls_callevent ALTER COLUMN {name} DROP DEFAULT")


def remove_columns(apps, schema_editor):
    append_only.allow_updates(schema_editor)
    for name in _COLUMNS:
        schema_editor.execute(f"ALTER TABLE calls_callevent DROP COLUMN {name}")
    blanking.refuse_all_else(schema_editor)


def fill(apps, schema_editor):
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        cursor.execute("SELECT MIN(call_id), MAX(call_id) FROM calls_callevent")
        first, last = cursor.fetchone()
        for start in range(first or 0, (last or -1) + 1, _CALLS_AT_ONCE):
            cursor.execute(_read(connection.vendor), [start, start + _CALLS_AT_ONCE])
            write_chains(connection, list(linked(cursor.fetchall())))


def _read(vendor):
    written = "CAST({} AS text)"
    if vendor == "postgresql":
        written = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    instants = ", ".join(written.format(name) for name in ("occurred_at", "received_at"))
    return (
        f"SELECT id, call_id, key, kind, {instants}, source, actor_id, precision_ms, "
        "provider_event_id, sequence, payload_hash, repeats, CAST(data AS text) "
        "FROM calls_callevent WHERE call_id >= %s AND call_id < %s ORDER BY call_id, id"
    )


def linked(rows):
    """(place, hash, salt, commitment, id) of the lines in `rows`, which are those of whole calls."""
    of = None
    for pk, call, key, kind, occurred, received, *others, text in rows:
        if call != of:
            of, place, previous = call, 0, chain.first_link(call)
        place += 1
        instants = (chain.instant_text(occurred), chain.instant_text(received))
        columns = [call, key, kind, *instants, *others]
        previous, salt, committed = chain.linked(previous, place, columns, kind, json.loads(text))
        yield place, previous, salt, committed, pk


def write_chains(connection, links):
    if not links:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "UPDATE calls_callevent AS line "
                "SET place = new.place, hash = new.hash, salt = new.salt, commitment = new.given "
                "FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[], %s::bigint[]) "
                "AS new(place, hash, salt, given, id) WHERE line.id = new.id",
                [list(column) for column in zip(*links, strict=True)],
            )
        else:
            cursor.executemany(
                "UPDATE calls_callevent SET place = %s, hash = %s, salt = %s, commitment = %s "
                "WHERE id = %s",
                links,
            )


def lay_triggers(apps, schema_editor):
    refuse_all_else(schema_editor)
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE FUNCTION calls_proof_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
            params=None,
        )
    for table in FIXED:
        if schema_editor.connection.vendor == "postgresql":
            how = "FOR EACH ROW EXECUTE FUNCTION calls_proof_refuse()"
        else:
            how = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        schema_editor.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table} {how}", params=None
        )


def take_triggers(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION calls_proof_refuse() CASCADE")
    else:
        for table in FIXED:
            schema_editor.execute(f"DROP TRIGGER {table}_append_only")


def refuse_all_else(schema_editor):
    """For a later migration that has changed stored lines, after `allow_updates` of 0002."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL, params=None)
        schema_editor.execute(append_only.POSTGRESQL_TRIGGER)
    else:
        schema_editor.execute(SQLITE, params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0018_ledger_blanking"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(add_columns, remove_columns)],
            state_operations=[
                migrations.AddField(
                    "callevent", "place", models.PositiveIntegerField(default=0, editable=False)
                ),
                *(
                    migrations.AddField(
                        "callevent",
                        name,
                        models.CharField(blank=True, default="", editable=False, max_length=length),
                        preserve_default=False,
                    )
                    for name, length in (("hash", 64), ("salt", 32), ("commitment", 64))
                ),
            ],
        ),
        migrations.CreateModel(
            name="Anchor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(unique=True, verbose_name="day")),
                ("made_at", models.DateTimeField(verbose_name="made")),
                ("calls", models.PositiveIntegerField(verbose_name="calls")),
                ("lines", models.PositiveBigIntegerField(verbose_name="lines")),
                ("last_line", models.BigIntegerField()),
                ("last_tombstone", models.BigIntegerField()),
                ("previous", models.CharField(blank=True, max_length=64)),
                ("root", models.CharField(max_length=64, verbose_name="root")),
            ],
            options={
                "verbose_name": "anchor",
                "verbose_name_plural": "anchors",
                "ordering": ["-day"],
            },
        ),
        migrations.CreateModel(
            name="AnchorPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("first_call", models.BigIntegerField(db_index=True)),
                ("last_call", models.BigIntegerField()),
                ("heads", models.BinaryField()),
                (
                    "anchor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="calls.anchor",
                    ),
                ),
            ],
            options={
                "ordering": ["first_call", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Tombstone",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("call", models.BigIntegerField(db_index=True, verbose_name="call")),
                ("call_id", models.UUIDField(verbose_name="call")),
                ("lines", models.PositiveIntegerField(verbose_name="lines")),
                ("head", models.CharField(blank=True, max_length=64)),
                ("at", models.DateTimeField(verbose_name="when")),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("deleted", "deleted"),
                            ("joined", "became one with another call"),
                            ("undone", "its import was taken back"),
                            ("trial", "was a trial of a phone system"),
                            ("blanked", "personal data removed"),
                        ],
                        max_length=10,
                        verbose_name="reason",
                    ),
                ),
                ("into", models.BigIntegerField(blank=True, null=True)),
                ("hash", models.CharField(max_length=64)),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "deleted call",
                "verbose_name_plural": "deleted calls",
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(lay_triggers, take_triggers),
    ]
