"""The index of the words of calls, and indexes for what few calls are. See calls/models/fulltext.py.

The triggers that keep the index are laid after the last migration, and taken away before the next
(calls/receivers.py).
"""

from django.db import migrations, models

# Beginnings of three and four letters have an index of their own: a country's code is one, and all
# the numbers that begin with it would have to be gone through.
SQLITE = """
CREATE VIRTUAL TABLE calls_calltext USING fts5(words, who, call UNINDEXED,
tokenize = 'unicode61 remove_diacritics 2', detail = column, prefix = '3 4')
""".strip().replace("\n", " ")
# With few statistics a rare word looks common, to be found soon by reading the newest calls first.
POSTGRESQL = r"""
CREATE TABLE calls_calltext (
  rowid bigint PRIMARY KEY, words tsvector NOT NULL, call bigint NOT NULL UNIQUE);
ALTER TABLE calls_calltext ALTER COLUMN words SET STATISTICS 1000;
CREATE INDEX calls_calltext_words ON calls_calltext USING gin (words);
CREATE FUNCTION calls_plain(said text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT regexp_replace(lower(regexp_replace(normalize(said, NFKD), '[\u0300-\u036f]', '', 'g')),
                        '[!-/:-@[-`{-~]+', ' ', 'g') $$;
"""


def forwards(apps, schema_editor):
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        cursor.execute(POSTGRESQL if connection.vendor == "postgresql" else SQLITE)


def backwards(apps, schema_editor):
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS calls_calltext")
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION IF EXISTS calls_plain(text)")


class Migration(migrations.Migration):
    dependencies = [("calls", "0005_outcomes_and_wrap_up")]
    operations = [
        migrations.CreateModel(
            name="CallText",
            fields=[
                ("rowid", models.BigIntegerField(primary_key=True, serialize=False)),
                ("words", models.TextField()),
            ],
            options={"managed": False, "db_table": "calls_calltext"},
        ),
        migrations.RunPython(forwards, backwards),
        migrations.AddIndex(
            "calllog",
            models.Index(
                condition=~models.Q(evidence="C"),
                fields=["evidence", "start_time", "id"],
                name="call_evidence_start",
            ),
        ),
        migrations.AddIndex(
            "calllog",
            models.Index(
                condition=~models.Q(provider=""),
                fields=["provider", "start_time", "id"],
                name="call_provider_start",
            ),
        ),
        migrations.AddIndex(
            "calllog",
            models.Index(
                condition=~models.Q(disposition=""),
                fields=["disposition", "start_time", "id"],
                name="call_disposition_start",
            ),
        ),
        migrations.AddIndex(
            "calllog",
            models.Index(
                condition=models.Q(duration_seconds__gte=1800),
                fields=["duration_seconds"],
                name="call_long",
            ),
        ),
    ]
