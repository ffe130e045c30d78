"""When a schedule is due, as people say it."""

from django import template
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from notifications.models.schedules import Every, ReportSchedule

register = template.Library()


@register.simple_tag
def schedule_when(schedule: ReportSchedule) -> str:
    """`every week on Monday at 08:00`."""
    words = {
        "time": f"{schedule.at:%H:%M}",
        "weekday": WEEKDAYS[schedule.weekday],
        "day": schedule.day,
    }
    if schedule.every == Every.WEEK:
        return _("every week on %(weekday)s at %(time)s") % words
    if schedule.every == Every.MONTH:
        return _("every month on day %(day)s at %(time)s") % words
    return _("every day at %(time)s") % words
