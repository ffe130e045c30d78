"""Alerts of disputes, which no rule fires."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="alert",
            name="kind",
            field=models.CharField(
                choices=[
                    ("long_call", "long call"),
                    ("long_hold", "long hold"),
                    ("long_pause", "long pause"),
                    ("long_wrap_up", "long wrap-up"),
                    ("low_success", "low success rate"),
                    ("unusual_aht", "unusual AHT"),
                    ("no_calls", "no calls"),
                    ("missed_call", "missed call not called back"),
                    ("provider_silent", "phone system silent"),
                    ("listener_down", "listener down"),
                    ("backup_failed", "backup failed"),
                    ("disk_full", "disk nearly full"),
                    ("job_failed", "job failed"),
                    ("webhook_off", "webhook switched off"),
                    ("dispute_opened", "call disputed"),
                    ("dispute_decided", "dispute decided"),
                ],
                max_length=20,
                verbose_name="what",
            ),
        ),
    ]
