"""Each line of the ledger has a place in the order in which lines were taken down: its key or, where
calls became one and so it repeats a line of another ledger, that line's.

Lines that were repeated before kept no such place. They get the places of their ledger's lines in
the order in which they were received.
"""

from importlib import import_module
from itertools import groupby

from django.db import migrations, models

append_only = import_module("calls.migrations.0002_ledger_append_only")
_AT_ONCE = 2000


def misplaced(events):
    """(key, the place that it should have) of lines that were received in another order than that
    of their keys. `events`: (call, key, received), by call and key."""
    for _call, lines in groupby(events, key=lambda event: event[0]):
        keys = [(key, received) for _call, key, received in lines]
        in_order = sorted(keys, key=lambda line: (line[1], line[0]))
        for (place, _), (key, _) in zip(keys, in_order, strict=True):
            if place != key:
                yield key, place


def place_repeated_lines(apps, schema_editor):
    events = apps.get_model("calls", "CallEvent").objects.using(schema_editor.connection.alias)
    joined = apps.get_model("calls", "CallAlias").objects.using(schema_editor.connection.alias)
    lines = events.filter(call__in=joined.values("call")).order_by("call", "pk")
    found = list(misplaced(lines.values_list("call", "pk", "received_at").iterator()))
    if not found:
        return
    append_only.allow_updates(schema_editor)
    for start in range(0, len(found), _AT_ONCE):
        events.bulk_update(
            [events.model(pk=key, repeats=place) for key, place in found[start : start + _AT_ONCE]],
            ["repeats"],
        )
    append_only.refuse_updates(schema_editor)


class Migration(migrations.Migration):
    dependencies = [("calls", "0016_contact_notes")]
    operations = [
        migrations.AddField(
            "callevent", "repeats", models.BigIntegerField(blank=True, editable=False, null=True)
        ),
        migrations.RunPython(place_repeated_lines, migrations.RunPython.noop),
    ]
