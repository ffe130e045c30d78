"""The ledger lets what it says of people be blanked, and nothing else.

Within a transaction that has a row in `calls_ledgerblanking` (which no transaction leaves there:
see calls/services/forgetting.py) an UPDATE may take the keys of `data` away that hold a number, a
note or free words, and empty the texts of `unread`. Whatever else an UPDATE would change, in this
or another column, is refused as before.

A later migration that has to change stored lines: `allow_updates` of 0002, then `refuse_all_else`.
"""

from importlib import import_module

from django.db import migrations

append_only = import_module("calls.migrations.0002_ledger_append_only")
allow_updates = append_only.allow_updates

MESSAGE = append_only.MESSAGE
TABLE = "calls_ledgerblanking"
KEPT = (
    *("id", "call_id", "key", "kind", "occurred_at", "received_at", "source", "actor_id"),
    *("precision_ms", "provider_event_id", "sequence", "payload_hash", "repeats"),
)
# Keys that may go. The reason of a correction is free text; those of ends are words of ours.
KEYS = ("notes", "number", "said")

_REASON = "CASE WHEN OLD.kind = 'corrected' THEN '$.reason' ELSE '$.notes' END"
_PATHS = ", ".join([*(f"'$.{key}'" for key in KEYS), "'$.unread'", _REASON])
_KEPT = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in KEPT)
_GONE_OR_SAME = " AND ".join(
    f"(json_type(NEW.data, '$.{key}') IS NULL "
    f"OR json_extract(NEW.data, '$.{key}') IS json_extract(OLD.data, '$.{key}'))"
    for key in (*KEYS, "reason")
)
SQLITE = f"""
CREATE TRIGGER calls_callevent_append_only BEFORE UPDATE ON calls_callevent
WHEN NOT (
  EXISTS (SELECT 1 FROM {TABLE})
  AND {_KEPT}
  AND json_remove(NEW.data, {_PATHS}) IS json_remove(OLD.data, {_PATHS})
  AND {_GONE_OR_SAME}
  AND json_type(NEW.data, '$.unread') IS json_type(OLD.data, '$.unread')
  AND (json_extract(NEW.data, '$.unread') IS json_extract(OLD.data, '$.unread')
       OR NOT EXISTS (SELECT 1 FROM json_each(NEW.data, '$.unread') WHERE value <> ''))
)
BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END
"""
_ARRAY = ", ".join(f"'{key}'" for key in (*KEYS, "unread"))
POSTGRESQL = f"""
CREATE OR REPLACE FUNCTION calls_callevent_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  free text[] := ARRAY[{_ARRAY}];
  name text;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM {TABLE}) THEN RAISE EXCEPTION '{MESSAGE}'; END IF;
  IF OLD.kind = 'corrected' THEN free := free || ARRAY['reason']; END IF;
  IF to_jsonb(NEW) - 'data' <> to_jsonb(OLD) - 'data' OR NEW.data - free <> OLD.data - free THEN
    RAISE EXCEPTION '{MESSAGE}';
  END IF;
  FOREACH name IN ARRAY free LOOP
    IF name <> 'unread' AND NEW.data ? name
       AND NEW.data -> name IS DISTINCT FROM OLD.data -> name THEN
      RAISE EXCEPTION '{MESSAGE}';
    END IF;
  END LOOP;
  IF (NEW.data ? 'unread') <> (OLD.data ? 'unread') THEN RAISE EXCEPTION '{MESSAGE}'; END IF;
  IF NEW.data -> 'unread' IS DISTINCT FROM OLD.data -> 'unread' THEN
    IF jsonb_typeof(NEW.data -> 'unread') <> 'object' THEN RAISE EXCEPTION '{MESSAGE}'; END IF;
    IF EXISTS (SELECT 1 FROM jsonb_each_text(NEW.data -> 'unread') WHERE value <> '') THEN
      RAISE EXCEPTION '{MESSAGE}';
    END IF;
  END IF;
  RETURN NEW;
END $$
"""
POSTGRESQL_BEFORE = f"""
CREATE OR REPLACE FUNCTION calls_callevent_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{MESSAGE}'; END $$
"""


def forwards(apps, schema_editor):
    schema_editor.execute(f"CREATE TABLE {TABLE} (since bigint NOT NULL)")
    allow_updates(schema_editor)
    refuse_all_else(schema_editor)


def backwards(apps, schema_editor):
    allow_updates(schema_editor)
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_BEFORE, params=None)
    append_only.refuse_updates(schema_editor)
    schema_editor.execute(f"DROP TABLE {TABLE}")


def refuse_all_else(schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL, params=None)
        schema_editor.execute(append_only.POSTGRESQL_TRIGGER)
    else:
        schema_editor.execute(SQLITE, params=None)


class Migration(migrations.Migration):
    dependencies = [("calls", "0017_order_of_ledger_lines")]
    operations = [migrations.RunPython(forwards, backwards)]
