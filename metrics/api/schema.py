"""Shapes that several descriptions of the API share."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from calls.api.queries import LOCAL_DAY
from calls.history.columns import COLUMNS
from metrics.definitions import FIGURES
from metrics.entries import PERCENT
from metrics.exports.csv_file import SEPARATORS

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
    "columns", str, description=f"With commas, in the order wanted: {', '.join(COLUMNS)}."
)
_YES_NO: dict[str, Any] = {"type": "string", "enum": ["", "0", "1"]}
_SEPARATOR: dict[str, Any] = {"type": "string", "enum": ["", "auto", *SEPARATORS]}
STYLE_PARAMETERS: list[Any] = [
    OpenApiParameter("separator", _SEPARATOR, description="comma if absent."),
    OpenApiParameter("bom", _YES_NO, description="1 if absent: Excel then reads UTF-8."),
    OpenApiParameter("labels", _YES_NO, description="Words of the language instead of names."),
    OpenApiParameter("about", _YES_NO, description="Who, when, which filter: lines at the end."),
]
