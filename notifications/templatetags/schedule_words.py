"""When a schedule is due, as people say it."""

from django import template
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from common.formats.dates import time_of_day
from notifications.models.schedules import Every, ReportSchedule
from notifications.schedules.subjects import title_of

register = template.Library()
register.simple_tag(title_of)


@register.simple_tag
def schedule_when(schedule: ReportSchedule) -> str:
    """`every week on Monday at 08:00`."""
    words = {
        "time": time_of_day(schedule.at),
        "weekday": WEEKDAYS[schedule.weekday],
        "day": schedule.day,
    }
    if schedule.every == Every.WEEK:
        return _("every week on %(weekday)s at %(time)s") % words
    if schedule.every == Every.MONTH:
        return _("every month on day %(day)s at %(time)s") % words
    return _("every day at %(time)s") % words
