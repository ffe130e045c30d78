"""Formats that are tables: rows with named columns become records."""

from reconciliation.formats.tabular.format import Tabular
from reconciliation.formats.tabular.rows import Reader, Said

__all__ = ["Reader", "Said", "Tabular"]
