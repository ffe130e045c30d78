"""What people note about a contact."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("calls", "0015_contacts_in_order")]
    operations = [
        migrations.AddField(
            "contact",
            "notes",
            models.TextField(blank=True, default="", max_length=10000, verbose_name="notes"),
            preserve_default=False,
        ),
    ]
