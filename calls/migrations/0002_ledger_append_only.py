"""The ledger is append-only in the database itself: no UPDATE of an event succeeds."""

from django.db import migrations

MESSAGE = "calls_callevent is append-only"
SQLITE = (
    f"CREATE TRIGGER calls_callevent_append_only BEFORE UPDATE ON calls_callevent "
    f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
)
POSTGRESQL_TRIGGER = """
CREATE TRIGGER calls_callevent_append_only BEFORE UPDATE ON calls_callevent
FOR EACH ROW EXECUTE FUNCTION calls_callevent_refuse();
"""
POSTGRESQL = f"""
CREATE FUNCTION calls_callevent_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{MESSAGE}'; END $$;
{POSTGRESQL_TRIGGER}"""


def forwards(apps, schema_editor):
    postgresql = schema_editor.connection.vendor == "postgresql"
    schema_editor.execute(POSTGRESQL if postgresql else SQLITE)


def backwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION calls_callevent_refuse() CASCADE")
    else:
        schema_editor.execute("DROP TRIGGER calls_callevent_append_only")


# For a later migration that has to change stored lines.


def allow_updates(schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER calls_callevent_append_only ON calls_callevent")
    else:
        schema_editor.execute("DROP TRIGGER calls_callevent_append_only")


def refuse_updates(schema_editor):
    postgresql = schema_editor.connection.vendor == "postgresql"
    schema_editor.execute(POSTGRESQL_TRIGGER if postgresql else SQLITE)


class Migration(migrations.Migration):
    dependencies = [("calls", "0001_calls_and_ledger")]
    operations = [migrations.RunPython(forwards, backwards)]
