import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_keys_and_notifications"),
        ("calls", "0006_call_search"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ContactImport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("for_everybody", models.BooleanField(default=False)),
                ("file_name", models.CharField(max_length=120)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "looked at"),
                            ("done", "taken in"),
                            ("undone", "taken back"),
                        ],
                        default="draft",
                        max_length=6,
                    ),
                ),
                (
                    "duplicates",
                    models.CharField(
                        choices=[
                            ("skip", "Leave what is there as it is"),
                            ("update", "Bring what is there up to date"),
                            ("keep", "Keep both"),
                        ],
                        default="skip",
                        max_length=6,
                    ),
                ),
                ("head", models.JSONField(default=list)),
                ("rows", models.JSONField(default=list)),
                ("first_row", models.PositiveIntegerField(default=1)),
                ("mapping", models.JSONField(default=dict)),
                ("created", models.PositiveIntegerField(default=0)),
                ("updated", models.PositiveIntegerField(default=0)),
                ("skipped", models.PositiveIntegerField(default=0)),
                ("error_count", models.PositiveIntegerField(default=0)),
                ("errors", models.JSONField(default=list)),
                ("changes", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contact_imports",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="accounts.team",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-pk"],
            },
        ),
    ]
