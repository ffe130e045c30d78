"""The index of the words of calls, and indexes for what few calls are. See calls/models/fulltext.py.

The triggers that keep the index are laid after the last migration (calls/receivers.py).
"""

from django.db import migrations, models

import calls.models.text
from calls.models import fulltext


def forwards(apps, schema_editor):
    fulltext.create_table(schema_editor.connection)


def backwards(apps, schema_editor):
    fulltext.drop_table(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("calls", "0005_outcomes_and_wrap_up")]
    operations = [
        migrations.CreateModel(
            name="CallText",
            fields=[
                ("rowid", models.BigIntegerField(primary_key=True, serialize=False)),
                ("words", calls.models.text.WordsField()),
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
