"""Figures in the administration, read only, and calls as a file."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext_lazy

from calls.models import CallLog
from calls.templatetags.calls_format import clock, duration_words
from common.generics import ModelAdmin
from metrics.exports.calls import sheet_of_calls
from metrics.exports.csv_file import Style
from metrics.exports.document import Document
from metrics.exports.responses import csv_answer
from metrics.models import DailyMetrics, SumsModel, UserMetrics


class FiguresAdmin(ModelAdmin[SumsModel]):
    """Sums follow from the calls: nobody writes them."""

    list_filter: ClassVar[tuple[str, ...]] = ("user__team",)
    list_select_related = ("user__team",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("user__username", "user__first_name", "user__last_name")

    @admin.display(description=gettext_lazy("team"), empty_value="—")
    def team(self, row: Any) -> Any:
        return row.user.team

    @admin.display(description=gettext_lazy("average call time"))
    def average(self, row: Any) -> str:
        return clock(row.avg_call_duration if row.calls_made else None)

    @admin.display(description=gettext_lazy("total time"), ordering="total_talk_time")
    def total(self, row: Any) -> str:
        return duration_words(row.total_talk_time)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


_COUNTS = ("calls_made", "calls_success", "calls_failed", "average", "total", "calls_unconfirmed")


@admin.register(UserMetrics)
class UserMetricsAdmin(FiguresAdmin):
    list_display = ("user", "team", *_COUNTS)
    ordering = ("user__username",)


@admin.register(DailyMetrics)
class DailyMetricsAdmin(FiguresAdmin):
    list_display = ("day", "user", "team", *_COUNTS)
    list_filter = ("user__team", "day")
    ordering = ("-day", "user__username")


@admin.action(description=gettext_lazy("Export as CSV"), permissions=["export"])
def export_csv(
    model_admin: ModelAdmin[CallLog], request: HttpRequest, queryset: Any
) -> StreamingHttpResponse:
    sheet = sheet_of_calls(queryset)
    return csv_answer(Document(sheet.title, [], [sheet]), Style())


# Calls know nothing of their exports, so the action comes to them from here.
_calls = admin.site.get_model_admin(CallLog)
_calls.actions = [*(_calls.actions or ()), export_csv]
