"""Figures in the administration, read only, and calls as a file."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext_lazy

from calls.models import CallLog
from common.generics import ModelAdmin
from metrics.charts.cards import value_of
from metrics.definitions import ON_CARDS, STORED
from metrics.entries import PERCENT, Figure
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

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _shown(figure: Figure) -> Any:
    """A column of a list: the figure as people read it; sorted by it where it is stored."""

    def value(row: Any) -> str:
        return value_of(figure, row.sums)

    label: Any = figure.label
    order = figure.name if figure in STORED else None
    return admin.display(description=label, ordering=order)(value)


_FIGURES: tuple[Any, ...] = (
    *(_shown(f) for f in ON_CARDS if f.unit != PERCENT),
    "calls_unconfirmed",
)


@admin.register(UserMetrics)
class UserMetricsAdmin(FiguresAdmin):
    list_display = ("user", "team", *_FIGURES)
    ordering = ("user__name_key", "pk")


@admin.register(DailyMetrics)
class DailyMetricsAdmin(FiguresAdmin):
    list_display = ("day", "user", "team", *_FIGURES)
    list_filter = ("user__team", "day")
    ordering = ("-day", "user__name_key", "pk")


@admin.action(description=gettext_lazy("Export as CSV"), permissions=["export"])
def export_csv(
    model_admin: ModelAdmin[CallLog], request: HttpRequest, queryset: Any
) -> StreamingHttpResponse:
    sheet = sheet_of_calls(queryset)
    return csv_answer(Document(sheet.title, [], [sheet]), Style.of_reader())


# Calls know nothing of their exports, so the action comes to them from here.
_calls = admin.site.get_model_admin(CallLog)
_calls.actions = [*(_calls.actions or ()), export_csv]
