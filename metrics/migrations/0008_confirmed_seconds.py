"""How much of the talk time phone systems' own records confirm, filled from the calls.

A statement a day and a week: the rows of a day look for their calls by the index of people and
starts, so no call is read twice and none is taken out of the database.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import migrations, models
from django.db.models import BigIntegerField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

TABLES = ("DailyMetrics", "WeeklyMetrics", "UserMetrics")


def fill(apps, schema_editor):
    calls = apps.get_model("calls", "CallLog").objects.filter(evidence="A", end_time__isnull=False)
    daily, weekly, total = (apps.get_model("metrics", name).objects for name in TABLES)
    for day in _each(daily, "day"):
        begin, end = (_midnight(day + dt.timedelta(days=n)) for n in (0, 1))
        of_day = calls.filter(start_time__gte=begin, start_time__lt=end)
        if of_day.exists():
            daily.filter(day=day).update(confirmed_seconds=_of_user(of_day, "talk_seconds"))
    days = daily.filter(confirmed_seconds__gt=0)
    for week in _each(weekly, "week"):
        of_week = days.filter(day__range=(week, week + dt.timedelta(days=6)))
        weekly.filter(week=week).update(confirmed_seconds=_of_user(of_week, "confirmed_seconds"))
    total.update(confirmed_seconds=_of_user(weekly, "confirmed_seconds"))


def _each(rows, name):
    return list(rows.order_by().values_list(name, flat=True).distinct())


def _midnight(day):
    return dt.datetime.combine(day, dt.time(), ZoneInfo(settings.TIME_ZONE)).astimezone(dt.UTC)


def _of_user(rows, name):
    """The sum of `name` over those of `rows` whose person is that of the row to be written."""
    own = rows.order_by().filter(user=OuterRef("user")).values("user")
    return Coalesce(
        Subquery(own.annotate(sum=Sum(name)).values("sum")), 0, output_field=BigIntegerField()
    )


class Migration(migrations.Migration):
    dependencies = [
        ("metrics", "0007_weekly_metrics"),
        ("calls", "0001_calls_and_ledger"),
    ]

    operations = [
        *(
            migrations.AddField(
                model_name=name.lower(),
                name="confirmed_seconds",
                field=models.PositiveBigIntegerField(default=0, verbose_name="confirmed time (s)"),
            )
            for name in TABLES
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
