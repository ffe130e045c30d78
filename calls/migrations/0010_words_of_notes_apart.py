"""The words of notes stand apart in the index, so that a search looks only where one may read.

The index is filled again after the last migration (calls/receivers.py). Going back leaves it as it
is: the search of before does not look into notes then.
"""

from django.db import migrations

from calls.models import fulltext


def make_anew(apps, schema_editor):
    fulltext.drop_table(schema_editor.connection)
    fulltext.create_table(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("calls", "0009_conversation_numbers")]
    operations = [migrations.RunPython(make_anew, migrations.RunPython.noop)]
