"""Shapes that several descriptions of the API share."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from api import shapes
from api.shapes import LENGTH, LOCAL_DAY, list_of, text
from calls.history.columns import COLUMNS
from calls.models import CallDispute, CallLog
from calls.models.evidence import BY_LETTER, GRADES
from common.periods import LABELS
from metrics.definitions import FIGURES
from metrics.entries import PERCENT
from metrics.exports.csv_file import DECIMALS, INSTANTS, SEPARATORS

SUMS: dict[str, Any] = {
    f.name: serializers.FloatField() if f.unit == PERCENT else serializers.IntegerField()
    for f in FIGURES
    if f.in_api
}
PERIOD: dict[str, Any] = {"from": serializers.DateField(), "to": serializers.DateField()}
PERSON: dict[str, Any] = {
    "user_id": serializers.IntegerField(),
    "username": serializers.CharField(),
}
TEAM: dict[str, Any] = {
    "team_id": serializers.IntegerField(allow_null=True),
    "name": serializers.CharField(allow_null=True),
}
PERIOD_PARAMETERS = [
    OpenApiParameter("from", LOCAL_DAY, description="First local day; today if absent."),
    OpenApiParameter("to", LOCAL_DAY, description="Last local day; today if absent."),
]

COLUMNS_PARAMETER = OpenApiParameter(
    "columns",
    list_of(COLUMNS),
    description=f"With commas, in the order wanted: {', '.join(COLUMNS)}.",
)
_YES_NO: dict[str, Any] = {"type": "string", "enum": ["", "0", "1"]}
_SEPARATOR: dict[str, Any] = {"type": "string", "enum": ["", "auto", *SEPARATORS]}
_DECIMALS: dict[str, Any] = {"type": "string", "enum": ["", "auto", *DECIMALS]}
_INSTANTS: dict[str, Any] = {"type": "string", "enum": ["", *INSTANTS]}
STYLE_PARAMETERS: list[Any] = [
    OpenApiParameter("separator", _SEPARATOR, description="comma if absent."),
    OpenApiParameter("decimals", _DECIMALS, description="What divides them; point if absent."),
    OpenApiParameter(
        "instants",
        _INSTANTS,
        description="utc if absent: as everywhere in the API; local: `2026-01-31 07:45:00`.",
    ),
    OpenApiParameter("bom", _YES_NO, description="1 if absent: Excel then reads UTF-8."),
    OpenApiParameter("labels", _YES_NO, description="Words of the language instead of names."),
    OpenApiParameter("about", _YES_NO, description="Who, when, which filter: lines at the end."),
]

CONTACT_ID = OpenApiParameter("id", int, OpenApiParameter.PATH)
CALL_ID = OpenApiParameter("call_id", OpenApiTypes.UUID, OpenApiParameter.PATH)
FILTER_PARAMETERS: list[Any] = [
    OpenApiParameter("user_id", text(150), description="A username, capitals aside, or an id."),
    OpenApiParameter("agent", text(150), description="The same as user_id."),
    OpenApiParameter(
        "team", shapes.TEAM, description="The id of a team; none: people without a team."
    ),
    OpenApiParameter("start_date", LOCAL_DAY, description="First local day, inclusive."),
    OpenApiParameter("end_date", LOCAL_DAY, description="Last local day, inclusive."),
    OpenApiParameter("status", str, enum=["", *dict(CallLog.STATUSES)]),
    OpenApiParameter(
        "period",
        str,
        enum=["", *LABELS],
        description="Local days by name, or `range` with `from` and `to`.",
    ),
    OpenApiParameter("from", LOCAL_DAY, description="First day of `period=range`."),
    OpenApiParameter("to", LOCAL_DAY, description="Last day of `period=range`."),
    OpenApiParameter(
        "search",
        text(120),
        description="Beginnings of words in contact, number, reference or notes; accents aside.",
    ),
    OpenApiParameter("direction", str, enum=["", *dict(CallLog.DIRECTIONS)]),
    OpenApiParameter("min_duration", LENGTH, description="Seconds, or M:SS, or H:MM:SS."),
    OpenApiParameter("max_duration", LENGTH, description="Likewise."),
    OpenApiParameter("disposition", text(60), description="The outcome, as it is stored."),
    OpenApiParameter("provider", text(60), description="The provider, as it is stored."),
    OpenApiParameter("disputed", str, enum=["", *dict(CallDispute.STATES)]),
    OpenApiParameter(
        "evidence",
        list_of(BY_LETTER),
        description=f"Grades, with commas: {'; '.join(f'{g.letter} {g.short}' for g in GRADES)}.",
    ),
]
