"""Pages about figures."""

from django.urls import path

from metrics.views import (
    agent,
    contact,
    desk,
    export,
    exports,
    figure,
    organization,
    plots,
    reports,
    saved,
    team,
    totals,
)

urlpatterns = [
    path("", desk.desk, name="desk"),
    path("cards/", desk.cards, name="cards"),
    path("recent/", desk.recent, name="recent"),
    path("contacts/<int:pk>/", contact.contact, name="contact"),
    path("team/", team.team, name="team"),
    path("wall/", team.wall, name="wall"),
    path("organization/", organization.organization, name="organization"),
    path("calls/totals/", totals.call_totals, name="call_totals"),
    path("agents/<int:pk>/", agent.agent, name="agent"),
    path("plots/", plots.plots, name="plots"),
    path("figures/<slug:name>/", figure.figure, name="figure"),
    path("figures/<slug:name>/check/", figure.check, name="figure_check"),
    path("views/", saved.views, name="saved_views"),
    path("views/<int:pk>/", saved.open_view, name="saved_view"),
    path("views/<int:pk>/rename/", saved.rename, name="saved_view_rename"),
    path("views/<int:pk>/delete/", saved.delete, name="saved_view_delete"),
    path("calls/export.csv", export.call_export_csv, name="call_export"),
    path("calls/export.xlsx", export.call_export_xlsx, name="call_export_xlsx"),
    path("calls/export.pdf", export.call_export_pdf, name="call_export_pdf"),
    path("reports/", reports.reports, name="reports"),
    path("reports/export.csv", reports.report_csv, name="report_csv"),
    path("reports/export.xlsx", reports.report_xlsx, name="report_xlsx"),
    path("reports/export.pdf", reports.report_pdf, name="report_pdf"),
    path("exports/", exports.exports, name="exports"),
    path("exports/new/", exports.export_request, name="export_request"),
    path("exports/<uuid:token>/cancel/", exports.export_cancel, name="export_cancel"),
    path("exports/<uuid:token>/file/", exports.export_file, name="export_file"),
]
