"""Contacts in the order of their names, accents aside, the same on both engines."""

import unicodedata

from django.db import migrations, models

_CHUNK = 5000
_AFTER_N = "n\U0010ffff"
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe"})


def name_key(name):
    """common.text.name_key as it was: what a migration did must not change with the code."""
    seen = "".join(char for char in name if unicodedata.category(char) != "Cf")
    text = " ".join(seen.casefold().split())
    text = unicodedata.normalize("NFKD", text).replace("n\u0303", _AFTER_N)
    text = "".join(char for char in text if not unicodedata.combining(char))
    return text.translate(_LETTERS).encode(errors="replace")


def fill(apps, schema_editor):
    contacts = apps.get_model("calls", "Contact").objects.order_by("pk").values_list("pk", "name")
    rows = list(contacts[:_CHUNK])
    while rows:
        keys = [(name_key(name), pk) for pk, name in rows]
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany("UPDATE calls_contact SET name_key = %s WHERE id = %s", keys)
        rows = list(contacts.filter(pk__gt=rows[-1][0])[:_CHUNK])


class Migration(migrations.Migration):
    dependencies = [("calls", "0014_contact_import_remarks")]
    operations = [
        migrations.AddField("contact", "name_key", models.BinaryField(default=b"")),
        migrations.RemoveIndex("contact", "calls_conta_name_3bfb42_idx"),
        migrations.AddIndex(
            "contact", models.Index(fields=["name_key", "id"], name="contact_by_name")
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterModelOptions(
            "contact",
            {
                "ordering": ["name_key", "pk"],
                "verbose_name": "contact",
                "verbose_name_plural": "contacts",
            },
        ),
    ]
