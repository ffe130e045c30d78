"""Sums of weeks, filled from the days."""

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models
from django.db.models import Max, Sum
from django.db.models.functions import TruncWeek

BATCH = 500


def fill(apps, schema_editor):
    daily, weekly = (apps.get_model("metrics", name) for name in ("DailyMetrics", "WeeklyMetrics"))
    keys = {"id", "user", "day"}
    names = [field.name for field in daily._meta.concrete_fields if field.name not in keys]
    sums = {f"new_{name}": (Max if name == "longest_call" else Sum)(name) for name in names}
    weeks = daily.objects.order_by().annotate(
        week=TruncWeek("day", output_field=models.DateField())
    )
    rows = []
    for user, week, *columns in weeks.values_list("user", "week").annotate(**sums).iterator():
        rows.append(weekly(user_id=user, week=week, **dict(zip(names, columns, strict=True))))
        if len(rows) >= BATCH:
            weekly.objects.bulk_create(rows)
            rows.clear()
    weekly.objects.bulk_create(rows)


class Migration(migrations.Migration):
    dependencies = [
        ("metrics", "0006_longest_call"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="WeeklyMetrics",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("calls_made", models.PositiveIntegerField(default=0, verbose_name="calls made")),
                (
                    "calls_success",
                    models.PositiveIntegerField(default=0, verbose_name="successful"),
                ),
                ("calls_failed", models.PositiveIntegerField(default=0, verbose_name="failed")),
                ("calls_dropped", models.PositiveIntegerField(default=0, verbose_name="dropped")),
                (
                    "calls_error",
                    models.PositiveIntegerField(default=0, verbose_name="with the status failed"),
                ),
                (
                    "calls_no_answer",
                    models.PositiveIntegerField(default=0, verbose_name="not answered"),
                ),
                ("calls_answered", models.PositiveIntegerField(default=0, verbose_name="answered")),
                (
                    "calls_unconfirmed",
                    models.PositiveIntegerField(default=0, verbose_name="unconfirmed"),
                ),
                (
                    "total_talk_time",
                    models.PositiveBigIntegerField(default=0, verbose_name="total time (s)"),
                ),
                (
                    "total_duration",
                    models.PositiveBigIntegerField(default=0, verbose_name="tracked time (s)"),
                ),
                (
                    "ring_time",
                    models.PositiveBigIntegerField(default=0, verbose_name="ring time (s)"),
                ),
                (
                    "hold_time",
                    models.PositiveBigIntegerField(default=0, verbose_name="hold time (s)"),
                ),
                (
                    "wrap_up_time",
                    models.PositiveBigIntegerField(default=0, verbose_name="wrap-up time (s)"),
                ),
                (
                    "talk_squares",
                    models.PositiveBigIntegerField(
                        default=0, verbose_name="squared talk time (s²)"
                    ),
                ),
                (
                    "answered_time",
                    models.PositiveBigIntegerField(
                        default=0, verbose_name="time of answered calls (s)"
                    ),
                ),
                (
                    "longest_call",
                    models.PositiveBigIntegerField(default=0, verbose_name="Longest call"),
                ),
                ("week", models.DateField(verbose_name="week")),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="weekly_metrics",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="agent",
                    ),
                ),
            ],
            options={
                "verbose_name": "weekly figures",
                "verbose_name_plural": "weekly figures",
                "abstract": False,
                "indexes": [models.Index(fields=["week"], name="weekly_metrics_week")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "calls_made",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("calls_success"), "+", models.F("calls_failed")
                                ),
                            ),
                            (
                                "calls_failed",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("calls_dropped"), "+", models.F("calls_error")
                                    ),
                                    "+",
                                    models.F("calls_no_answer"),
                                ),
                            ),
                        ),
                        name="metrics_weeklymetrics_adds_up",
                    ),
                    models.UniqueConstraint(fields=("user", "week"), name="weekly_metrics_once"),
                ],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
