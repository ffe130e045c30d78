from collections.abc import Mapping
from typing import Any

from django import forms

class Filter:
    field_class: type[forms.Field]
    def __init__(
        self,
        field_name: str | None = None,
        lookup_expr: str | None = None,
        *,
        label: Any = None,
        method: str | None = None,
        distinct: bool = False,
        exclude: bool = False,
        **kwargs: Any,
    ) -> None: ...
    def filter(self, qs: Any, value: Any) -> Any: ...

class CharFilter(Filter): ...
class ChoiceFilter(Filter): ...

class FilterSet:
    base_filters: dict[str, Filter]
    filters: dict[str, Filter]
    data: Any
    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        queryset: Any = None,
        *,
        request: Any = None,
        prefix: str | None = None,
    ) -> None: ...
    def is_valid(self) -> bool: ...
    @property
    def errors(self) -> dict[str, Any]: ...
    @property
    def form(self) -> Any: ...
    @property
    def qs(self) -> Any: ...
    def filter_queryset(self, queryset: Any) -> Any: ...
