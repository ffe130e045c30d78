"""Pages about calls."""

from django.urls import path

from calls.views import contacts, desk, dialing, disputes, history, hooks, imports, timer

urlpatterns = [
    path("timer/", timer.timer, name="timer"),
    path("hooks/<slug:kind>/<slug:name>/", hooks.hook, name="hook"),
    path("contacts/", desk.contacts, name="contacts"),
    path("contacts/import/", imports.contact_import, name="contact_import"),
    path("contacts/import/<int:pk>/", imports.contact_import_one, name="contact_import_one"),
    path("contacts/import/<int:pk>/undo/", imports.contact_import_undo, name="contact_import_undo"),
    path("contacts/export.<str:kind>", imports.contact_export_file, name="contact_export"),
    path("contacts/<int:pk>/edit/", contacts.contact_edit, name="contact_edit"),
    path("contacts/<int:pk>/merge/", contacts.contact_merge, name="contact_merge"),
    path("contacts/<int:pk>/delete/", contacts.contact_delete, name="contact_delete"),
    path("me/dialing/", dialing.choose, name="me_dialing"),
    path("calls/", history.history, name="history"),
    path("calls/<uuid:call_id>/", history.call, name="call"),
    path("calls/<uuid:call_id>/note/", history.call_note, name="call_note"),
    path("calls/<uuid:call_id>/outcome/", history.call_outcome, name="call_outcome"),
    path("calls/<uuid:call_id>/correct/", history.call_correct, name="call_correct"),
    path("calls/<uuid:call_id>/accept/", history.call_accept, name="call_accept"),
    path("disputes/", disputes.disputes, name="disputes"),
    path("calls/<uuid:call_id>/dispute/", disputes.call_dispute, name="call_dispute"),
    path("calls/<uuid:call_id>/decide/", disputes.call_decide, name="call_decide"),
    path("calls/<uuid:call_id>/contact/", contacts.save_number, name="call_contact"),
    path("calls/current/", desk.current_calls, name="current_calls"),
    path("calls/unconfirmed/", desk.unconfirmed, name="unconfirmed"),
    path("calls/start/", desk.start, name="call_start"),
    path("calls/<uuid:call_id>/ready/", desk.ready, name="call_ready"),
    path("calls/<uuid:call_id>/disposition/", desk.disposition, name="call_disposition"),
    path("calls/<uuid:call_id>/save/", contacts.save_number_on_desk, name="call_save_number"),
    path("calls/<uuid:call_id>/keep/", desk.keep, name="call_keep"),
    path("calls/<uuid:call_id>/confirm/", desk.confirm, name="call_confirm"),
    path("calls/<uuid:call_id>/<str:action>/", desk.step, name="call_step"),
]
