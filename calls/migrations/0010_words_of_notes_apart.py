"""The words of notes stand apart in the index, so that a search looks only where one may read.

On SQLite they have a column of their own; PostgreSQL's table stays, with other lexemes in it. The
index is filled again after the last migration (calls/receivers.py).
"""

from django.db import migrations

TABLE = """
CREATE VIRTUAL TABLE calls_calltext USING fts5({columns} UNINDEXED,
tokenize = 'unicode61 remove_diacritics 2', detail = column, prefix = '3 4')
""".strip().replace("\n", " ")


def with_columns(columns):
    def make_anew(apps, schema_editor):
        if schema_editor.connection.vendor == "sqlite":
            with schema_editor.connection.cursor() as cursor:
                cursor.execute("DROP TABLE calls_calltext")
                cursor.execute(TABLE.format(columns=columns))

    return make_anew


class Migration(migrations.Migration):
    dependencies = [("calls", "0009_conversation_numbers")]
    operations = [
        migrations.RunPython(
            with_columns("words, notes, who, call"), with_columns("words, who, call")
        )
    ]
