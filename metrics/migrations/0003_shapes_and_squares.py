"""Squares of talk time beside the sums, and a row a day for hours and lengths; filled from the calls."""

from bisect import bisect_right
from itertools import groupby
from zoneinfo import ZoneInfo

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

LENGTHS = (0, 1, 15, 30, 60, 120, 180, 300, 600, 1200)
BATCH = 500


def fill(apps, schema_editor):
    """Reads every call once, a person's day at a time."""
    daily, shape, total = (
        apps.get_model("metrics", name) for name in ("DailyMetrics", "DailyShape", "UserMetrics")
    )
    zone = ZoneInfo(settings.TIME_ZONE)
    calls = (
        apps.get_model("calls", "CallLog")
        .objects.filter(end_time__isnull=False)
        .exclude(evidence="E")
        .order_by("user_id", "start_time")
        .values_list("user_id", "start_time", "talk_seconds")
    )
    local = ((user, start.astimezone(zone), talk) for user, start, talk in calls.iterator())
    rows = []
    for (user, day), its_calls in groupby(local, lambda call: (call[0], call[1].date())):
        row, squares = shape(user_id=user, day=day), 0
        for _user, start, talk in its_calls:
            for name in (f"hour_{start.hour:02d}", f"length_{bisect_right(LENGTHS, talk) - 1}"):
                setattr(row, name, getattr(row, name) + 1)
            squares += talk * talk
        daily.objects.filter(user_id=user, day=day).update(talk_squares=squares)
        rows.append(row)
        if len(rows) >= BATCH:
            shape.objects.bulk_create(rows)
            rows = []
    shape.objects.bulk_create(rows)
    squares_of = daily.objects.order_by().values_list("user").annotate(models.Sum("talk_squares"))
    for user, squares in list(squares_of):
        total.objects.filter(user_id=user).update(talk_squares=squares)


class Migration(migrations.Migration):
    dependencies = [
        ("metrics", "0002_wrap_up_time"),
        ("calls", "0001_calls_and_ledger"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="dailymetrics",
            name="talk_squares",
            field=models.PositiveBigIntegerField(default=0, verbose_name="squared talk time (s²)"),
        ),
        migrations.AddField(
            model_name="usermetrics",
            name="talk_squares",
            field=models.PositiveBigIntegerField(default=0, verbose_name="squared talk time (s²)"),
        ),
        migrations.CreateModel(
            name="DailyShape",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("hour_00", models.PositiveIntegerField(default=0)),
                ("hour_01", models.PositiveIntegerField(default=0)),
                ("hour_02", models.PositiveIntegerField(default=0)),
                ("hour_03", models.PositiveIntegerField(default=0)),
                ("hour_04", models.PositiveIntegerField(default=0)),
                ("hour_05", models.PositiveIntegerField(default=0)),
                ("hour_06", models.PositiveIntegerField(default=0)),
                ("hour_07", models.PositiveIntegerField(default=0)),
                ("hour_08", models.PositiveIntegerField(default=0)),
                ("hour_09", models.PositiveIntegerField(default=0)),
                ("hour_10", models.PositiveIntegerField(default=0)),
                ("hour_11", models.PositiveIntegerField(default=0)),
                ("hour_12", models.PositiveIntegerField(default=0)),
                ("hour_13", models.PositiveIntegerField(default=0)),
                ("hour_14", models.PositiveIntegerField(default=0)),
                ("hour_15", models.PositiveIntegerField(default=0)),
                ("hour_16", models.PositiveIntegerField(default=0)),
                ("hour_17", models.PositiveIntegerField(default=0)),
                ("hour_18", models.PositiveIntegerField(default=0)),
                ("hour_19", models.PositiveIntegerField(default=0)),
                ("hour_20", models.PositiveIntegerField(default=0)),
                ("hour_21", models.PositiveIntegerField(default=0)),
                ("hour_22", models.PositiveIntegerField(default=0)),
                ("hour_23", models.PositiveIntegerField(default=0)),
                ("length_0", models.PositiveIntegerField(default=0)),
                ("length_1", models.PositiveIntegerField(default=0)),
                ("length_2", models.PositiveIntegerField(default=0)),
                ("length_3", models.PositiveIntegerField(default=0)),
                ("length_4", models.PositiveIntegerField(default=0)),
                ("length_5", models.PositiveIntegerField(default=0)),
                ("length_6", models.PositiveIntegerField(default=0)),
                ("length_7", models.PositiveIntegerField(default=0)),
                ("length_8", models.PositiveIntegerField(default=0)),
                ("length_9", models.PositiveIntegerField(default=0)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="daily_shapes",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="agent",
                    ),
                ),
            ],
            options={
                "verbose_name": "hours and lengths of a day",
                "verbose_name_plural": "hours and lengths of days",
                "indexes": [models.Index(fields=["day"], name="daily_shape_day")],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "day"), name="daily_shape_once")
                ],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
