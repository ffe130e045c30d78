import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_people_teams_keys"),
        ("calls", "0004_phone_systems"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Disposition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        help_text="What programs and files say, such as sale. It stays as it is.",
                        max_length=60,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9_-]+\\Z",
                                "Use small letters without accents, digits, - and _ only.",
                            )
                        ],
                        verbose_name="code",
                    ),
                ),
                ("label_es", models.CharField(max_length=60, verbose_name="label in Spanish")),
                ("label_en", models.CharField(max_length=60, verbose_name="label in English")),
                (
                    "order",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="The first nine can be chosen with the keys 1 to 9.",
                        verbose_name="order",
                    ),
                ),
                (
                    "active",
                    models.BooleanField(
                        default=True,
                        help_text="Take an outcome out of use instead of deleting it.",
                        verbose_name="active",
                    ),
                ),
            ],
            options={
                "verbose_name": "outcome",
                "verbose_name_plural": "outcomes",
                "ordering": ["order", "pk"],
            },
        ),
        migrations.AddField(
            model_name="calllog",
            name="wrap_up_since",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="calllog",
            index=models.Index(
                condition=models.Q(("wrap_up_since__isnull", False)),
                fields=["user"],
                name="call_wrapping_user",
            ),
        ),
        migrations.AddField(
            model_name="disposition",
            name="team",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: everybody may choose it.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="dispositions",
                to="accounts.team",
                verbose_name="team",
            ),
        ),
    ]
