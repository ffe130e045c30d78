"""The longest call of each day and in total, filled from the calls."""

from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import migrations, models
from django.db.models import Max
from django.db.models.functions import TruncDate

BATCH = 500


def fill(apps, schema_editor):
    """Reads every call that counts once; a day without talk keeps its 0."""
    calls = apps.get_model("calls", "CallLog").objects.filter(
        end_time__isnull=False, user__isnull=False, talk_seconds__gt=0
    )
    days = calls.exclude(evidence="E").annotate(
        day=TruncDate("start_time", tzinfo=ZoneInfo(settings.TIME_ZONE))
    )
    longest = {
        (user, day): seconds
        for user, day, seconds in days.order_by()
        .values_list("user", "day")
        .annotate(Max("talk_seconds"))
    }
    daily, total = (apps.get_model("metrics", name) for name in ("DailyMetrics", "UserMetrics"))
    rows = []
    for row in daily.objects.order_by("pk").only("user_id", "day").iterator():
        row.longest_call = longest.get((row.user_id, row.day), 0)
        if row.longest_call:
            rows.append(row)
    daily.objects.bulk_update(rows, ["longest_call"], batch_size=BATCH)
    of_people = daily.objects.order_by().values_list("user").annotate(Max("longest_call"))
    for user, seconds in list(of_people):
        total.objects.filter(user_id=user).update(longest_call=seconds)


class Migration(migrations.Migration):
    dependencies = [
        ("metrics", "0005_exports_of_people"),
        ("calls", "0001_calls_and_ledger"),
    ]

    operations = [
        migrations.AddField(
            model_name="dailymetrics",
            name="longest_call",
            field=models.PositiveBigIntegerField(default=0, verbose_name="Longest call"),
        ),
        migrations.AddField(
            model_name="usermetrics",
            name="longest_call",
            field=models.PositiveBigIntegerField(default=0, verbose_name="Longest call"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
