"""Lists of the administration: of tables that grow without end, and with fields to edit in them,
which have names for screen readers: Django gives them none."""

from typing import Any, Final, Generic, TypeVar

from django.db import connection
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.text import capfirst

from common.generics import BaseInlineFormSet, ModelAdmin, Paginator, TabularInline

_MANY: Final = 100_000
_ModelT = TypeVar("_ModelT", bound=Model)
_ParentT = TypeVar("_ParentT", bound=Model)


class RoughPaginator(Paginator[Any]):
    """About how many rows a large table has, from PostgreSQL's statistics or SQLite's last key: to
    count them one by one takes longer than all else of the page."""

    @cached_property
    def count(self) -> int:
        return self._rough_count() or super().count

    def _rough_count(self) -> int:
        """About how many rows there are; 0 where only counting tells."""
        rows = self.object_list
        if not isinstance(rows, QuerySet) or rows.query.where:
            return 0
        with connection.cursor() as cursor:
            table = rows.model._meta.db_table
            if connection.vendor == "postgresql":
                cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [table])
            else:
                cursor.execute(f"SELECT MAX(rowid) FROM {connection.ops.quote_name(table)}")
            about = int(cursor.fetchone()[0] or 0)
        return about if about >= _MANY else 0


class EditableList(ModelAdmin[_ModelT], Generic[_ModelT]):
    """Its `list_editable` fields have the names of their columns."""

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in self.list_editable:
            field.widget.attrs["aria-label"] = capfirst(db_field.verbose_name)
        return field


class _NamedFormSet(BaseInlineFormSet[Any, Any, Any]):
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for field in form.fields.values():
            # What is looked up, or may be added to, is wrapped.
            widget = getattr(field.widget, "widget", field.widget)
            widget.attrs.setdefault("aria-label", capfirst(str(field.label or "")))


class EditableLines(TabularInline[_ModelT, _ParentT], Generic[_ModelT, _ParentT]):
    """Fields of its lines, and the box that deletes one, have the names of their columns."""

    formset = _NamedFormSet
