from reconciliation.models.imports import RecordImport
from reconciliation.models.prices import PriceList
from reconciliation.models.records import ProviderRecord

__all__ = ["PriceList", "ProviderRecord", "RecordImport"]
