"""Pages about the phone systems' own records."""

from django.urls import path

from reconciliation.views import (
    bill,
    confirmed,
    differences,
    fetching,
    imports,
    missing,
    prices,
)

urlpatterns = [
    path("records/", confirmed.records, name="records"),
    path("records/import/", imports.record_imports, name="record_imports"),
    path("records/import/<int:pk>/", imports.record_import, name="record_import"),
    path("records/import/<int:pk>/undo/", imports.record_import_undo, name="record_import_undo"),
    path(
        "records/import/<int:pk>/cancel/",
        imports.record_import_cancel,
        name="record_import_cancel",
    ),
    path(
        "records/import/<int:pk>/faults.csv",
        imports.record_import_faults,
        name="record_import_faults",
    ),
    path("records/differences/", differences.differences, name="record_differences"),
    path("records/differences/accept/", differences.accept_all, name="record_accept_all"),
    path("records/differences/<int:pk>/accept/", differences.accept, name="record_accept"),
    path("records/differences/<int:pk>/keep/", differences.keep, name="record_keep"),
    path("records/missing/", missing.records_missing, name="records_missing"),
    path("records/fetch/", fetching.record_fetch, name="record_fetch"),
    path("records/bill/", bill.record_bill, name="record_bill"),
    path("records/bill/export.csv", bill.record_bill_csv, name="record_bill_csv"),
    path("records/prices/", prices.record_prices, name="record_prices"),
    path("records/prices/new/", prices.record_price_new, name="record_price_new"),
    path("records/prices/<int:pk>/", prices.record_price, name="record_price"),
    path("records/prices/<int:pk>/delete/", prices.record_price_delete, name="record_price_delete"),
]
