"""Pages about calls."""

from django.urls import path

from calls.views import desk, history, timer

urlpatterns = [
    path("timer/", timer.timer, name="timer"),
    path("contacts/", desk.contacts, name="contacts"),
    path("calls/", history.history, name="history"),
    path("calls/<uuid:call_id>/", history.call, name="call"),
    path("calls/<uuid:call_id>/note/", history.call_note, name="call_note"),
    path("calls/<uuid:call_id>/correct/", history.call_correct, name="call_correct"),
    path("calls/<uuid:call_id>/accept/", history.call_accept, name="call_accept"),
    path("calls/current/", desk.current_calls, name="current_calls"),
    path("calls/unconfirmed/", desk.unconfirmed, name="unconfirmed"),
    path("calls/start/", desk.start, name="call_start"),
    path("calls/<uuid:call_id>/end/", desk.end, name="call_end"),
    path("calls/<uuid:call_id>/keep/", desk.keep, name="call_keep"),
    path("calls/<uuid:call_id>/confirm/", desk.confirm, name="call_confirm"),
    path("calls/<uuid:call_id>/<str:action>/", desk.step, name="call_step"),
]
