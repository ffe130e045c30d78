"""Search finds names whatever their capitals and accents, on both engines."""

import unicodedata

from django.db import migrations, models


def folded(text):
    """common.text.folded as it was: what a migration did must not change with the code."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    unmarked = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(unmarked.split())


def fill(apps, schema_editor):
    contact_model = apps.get_model("calls", "Contact")
    for contact in contact_model.objects.only("name", "company").iterator():
        contact_model.objects.filter(pk=contact.pk).update(
            folded=folded(f"{contact.name} {contact.company}")
        )


class Migration(migrations.Migration):
    dependencies = [("calls", "0002_ledger_append_only")]
    operations = [
        migrations.AddField(
            "contact", "folded", models.CharField(blank=True, editable=False, max_length=500)
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
